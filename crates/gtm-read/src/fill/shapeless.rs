//! Replies of tools whose schema says nothing about them.

use super::make::{Maker, Spot};
use super::name::Name;
use super::text::mentions;
use gtm_world::{Map, Value};

impl<'a> Maker<'a> {
    /// A small honest reply: that it worked, and what the call was about.
    pub(super) fn shapeless(&mut self, description: &str, spot: Spot<'_>) -> Value {
        if let Some(known) = self.slot.known {
            return known.clone();
        }
        let tool = Name::new(self.slot.tool);
        let reads = matches!(
            tool.first(),
            "get" | "list" | "search" | "find" | "fetch" | "read" | "query" | "lookup" | "show" | "describe" | "retrieve" | "browse"
        );
        let asks = matches!(tool.first(), "is" | "has" | "check" | "can" | "validate" | "verify" | "exists");
        let mut out = Map::new();
        if asks || mentions(description, &["true if", "whether"]) {
            out.insert("result", Value::Bool(spot.noise.clone().chance(80)));
        } else {
            out.insert("status", Value::from("success"));
        }
        for (name, value) in self.echo.scalars().take(6) {
            // The argument's own spelling is gone from the normalised name; snake case is the commonest.
            let key = name.words().collect::<Vec<_>>().join("_");
            if !key.is_empty() && !out.contains_key(&key) {
                out.insert(key, value.clone());
            }
        }
        if reads && !self.noun.is_empty() && out.len() <= 1 {
            out.insert("message", Value::from(format!("No further details about {} are declared.", self.noun)));
        }
        Value::Map(out)
    }
}
