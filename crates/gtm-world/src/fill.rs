//! Values that nothing determines.

use crate::Value;

/// A place in a reply or record that no expression determines and that needs a plausible value.
pub struct Slot<'a> {
    /// Name of the tool that is answering.
    pub tool: &'a str,
    /// Dotted path of the slot, array indices left out, such as `pets.name`; empty for a whole reply.
    pub path: &'a str,
    /// JSON Schema of the value; `{}` if nothing is known.
    pub schema: &'a serde_json::Value,
    /// Document that `$ref`s in `schema` point into.
    pub root: &'a serde_json::Value,
    /// Values already known for members of the slot, by name. They must appear unchanged wherever
    /// the schema has a member of that name at the slot's top level.
    pub known: Option<&'a Value>,
    /// Arguments of the call.
    pub args: &'a Value,
    /// Logical time, in seconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// The only source of variety: same slot, same seed, same value.
    pub seed: u64,
    /// How many rows to give a list that nothing else sizes.
    pub rows: usize,
}

/// Gives values for undetermined slots. Implementations must be pure: the value depends on the
/// slot alone, so that a session can be replayed to the byte.
pub trait Filler: Send + Sync {
    /// A value that satisfies the slot's schema as well as the filler can.
    fn fill(&self, slot: &Slot<'_>) -> Value;
}
