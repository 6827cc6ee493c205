//! Every admission limit, in one place.

use serde::{Deserialize, Serialize};

/// Limits on what tool specs may hold. Specs are untrusted: each limit is checked before the work
/// that it bounds is done. A toolset may override any of them; what is absent keeps its default.
///
/// The table in `docs/limits.md` gives the same defaults with the reasons; a test compares them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one document, after decompression. Cost: about 15 times as much memory while it
    /// is imported. Default 16 MiB.
    pub document_bytes: usize,
    /// JSON values (objects, arrays, scalars) in one document. Cost: up to 150 bytes of memory
    /// each. Default 2,000,000.
    pub document_nodes: usize,
    /// Values that YAML aliases (`*name`) may add to one document by repetition. Cost: as
    /// `document_nodes`. Default 50,000.
    pub alias_nodes: usize,
    /// Nesting of a document or schema. Cost: stack, about 2 KiB a level in the deepest reader;
    /// more than 128 has no effect. Default 128.
    pub depth: usize,
    /// Tools of one document. Cost: a few KiB of memory each. Default 20,000.
    pub tools: usize,
    /// Bytes of one line of a JSON Lines document. Default 4 MiB.
    pub line_bytes: usize,
    /// Bytes of one schema, counted over its keys and strings plus 8 a value. Default 4 MiB.
    pub schema_bytes: usize,
    /// JSON values in one schema. Cost: about 1 µs each to compile. Default 100,000.
    pub schema_nodes: usize,
    /// Most schemas that one value can be checked against, following every `$ref`. It is what
    /// nested `allOf: [ref, ref]` doubles at each level. Cost: about 10 ns each per value checked.
    /// Default 100,000.
    pub schema_cost: u64,
    /// Values of one `enum`. Cost: compared one after the other. Default 10,000.
    pub enum_values: usize,
    /// Properties of one object schema. Default 5,000.
    pub properties: usize,
    /// Bytes of one regular expression. Default 4,096.
    pub pattern_bytes: usize,
    /// Memory of one compiled regular expression in bytes; one that needs more is not checked.
    /// Default 1 MiB.
    pub pattern_memory: usize,
    /// JSON values that one tool's `$defs` may hold; definitions beyond, farthest first, are left
    /// open (`{}`). Cost: about 350 bytes of memory each, for each tool. Default 20,000.
    pub defs_nodes: usize,
    /// JSON values in the `$defs` of all tools of a document together; the more tools share it
    /// the less each may hold, but never less than 200. Default 500,000.
    pub total_defs_nodes: usize,
    /// Bytes of a tool's description; longer ones are cut. Default 16 KiB.
    pub description_bytes: usize,
    /// Characters of a tool's name as given; a tool with a longer one is left out. Names that
    /// GTM makes from operation ids hold at most 64. Default 256.
    pub name_chars: usize,
    /// Published examples kept for one tool. Default 16.
    pub examples: usize,
    /// Bytes of one published example, as JSON; larger ones are left out. Default 256 KiB.
    pub example_bytes: usize,
}

impl Limits {
    /// `depth` as it takes effect: the JSON reader itself stops at 128.
    pub(crate) fn effective_depth(&self) -> usize {
        self.depth.min(128)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 16 << 20,
            document_nodes: 2_000_000,
            alias_nodes: 50_000,
            depth: 128,
            tools: 20_000,
            line_bytes: 4 << 20,
            schema_bytes: 4 << 20,
            schema_nodes: 100_000,
            schema_cost: 100_000,
            enum_values: 10_000,
            properties: 5_000,
            pattern_bytes: 4_096,
            pattern_memory: 1 << 20,
            defs_nodes: 20_000,
            total_defs_nodes: 500_000,
            description_bytes: 16 << 10,
            name_chars: 256,
            examples: 16,
            example_bytes: 256 << 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn the_documented_table_gives_the_defaults() {
        let page = include_str!("../../../docs/limits.md");
        let documented: Vec<(String, u64)> = page
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
                Some((cells.next()?.trim_end_matches('`').to_owned(), cells.next()?.parse().ok()?))
            })
            .collect();
        let defaults = serde_json::to_value(Limits::default()).unwrap();
        let actual: Vec<(String, u64)> =
            defaults.as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.as_u64().unwrap())).collect();
        assert_eq!(documented, actual);
    }

    #[test]
    fn absent_keys_keep_their_defaults_and_unknown_ones_are_refused() {
        let limits: Limits = serde_json::from_str("{\"tools\": 5}").unwrap();
        assert_eq!(limits, Limits { tools: 5, ..Limits::default() });
        assert!(serde_json::from_str::<Limits>("{\"tool\": 5}").is_err());
    }
}
