//! The little of JSON Schema that compiling a behavior needs: which schema a member has.

use serde_json::Value as Json;

/// References followed before giving up; a chain longer than this is a cycle.
const MAX_HOPS: usize = 32;

/// Follows `$ref`s of the form `#/...` inside `root`.
pub(crate) fn resolve<'a>(root: &'a Json, mut node: &'a Json) -> &'a Json {
    for _ in 0..MAX_HOPS {
        let Some(target) = node.get("$ref").and_then(Json::as_str) else { return node };
        match target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
            Some(next) => node = next,
            None => return node,
        }
    }
    node
}

/// The schema of a member of objects that `node` describes.
pub(crate) fn member<'a>(root: &'a Json, node: &'a Json, name: &str) -> Option<&'a Json> {
    find(root, node, &|schema| schema.get("properties")?.get(name), MAX_HOPS)
}

/// The schema of the items of lists that `node` describes.
pub(crate) fn items<'a>(root: &'a Json, node: &'a Json) -> Option<&'a Json> {
    find(root, node, &|schema| schema.get("items"), MAX_HOPS)
}

/// Names that `node` requires, its `allOf` parts included.
pub(crate) fn required<'a>(root: &'a Json, node: &'a Json) -> Vec<&'a str> {
    let mut names = Vec::new();
    each(
        root,
        node,
        &mut |s| {
            names.extend(
                s.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str),
            )
        },
        MAX_HOPS,
    );
    names
}

/// Members of objects that `node` describes, its `allOf` parts included, in order.
pub(crate) fn members<'a>(root: &'a Json, node: &'a Json) -> Vec<(&'a str, &'a Json)> {
    let mut found: Vec<(&str, &Json)> = Vec::new();
    each(
        root,
        node,
        &mut |schema| {
            for (name, member) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
                if !found.iter().any(|(seen, _)| seen == name) {
                    found.push((name, member));
                }
            }
        },
        MAX_HOPS,
    );
    found
}

/// Whether `node` allows values of JSON type `name`; no stated type allows all.
pub(crate) fn allows_type(root: &Json, node: &Json, name: &str) -> bool {
    match resolve(root, node).get("type") {
        Some(Json::String(only)) => only == name,
        Some(Json::Array(several)) => several.iter().any(|t| t == name),
        _ => true,
    }
}

fn each<'a>(root: &'a Json, node: &'a Json, visit: &mut dyn FnMut(&'a Json), depth: usize) {
    if depth == 0 {
        return;
    }
    let node = resolve(root, node);
    visit(node);
    for part in node.get("allOf").and_then(Json::as_array).into_iter().flatten().take(MAX_HOPS) {
        each(root, part, visit, depth / 2);
    }
}

fn find<'a>(
    root: &'a Json,
    node: &'a Json,
    pick: &dyn Fn(&'a Json) -> Option<&'a Json>,
    depth: usize,
) -> Option<&'a Json> {
    if depth == 0 {
        return None;
    }
    let node = resolve(root, node);
    pick(node).or_else(|| {
        ["allOf", "oneOf", "anyOf"]
            .iter()
            .filter_map(|key| node.get(key)?.as_array())
            .flat_map(|parts| parts.iter().take(MAX_HOPS))
            .find_map(|part| find(root, part, pick, depth / 2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_members_through_refs_and_all_of() {
        let root = json!({
            "$defs": {"A": {"allOf": [{"$ref": "#/$defs/B"}, {"properties": {"y": {"type": "string"}}, "required": ["y"]}]},
                      "B": {"properties": {"x": {"type": "integer"}}, "required": ["x"]},
                      "Loop": {"allOf": [{"$ref": "#/$defs/Loop"}, {"$ref": "#/$defs/Loop"}]}},
            "type": "array", "items": {"$ref": "#/$defs/A"}
        });
        let row = items(&root, &root).unwrap();
        assert_eq!(member(&root, row, "x"), Some(&json!({"type": "integer"})));
        assert_eq!(required(&root, row), ["x", "y"]);
        assert_eq!(members(&root, row).len(), 2);
        assert_eq!(member(&root, &root["$defs"]["Loop"], "z"), None);
    }
}
