//! Names: finding the one that was meant, and keeping those of tools apart.

use gtm_error::{Code, Error, Result, printable};
use gtm_tool::{ToolSpec, schema};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};

/// Longest name compared, in bytes: the comparison costs the product of both lengths.
const MAX_COMPARED: usize = 128;

/// Up to three of the known names that are like the given one, the nearest first.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if name.len() > MAX_COMPARED {
        return Vec::new();
    }
    let plain = plain(name);
    let limit = (plain.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = known
        .filter(|k| k.len() <= MAX_COMPARED)
        .filter_map(|k| {
            let other = self::plain(k);
            let near = other.len().abs_diff(plain.len()) <= limit;
            let distance = if near { distance(&plain, &other) } else { usize::MAX };
            (distance <= limit).then_some((distance, k))
        })
        .collect();
    found.sort();
    found.into_iter().take(3).map(|(_, k)| k).collect()
}

/// The error for a name that no tool has.
pub(crate) fn no_tool<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let error = Error::new(Code::ToolsetInvalid, format!("no tool is called `{}`", printable(name)));
    match nearest(name, known).first() {
        Some(near) => error.expected(format!("perhaps `{near}`")),
        None => error,
    }
}

/// Lower case without separators, so that `getUser` and `get_user` are the same.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many slips lead from one to the other: a character too much, missing, wrong, or two swapped.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut earlier: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let wrong = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = wrong.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(earlier[j - 2] + 1);
            }
        }
        earlier = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// A name as part of a JSON pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The part of a schema that describes a place of a document.
pub(crate) fn node_at<'a>(root: &'a Json, document: &Json, pointer: &str) -> Option<&'a Json> {
    let mut node = schema::resolve(root, root);
    for (at, _) in pointer.match_indices('/') {
        let key = pointer[at + 1..].split('/').next()?;
        let in_list = document.pointer(&pointer[..at]).is_some_and(Json::is_array);
        let next = if in_list { node.get("items") } else { node.pointer(&format!("/properties/{key}")) };
        let next = next.or(node.get("additionalProperties")).filter(|next| next.is_object())?;
        node = schema::resolve(root, first_object(root, next));
    }
    Some(node)
}

/// The keys that a schema allows at a place of a document.
pub(crate) fn known_keys(root: &Json, document: &Json, pointer: &str) -> Vec<String> {
    let node = node_at(root, document, pointer);
    node.into_iter().flat_map(|node| schema::properties(root, node)).map(|p| p.name.to_owned()).collect()
}

/// The words that a schema allows, where it lists them.
pub(crate) fn choices(root: &Json, node: &Json) -> Vec<String> {
    let node = schema::resolve(root, node);
    let branches = ["anyOf", "oneOf"].iter().filter_map(|key| node.get(*key)?.as_array()).flatten();
    let inner = branches.flat_map(|branch| choices(root, branch));
    let listed = node.get("enum").and_then(Json::as_array).into_iter().flatten().chain(node.get("const"));
    listed.filter_map(Json::as_str).map(str::to_owned).chain(inner).collect()
}

/// Looks through `anyOf: [X, null]`, as optional members are written.
fn first_object<'a>(root: &'a Json, node: &'a Json) -> &'a Json {
    let branches = node.get("anyOf").or(node.get("oneOf")).and_then(Json::as_array);
    let object = |b: &&Json| schema::primary_type(root, b) == Some("object");
    branches.and_then(|all| all.iter().find(object)).unwrap_or(node)
}

/// One list of the tools of several specs. The same tool given twice counts once. Different tools
/// of one name from different specs get the name of their API (or, failing that, a number) in front.
///
/// # Errors
/// [`Code::DuplicateTool`] if two different tools of one spec share a name.
pub(crate) fn join(specs: Vec<Vec<ToolSpec>>) -> Result<Vec<ToolSpec>> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut clashing: HashSet<String> = HashSet::new();
    let mut all: Vec<(usize, ToolSpec)> = Vec::new();
    for (source, tools) in specs.into_iter().enumerate() {
        for tool in tools {
            let known = first.get(&tool.name).map(|&at| (all[at].0, &all[at].1));
            match known {
                None => {
                    first.insert(tool.name.clone(), all.len());
                }
                Some((_, other)) if *other == tool => continue,
                Some((other, _)) if other == source => return Err(duplicate(&tool.name)),
                Some(_) => {
                    clashing.insert(tool.name.clone());
                }
            }
            all.push((source, tool));
        }
    }
    let mut taken: HashSet<String> =
        all.iter().map(|(_, tool)| tool.name.clone()).filter(|name| !clashing.contains(name)).collect();
    let mut out = Vec::with_capacity(all.len());
    for (source, mut tool) in all {
        if clashing.contains(&tool.name) {
            let api = slug(&tool.origin.api);
            let prefix = if api.is_empty() { format!("spec{}", source + 1) } else { api };
            let name = format!("{prefix}_{}", tool.name);
            if !taken.insert(name.clone()) {
                return Err(duplicate(&tool.name));
            }
            tool.name = name;
        }
        out.push(tool);
    }
    Ok(out)
}

fn duplicate(name: &str) -> Error {
    Error::new(Code::DuplicateTool, format!("two different tools are called `{}`", printable(name)))
}

/// A title as a name: `Pet Store (v2)` gives `pet_store_v2`.
pub(crate) fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
    slug.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool(name: &str, api: &str, description: &str) -> ToolSpec {
        let mut tool = ToolSpec { name: name.into(), description: description.into(), ..ToolSpec::default() };
        tool.origin.api = api.into();
        tool
    }

    fn names(specs: Vec<Vec<ToolSpec>>) -> Vec<String> {
        join(specs).unwrap().into_iter().map(|t| t.name).collect()
    }

    #[test]
    fn the_same_tool_twice_counts_once() {
        let specs = vec![vec![tool("a", "X", "")], vec![tool("a", "X", ""), tool("b", "X", "")]];
        assert_eq!(names(specs), ["a", "b"]);
    }

    #[test]
    fn clashing_names_of_different_specs_get_their_api_in_front() {
        let specs = vec![vec![tool("a", "Shop (v2)", ""), tool("b", "", "")], vec![tool("a", "", "")]];
        assert_eq!(names(specs), ["shop_v2_a", "b", "spec2_a"]);
    }

    #[test]
    fn clashing_names_of_one_spec_are_refused() {
        let error = join(vec![vec![tool("a", "X", "1"), tool("a", "X", "2")]]).unwrap_err();
        assert_eq!(error.code(), Code::DuplicateTool);
        let same_api = vec![vec![tool("a", "X", "1")], vec![tool("a", "X", "2")]];
        assert_eq!(join(same_api).unwrap_err().code(), Code::DuplicateTool);
    }

    #[test]
    fn nearest_finds_slips_and_nothing_far() {
        let known = ["get_user", "get_users", "delete_user", "list_orders"];
        assert_eq!(nearest("getUser", known.into_iter()), ["get_user", "get_users"]);
        assert_eq!(nearest("lst_orders", known.into_iter()), ["list_orders"]);
        assert_eq!(nearest("nht", ["every", "nth"].into_iter()), ["nth"]);
        assert!(nearest("frobnicate", known.into_iter()).is_empty());
        assert!(nearest(&"x".repeat(100_000), known.into_iter()).is_empty());
    }

    #[test]
    fn known_keys_follow_the_schema_down() {
        let root = json!({
            "properties": {"faults": {"type": "array", "items": {"$ref": "#/$defs/F"}}},
            "$defs": {"F": {"type": "object", "properties": {"on": {"anyOf": [{"$ref": "#/$defs/W"}, {"type": "null"}]}}},
                      "W": {"type": "object", "properties": {"nth": {}, "every": {}}}}
        });
        let document = json!({"faults": [{"on": {"nht": 1}}]});
        assert_eq!(known_keys(&root, &document, "/faults/0/on"), ["nth", "every"]);
        assert_eq!(known_keys(&root, &document, ""), ["faults"]);
    }
}
