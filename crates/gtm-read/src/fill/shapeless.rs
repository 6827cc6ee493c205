//! Replies of tools whose schema says nothing about them.

use super::codes::mentions;
use super::kind::Kind;
use super::make::{Maker, Spot};
use super::name::Name;
use super::record::Record;
use gtm_world::{Map, Value};
use serde_json::Value as Json;

/// A schema that allows anything.
static ANYTHING: Json = Json::Bool(true);

/// Whether values of this kind are what a tool named after them gives.
fn is_value(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Money
            | Kind::Temperature
            | Kind::Humidity
            | Kind::Speed
            | Kind::Pressure
            | Kind::Percent
            | Kind::Rating
            | Kind::Score
            | Kind::Ratio
            | Kind::Weight
            | Kind::Length
            | Kind::Age
            | Kind::Zone
            | Kind::Currency
            | Kind::Email
            | Kind::Phone
            | Kind::Url
            | Kind::Address
            | Kind::Version
            | Kind::Sky
    )
}

impl<'a> Maker<'a> {
    /// A small honest reply: that it worked, and what the call was about.
    pub(super) fn shapeless(&mut self, description: &str, spot: Spot<'_>) -> Value {
        if let Some(known) = self.slot.known {
            return known.clone();
        }
        let tool = Name::new(self.slot.tool);
        let reads = matches!(
            tool.first(),
            "get"
                | "list"
                | "search"
                | "find"
                | "fetch"
                | "read"
                | "query"
                | "lookup"
                | "show"
                | "describe"
                | "retrieve"
                | "browse"
        );
        let asks = matches!(tool.first(), "is" | "has" | "check" | "can" | "validate" | "verify" | "exists");
        let mut out = Map::new();
        if asks || mentions(description, &["true if", "whether"]) {
            out.insert("result", Value::Bool(spot.noise.clone().chance(80)));
        } else {
            out.insert("status", Value::from("success"));
        }
        for (name, value) in self.echo.scalars().take(6) {
            if !out.contains_key(name) {
                out.insert(name, value.clone());
            }
        }
        // `get_stock_price`: the noun itself says what is wanted.
        let noun = Name::new(&self.noun);
        if (reads || tool.first() == "estimate") && self.noun.len() < 40 && is_value(noun.kind()) {
            let known = Record { noise: spot.noise, known: None, noun: "", members: &[] };
            let at = Spot { name: &noun, kind: noun.kind(), record: known, depth: 1, ..spot };
            let key = noun.words().collect::<Vec<_>>().join("_");
            let value = self.value(&[&ANYTHING], at);
            out.insert(key, value);
            return Value::Map(out);
        }
        if reads && !self.noun.is_empty() && out.len() <= 1 {
            out.insert(
                "message",
                Value::from(format!("No further details about {} are declared.", self.noun)),
            );
        }
        Value::Map(out)
    }
}
