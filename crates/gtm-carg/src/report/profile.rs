//! What tools and replies are like, as distributions that two collections can be compared by.

use gtm_tool::ToolSpec;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trait {
    /// Parameters of a tool.
    Parameters,
    /// Words of a tool's description.
    Description,
    /// Levels of objects and lists in the parameters.
    Nesting,
    /// How the words of a tool's name are put together.
    NameStyle,
    /// Bytes of a successful reply.
    ReplySize,
    /// Whether calls fail.
    Errors,
}

impl Trait {
    /// All of them.
    pub const ALL: [Trait; 6] = [
        Trait::Parameters,
        Trait::Description,
        Trait::Nesting,
        Trait::NameStyle,
        Trait::ReplySize,
        Trait::Errors,
    ];

    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Trait::Parameters => "Parameters of a tool",
            Trait::Description => "Words of a description",
            Trait::Nesting => "Levels of parameters",
            Trait::NameStyle => "Style of names",
            Trait::ReplySize => "Bytes of a reply",
            Trait::Errors => "Outcome of calls",
        }
    }

    /// As a key in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Trait::Parameters => "parameters",
            Trait::Description => "description_words",
            Trait::Nesting => "nesting",
            Trait::NameStyle => "name_style",
            Trait::ReplySize => "reply_bytes",
            Trait::Errors => "errors",
        }
    }
}

/// How often what occurs. Keys sort as they are to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    counts: BTreeMap<Trait, BTreeMap<(u8, &'static str), u64>>,
}

/// Bounds of ranges, with their names.
const FEW: [(usize, &str); 8] =
    [(0, "0"), (1, "1"), (2, "2"), (3, "3"), (5, "4–5"), (8, "6–8"), (15, "9–15"), (usize::MAX, "16+")];
const WORDS: [(usize, &str); 8] = [
    (0, "none"),
    (4, "1–4"),
    (8, "5–8"),
    (15, "9–15"),
    (25, "16–25"),
    (45, "26–45"),
    (80, "46–80"),
    (usize::MAX, "81+"),
];
const BYTES: [(usize, &str); 8] = [
    (16, "–16"),
    (64, "–64"),
    (160, "–160"),
    (400, "–400"),
    (1_000, "–1 k"),
    (2_500, "–2.5 k"),
    (6_300, "–6.3 k"),
    (usize::MAX, "more"),
];

impl Profile {
    /// Takes a tool in.
    pub fn tool(&mut self, spec: &ToolSpec) {
        let parameters = spec.parameters.get("properties").and_then(Json::as_object);
        self.range(Trait::Parameters, parameters.map_or(0, serde_json::Map::len), &FEW);
        self.range(Trait::Description, spec.description.split_whitespace().count(), &WORDS);
        self.range(Trait::Nesting, levels(&spec.parameters, 0), &FEW);
        self.add(Trait::NameStyle, name_style(&spec.name));
    }

    /// Takes a reply in.
    pub fn reply(&mut self, response: &Json, failed: bool) {
        if !failed {
            self.range(Trait::ReplySize, response.to_string().len(), &BYTES);
        }
        self.add(Trait::Errors, if failed { (1, "failure") } else { (0, "success") });
    }

    /// Shares by range or kind, in order; empty if there is nothing.
    pub fn shares(&self, of: Trait) -> Vec<(&'static str, f64)> {
        let Some(counts) = self.counts.get(&of) else { return Vec::new() };
        let total: u64 = counts.values().sum();
        counts.iter().map(|((_, name), count)| (*name, *count as f64 / total as f64)).collect()
    }

    /// Names of all ranges and kinds that occur in either, in order.
    pub fn places(&self, other: &Profile, of: Trait) -> Vec<&'static str> {
        let both = [&self.counts, &other.counts].into_iter().filter_map(|counts| counts.get(&of));
        let mut places: Vec<(u8, &'static str)> = both.flat_map(|counts| counts.keys().copied()).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|(_, name)| name).collect()
    }

    fn range(&mut self, of: Trait, value: usize, ranges: &[(usize, &'static str)]) {
        if let Some(at) = ranges.iter().position(|(most, _)| value <= *most) {
            self.add(of, (at as u8, ranges[at].1));
        }
    }

    fn add(&mut self, of: Trait, place: (u8, &'static str)) {
        *self.counts.entry(of).or_default().entry(place).or_default() += 1;
    }
}

/// Jensen–Shannon divergence in bits: 0 for the same distribution, 1 for two that share nothing; `None` if one is empty.
pub fn divergence(a: &Profile, b: &Profile, of: Trait) -> Option<f64> {
    let (p, q) = (a.shares(of), b.shares(of));
    if p.is_empty() || q.is_empty() {
        return None;
    }
    let share = |shares: &[(&str, f64)], place: &str| {
        shares.iter().find(|(name, _)| *name == place).map_or(0.0, |(_, share)| *share)
    };
    let half = |x: f64, y: f64| if x > 0.0 { x * (2.0 * x / (x + y)).log2() } else { 0.0 };
    let sum: f64 = a
        .places(b, of)
        .into_iter()
        .map(|place| {
            let (x, y) = (share(&p, place), share(&q, place));
            (half(x, y) + half(y, x)) / 2.0
        })
        .sum();
    Some(sum.clamp(0.0, 1.0))
}

/// Levels of objects and lists below the parameters themselves; references are not followed.
fn levels(schema: &Json, depth: usize) -> usize {
    if depth > 32 {
        return depth;
    }
    let properties =
        schema.get("properties").and_then(Json::as_object).into_iter().flat_map(|all| all.values());
    properties
        .chain(schema.get("items"))
        .filter(|inner| inner.get("properties").is_some() || inner.get("items").is_some())
        .map(|inner| levels(inner, depth + 1))
        .max()
        .unwrap_or(depth)
}

/// How the words of a name are put together.
fn name_style(name: &str) -> (u8, &'static str) {
    let upper = name.contains(|c: char| c.is_ascii_uppercase());
    let lower = name.contains(|c: char| c.is_ascii_lowercase());
    let starts_upper = name.starts_with(|c: char| c.is_ascii_uppercase());
    match () {
        () if name.contains(' ') => (7, "with spaces"),
        () if name.contains('/') => (6, "with/slash"),
        () if name.contains('.') => (5, "with.dot"),
        () if name.contains('-') && name.contains('_') => (8, "mixed-of_both"),
        () if name.contains('-') => (3, "kebab-case"),
        () if name.contains('_') && upper && lower => (8, "mixed-of_both"),
        () if name.contains('_') => (0, "snake_case"),
        () if upper && lower && starts_upper => (2, "PascalCase"),
        () if upper && lower => (1, "camelCase"),
        () => (4, "oneword"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_is_near_and_the_unlike_far() {
        let spec =
            |name: &str, parameters: Json| ToolSpec { name: name.into(), parameters, ..ToolSpec::default() };
        let (mut a, mut b) = (Profile::default(), Profile::default());
        a.tool(&spec("get_order", json!({"properties": {"id": {}}})));
        b.tool(&spec("get_order", json!({"properties": {"id": {}}})));
        assert_eq!(divergence(&a, &b, Trait::NameStyle), Some(0.0));
        assert_eq!(divergence(&a, &b, Trait::ReplySize), None);
        let mut c = Profile::default();
        c.tool(&spec("getOrder", json!({"properties": {"a": {"items": {"properties": {}}}}})));
        assert_eq!(divergence(&a, &c, Trait::NameStyle), Some(1.0));
        assert_eq!(divergence(&a, &c, Trait::Parameters), Some(0.0));
        assert_eq!(c.shares(Trait::Nesting), [("2", 1.0)]);
    }
}
