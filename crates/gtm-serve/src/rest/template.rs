//! From method and path to tool: the path templates of an API as a tree of segments.
//!
//! At each segment literal text beats a mixed one (`{id}.json`), which beats a parameter, with
//! backtracking: `/users/me` and `/users/{id}/posts` both work. A node is visited at most once a
//! request, since its depth fixes the segment it is compared with, so matching costs no more than
//! the tree has nodes, whatever the path.

use std::collections::{BTreeMap, HashMap};

/// Longest path that is looked at, in segments.
const MAX_SEGMENTS: usize = 64;

/// All paths of an API. Each ends in a small number, the tool's index.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    root: Node,
    /// Base paths of the servers, such as `api/v3`, longest first.
    bases: Vec<String>,
}

#[derive(Debug, Default)]
struct Node {
    literal: HashMap<String, Node>,
    mixed: Vec<(Pattern, Node)>,
    parameter: Option<Box<Node>>,
    /// Leaves by method.
    leaves: BTreeMap<String, Vec<Leaf>>,
}

/// A tool at the end of a path.
#[derive(Clone, Debug)]
struct Leaf {
    tool: usize,
    /// Names of the path's parameters in order. Two templates that differ only in these names
    /// share their nodes.
    names: Vec<String>,
    /// Query pairs written into the template (`/search?type=code`), which the request must carry.
    query: Vec<(String, String)>,
}

/// A segment of literal text and parameters, such as `{owner}:{verb}` or `{id}.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Parameter,
}

/// What a request's path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A tool, and its path parameters, decoded.
    Tool(usize, Vec<(String, String)>),
    /// The path exists, with other methods: these.
    OtherMethods(Vec<String>),
    /// No such path.
    Nothing,
}

impl Paths {
    /// Adds an operation. The first of several with the same method and path is found.
    pub(crate) fn add(&mut self, tool: usize, method: &str, base: &str, template: &str) {
        let base = base.trim_matches('/');
        if !base.is_empty() && !self.bases.iter().any(|known| known == base) {
            self.bases.push(base.to_string());
            self.bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
        }
        let template = template.split_once('#').map_or(template, |(path, _)| path);
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.contains('{'))
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let mut node = &mut self.root;
        let mut names = Vec::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let (pattern, found) = Pattern::parse(segment);
            names.extend(found);
            node = match pattern.0.as_slice() {
                [Part::Text(text)] => node.literal.entry(text.clone()).or_default(),
                [Part::Parameter] => node.parameter.get_or_insert_default(),
                _ => {
                    let index =
                        node.mixed.iter().position(|(known, _)| *known == pattern).unwrap_or_else(|| {
                            node.mixed.push((pattern, Node::default()));
                            node.mixed.len() - 1
                        });
                    &mut node.mixed[index].1
                }
            };
        }
        let leaves = node.leaves.entry(method.to_string()).or_default();
        leaves.push(Leaf { tool, names, query });
        // Those that ask for more come first; the sort is stable.
        leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.query.len()));
    }

    /// Whether there is any path at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.literal.is_empty()
            && self.root.parameter.is_none()
            && self.root.mixed.is_empty()
            && self.root.leaves.is_empty()
    }

    /// Finds the tool for a request. `path` is as it came over the wire, still percent-encoded.
    /// The API's base path may be there or not; a trailing slash does not matter.
    pub(crate) fn find(&self, method: &str, path: &str, query: &[(String, String)]) -> Found {
        let path = path.trim_matches('/');
        let mut others = Vec::new();
        let based = self.bases.iter().filter_map(|base| {
            let rest = path.strip_prefix(base.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest)
        });
        for candidate in based.chain([path]) {
            let segments: Vec<String> =
                candidate.split('/').filter(|s| !s.is_empty()).map(super::decode::percent).collect();
            if segments.len() > MAX_SEGMENTS {
                continue;
            }
            let mut values = Vec::new();
            if let Some((tool, names)) = self.root.find(method, &segments, query, &mut values, &mut others) {
                return Found::Tool(tool, names.iter().cloned().zip(values).collect());
            }
        }
        if others.is_empty() {
            return Found::Nothing;
        }
        others.sort();
        others.dedup();
        Found::OtherMethods(others)
    }
}

impl Node {
    fn find(
        &self,
        method: &str,
        segments: &[String],
        query: &[(String, String)],
        values: &mut Vec<String>,
        others: &mut Vec<String>,
    ) -> Option<(usize, &[String])> {
        let Some((segment, rest)) = segments.split_first() else {
            let fits = |leaf: &&Leaf| leaf.query.iter().all(|pair| query.contains(pair));
            if let Some(leaf) = self.leaves.get(method).and_then(|leaves| leaves.iter().find(fits)) {
                return Some((leaf.tool, &leaf.names));
            }
            others.extend(self.leaves.keys().cloned());
            return None;
        };
        if let Some(node) = self.literal.get(segment)
            && let Some(found) = node.find(method, rest, query, values, others)
        {
            return Some(found);
        }
        let before = values.len();
        for (pattern, node) in &self.mixed {
            if pattern.matches(segment, values)
                && let Some(found) = node.find(method, rest, query, values, others)
            {
                return Some(found);
            }
            values.truncate(before);
        }
        let node = self.parameter.as_ref()?;
        values.push(segment.clone());
        let found = node.find(method, rest, query, values, others);
        if found.is_none() {
            values.truncate(before);
        }
        found
    }
}

impl Pattern {
    /// The pattern of a template's segment, and the names of its parameters.
    fn parse(segment: &str) -> (Pattern, Vec<String>) {
        let (mut parts, mut names, mut rest) = (Vec::new(), Vec::new(), segment);
        while let Some((text, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            if !text.is_empty() {
                parts.push(Part::Text(text.to_string()));
            }
            parts.push(Part::Parameter);
            // `{+path}` and `{path*}` are RFC 6570 for the same parameter.
            names.push(name.trim_start_matches(['+', '.', ';']).trim_end_matches('*').to_string());
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_string()));
        }
        (Pattern(parts), names)
    }

    /// Whether the segment fits; if so the parameters' values are appended. A parameter takes at
    /// least one character and stops at the first place where the text after it occurs.
    fn matches(&self, segment: &str, values: &mut Vec<String>) -> bool {
        let mut rest = segment;
        let mut parts = self.0.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Text(text) => match rest.strip_prefix(text.as_str()) {
                    Some(after) => rest = after,
                    None => return false,
                },
                Part::Parameter => {
                    let first = rest.chars().next().map_or(0, char::len_utf8);
                    let end = match parts.peek() {
                        // The last text must stand at the end: `{name}.json` takes `a.json.json` whole.
                        Some(Part::Text(text)) if self.0.last() == Some(&Part::Text(text.clone())) => {
                            rest.rfind(text.as_str())
                        }
                        Some(Part::Text(text)) => {
                            rest.get(first..).and_then(|r| r.find(text.as_str())).map(|i| i + first)
                        }
                        Some(Part::Parameter) => Some(first),
                        None => Some(rest.len()),
                    };
                    match end {
                        Some(end) if end > 0 => {
                            values.push(rest[..end].to_string());
                            rest = &rest[end..];
                        }
                        _ => return false,
                    }
                }
            }
        }
        rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(templates: &[(&str, &str)]) -> Paths {
        let mut paths = Paths::default();
        for (index, (method, template)) in templates.iter().enumerate() {
            paths.add(index, method, "/api/v3", template);
        }
        paths
    }

    fn values(found: Found) -> (usize, Vec<String>) {
        match found {
            Found::Tool(tool, values) => {
                (tool, values.into_iter().map(|(n, v)| format!("{n}={v}")).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn literals_beat_parameters_and_matching_backtracks() {
        let paths = paths(&[
            ("GET", "/users/{id}"),
            ("GET", "/users/me"),
            ("GET", "/users/{id}/posts"),
            ("POST", "/users"),
            ("GET", "/{any}/{thing}/posts/{p}"),
        ]);
        assert_eq!(values(paths.find("GET", "/users/me", &[])), (1, vec![]));
        assert_eq!(values(paths.find("GET", "/users/7/", &[])), (0, vec!["id=7".into()]));
        assert_eq!(values(paths.find("GET", "/users/me/posts", &[])), (2, vec!["id=me".into()]));
        assert_eq!(
            values(paths.find("GET", "users/me/posts/3", &[])),
            (4, vec!["any=users".into(), "thing=me".into(), "p=3".into()])
        );
        assert_eq!(paths.find("PUT", "/users/me", &[]), Found::OtherMethods(vec!["GET".into()]));
        assert_eq!(paths.find("GET", "/nowhere", &[]), Found::Nothing);
    }

    #[test]
    fn base_path_is_optional_and_values_are_decoded() {
        let paths = paths(&[("GET", "/pet/{petId}")]);
        for path in ["/pet/a%2Fb%20c", "/api/v3/pet/a%2Fb%20c", "api/v3/pet/a%2Fb%20c/"] {
            assert_eq!(values(paths.find("GET", path, &[])), (0, vec!["petId=a/b c".into()]), "{path}");
        }
        assert_eq!(paths.find("GET", "/api/v30/pet/1", &[]), Found::Nothing);
    }

    #[test]
    fn mixed_segments() {
        let paths = paths(&[
            ("GET", "/files/{name}.json"),
            ("POST", "/v1/{id}:cancel"),
            ("POST", "/v1/{id}"),
            ("GET", "/tiles/{z}-{x}-{y}.png"),
        ]);
        assert_eq!(values(paths.find("GET", "/files/a.b.json", &[])), (0, vec!["name=a.b".into()]));
        assert_eq!(values(paths.find("POST", "/v1/7:cancel", &[])), (1, vec!["id=7".into()]));
        assert_eq!(values(paths.find("POST", "/v1/7", &[])), (2, vec!["id=7".into()]));
        assert_eq!(
            values(paths.find("GET", "/tiles/1-2-3.png", &[])),
            (3, vec!["z=1".into(), "x=2".into(), "y=3".into()])
        );
        assert_eq!(paths.find("GET", "/files/.json", &[]), Found::Nothing);
    }

    #[test]
    fn query_in_the_template_selects() {
        let paths = paths(&[("GET", "/x"), ("GET", "/x?action=list"), ("GET", "/y#frag")]);
        let list = [("action".to_string(), "list".to_string())];
        assert_eq!(values(paths.find("GET", "/x", &list)).0, 1);
        assert_eq!(values(paths.find("GET", "/x", &[])).0, 0);
        assert_eq!(values(paths.find("GET", "/y", &[])).0, 2);
    }

    #[test]
    fn hostile_paths_are_cheap() {
        let mut paths = Paths::default();
        for i in 0..64 {
            paths.add(i, "GET", "", &"/{a}/x".repeat(i));
        }
        let long = "/x".repeat(100_000);
        let start = std::time::Instant::now();
        assert_eq!(paths.find("GET", &long, &[]), Found::Nothing);
        assert!(start.elapsed() < std::time::Duration::from_millis(100));
    }
}
