//! Paths of HTTP operations, split and made comparable.

use crate::fill::Name;
use crate::words::singular;

/// A part of a path between slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Fixed text.
    Literal(String),
    /// One or more parameters, such as `{id}` or `{lat},{lon}`.
    Parameter(Vec<String>),
}

/// A path, without its slashes, file ending and custom verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub segments: Vec<Segment>,
    /// The verb of `/things/{id}:verb`.
    pub verb: Option<String>,
}

/// What a segment is called when paths are compared: literals in singular, parameters all alike.
pub(super) type Key = Vec<String>;

/// How a parameter stands in a [`Key`].
const ANY: &str = "{}";

impl Path {
    /// Splits a path template.
    pub(super) fn parse(template: &str) -> Path {
        let template = template.split(['?', '#']).next().unwrap_or_default();
        let mut segments = Vec::new();
        let mut verb = None;
        for part in slices(template) {
            segments.extend(segment(part, &mut verb));
        }
        Path { segments, verb }
    }

    /// The path's name for comparing.
    pub(super) fn key(&self) -> Key {
        self.segments.iter().map(key_of).collect()
    }

    /// Parameters of the last segment, if it has any.
    pub(super) fn item(&self) -> Option<&[String]> {
        match self.segments.last() {
            Some(Segment::Parameter(names)) => Some(names),
            _ => None,
        }
    }

    /// The last segment, if it is fixed text.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.segments.last() {
            Some(Segment::Literal(text)) => Some(text),
            _ => None,
        }
    }

    /// The path without its last `n` segments.
    pub(super) fn without(&self, n: usize) -> Path {
        let keep = self.segments.len().saturating_sub(n);
        Path { segments: self.segments.iter().take(keep).cloned().collect(), verb: None }
    }

    /// All parameters, in order.
    pub(super) fn parameters(&self) -> Vec<&str> {
        self.segments
            .iter()
            .filter_map(|s| match s {
                Segment::Parameter(names) => Some(names),
                Segment::Literal(_) => None,
            })
            .flatten()
            .map(String::as_str)
            .collect()
    }

    /// Fixed parts that say something, in order; versions and prefixes left out. What a parameter
    /// follows, or nothing, is no prefix: `/services/{id}`.
    pub(super) fn words(&self) -> Vec<&str> {
        let before_literal = |i: usize| matches!(self.segments.get(i + 1), Some(Segment::Literal(_)));
        self.segments
            .iter()
            .enumerate()
            .filter_map(|(i, s)| match s {
                Segment::Literal(text) if is_version(text) || (is_prefix(text) && before_literal(i)) => None,
                Segment::Literal(text) => Some(text.as_str()),
                Segment::Parameter(_) => None,
            })
            .collect()
    }
}

/// Parts between slashes; a slash inside braces does not divide.
fn slices(template: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0usize);
    for (i, c) in template.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => {
                parts.push(template.get(start..i).unwrap_or_default());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(template.get(start..).unwrap_or_default());
    parts.into_iter().filter(|p| !p.is_empty()).collect()
}

fn segment(part: &str, verb: &mut Option<String>) -> Vec<Segment> {
    let mut part = part;
    // `/orders(.{format})`, `/orders.{ext}`.
    for mark in ["(.{", ".{"] {
        part = part.split_once(mark).map_or(part, |(before, _)| before);
    }
    for ending in [".json", ".xml", ".php", ".JSON"] {
        part = part.strip_suffix(ending).filter(|p| !p.is_empty()).unwrap_or(part);
    }
    // `{name}:cancel`, `documents:search`; but `{a}:{b}` are two parameters.
    if let Some((before, after)) = part.rsplit_once(':') {
        let plain = !after.is_empty() && after.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if plain && !before.is_empty() {
            *verb = Some(after.to_owned());
            part = before;
        }
    }
    let names = parameters(part);
    if names.is_empty() {
        return vec![Segment::Literal(part.to_owned())];
    }
    // OData: `Pets({id})`, `Pets('{id}')`.
    if let Some((head, tail)) = part.split_once('(')
        && tail.ends_with(')')
        && !head.is_empty()
        && !head.contains('{')
    {
        return vec![Segment::Literal(head.to_owned()), Segment::Parameter(names)];
    }
    vec![Segment::Parameter(names)]
}

fn parameters(part: &str) -> Vec<String> {
    part.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        // `{name=projects/*}`, `{+path}`, `{id:[0-9]+}`.
        .map(|(name, _)| {
            name.split(['=', ':'])
                .next()
                .unwrap_or(name)
                .trim_start_matches(['+', '*'])
                .trim_end_matches(['*', '?'])
        })
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn key_of(segment: &Segment) -> String {
    match segment {
        Segment::Parameter(_) => ANY.to_owned(),
        Segment::Literal(text) => word(text),
    }
}

/// A literal as it is compared: lower-case words, the last in singular.
pub(super) fn word(text: &str) -> String {
    let name = Name::new(text);
    let words: Vec<&str> = name.words().collect();
    match words.split_last() {
        Some((last, head)) => {
            head.iter().map(|w| (*w).to_owned()).chain([singular(last)]).collect::<Vec<_>>().join("_")
        }
        None => text.to_owned(),
    }
}

/// Whether a literal is a version: `v2`, `1.0`.
fn is_version(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let digits =
        |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '_');
    digits(&lower) || lower.strip_prefix('v').is_some_and(digits)
}

/// Whether a literal is a version or another prefix that names no resource.
pub(super) fn is_prefix(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    is_version(text)
        || matches!(
            lower.as_str(),
            "api"
                | "apis"
                | "rest"
                | "public"
                | "beta"
                | "latest"
                | "services"
                | "service"
                | "web"
                | "internal"
                | "json"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str) -> String {
        Path::parse(path).key().join("/")
    }

    #[test]
    fn paths_compare_across_styles() {
        assert_eq!(key("/pets/{petId}"), "pet/{}");
        assert_eq!(key("/pet/{id}/"), "pet/{}");
        assert_eq!(key("/Pets({id})"), "pet/{}");
        assert_eq!(key("/Pets('{id}')"), "pet/{}");
        assert_eq!(key("/line-items/{a}/sub_parts.json"), "line_item/{}/sub_part");
        assert_eq!(key("/pets/{id}.json"), "pet/{}");
        assert_eq!(key("/pets/{id}(.{format})"), "pet/{}");
        assert_eq!(key("/pets.{ext}"), "pet");
        assert_eq!(key(""), "");
    }

    #[test]
    fn verbs_and_parameters() {
        let path = Path::parse("/v1/{name=projects/*/topics/*}:publish");
        assert_eq!(path.verb.as_deref(), Some("publish"));
        assert_eq!(path.item(), Some(&["name".to_owned()][..]));
        let path = Path::parse("/forecast/{lat},{lon}");
        assert_eq!(path.parameters(), ["lat", "lon"]);
        assert_eq!(Path::parse("/a/{x}:{y}").parameters(), ["x", "y"]);
        assert_eq!(Path::parse("/docs:search").verb.as_deref(), Some("search"));
        assert_eq!(Path::parse("/api/v2.1/users/{id}").words(), ["users"]);
    }
}
