//! Values for undetermined slots, by rules.
//!
//! A value follows from its schema first (it must validate), then from what is given (known
//! members, arguments of the same name), then from published examples, and last from names and
//! descriptions: `email` is an address that fits the record's person, `total` is the length of the
//! list beside it. All variety comes from the slot's seed and the value's path.
//!
//! Cost is bounded in nodes and depth, whatever the schema is.

mod codes;
mod context;
mod echo;
mod facets;
mod fits;
mod kind;
mod make;
pub(crate) mod name;
mod noise;
mod noun;
mod number;
mod object;
mod pattern;
mod record;
mod relate;
mod shapeless;
mod text;
mod time;
mod words;

use facets::Facets;
use gtm_world::{Filler, Slot, Value};
use make::{Maker, Spot};
pub(crate) use name::Name;
use noise::Noise;
use record::Record;

/// Fills slots from their schema, their names and their descriptions.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleFiller;

impl Filler for RuleFiller {
    fn fill(&self, slot: &Slot<'_>) -> Value {
        let mut segments = slot.path.rsplit('.').filter(|s| !s.is_empty());
        let name = Name::new(segments.next().unwrap_or_default());
        let owner = Name::new(segments.next().unwrap_or_default());
        let of_owner = if slot.path == "args" { String::new() } else { noun::singular(&owner) };
        let noun = if of_owner.is_empty() { noun::of_tool(slot.tool) } else { of_owner };
        let noise = Noise::new(slot.seed).child(slot.path);
        // Members of one record that are filled one by one share the record's seed.
        let shared = match slot.path.rsplit_once('.') {
            Some((parent, _)) => Noise::new(slot.seed).child(parent),
            None => noise,
        };
        let record = Record { noise: shared, known: None, noun: &noun, members: &[] };
        let mut maker = Maker::new(slot, noun.clone());
        // A record of a collection is one of many, which must not all be the published example.
        let of_many = !slot.path.is_empty() && slot.args.as_map().is_none_or(|args| args.is_empty());
        maker.is_reply = !of_many;
        maker.fresh = of_many && slot.path.contains('.') && slot.known.is_none();
        let row = of_many.then(|| 1 + noise.clone().below(1_000));
        let spot = Spot {
            name: &name,
            kind: name.kind(),
            owner: &owner,
            noise,
            record,
            depth: 0,
            row,
            example: None,
            known: slot.known,
        };
        let facets = Facets::of(&[slot.schema], slot.root);
        if facets.says_nothing() && slot.path.is_empty() && facets.example.is_none() {
            return maker.shapeless(facets.description, spot);
        }
        maker.value(&[slot.schema], spot)
    }
}
