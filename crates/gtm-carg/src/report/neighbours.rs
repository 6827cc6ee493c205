//! How near each tool is to the nearest of a collection of others.

use gtm_tool::ToolSpec;
use gtm_world::seed;
use serde_json::Value as Json;

/// Hash functions of a sketch.
const HASHES: usize = 64;
/// Most tools of the collection that are compared with.
const MOST: usize = 20_000;

/// MinHash of the words in name, description and parameters of a tool.
type Sketch = [u32; HASHES];

/// A collection of tools; of more than [`MOST`], an even sample that does not depend on their order.
#[derive(Default)]
pub(super) struct Neighbours {
    known: Vec<(u64, Sketch, String)>,
}

impl Neighbours {
    pub(super) fn add(&mut self, spec: &ToolSpec) {
        let rank = seed::derive(3, &[&spec.origin.api, &spec.name, &spec.description]);
        self.known.push((rank, sketch(spec), spec.name.clone()));
        if self.known.len() >= 2 * MOST {
            self.settle();
        }
    }

    /// Keeps those of the least rank.
    pub(super) fn settle(&mut self) {
        self.known.sort_unstable_by_key(|(rank, ..)| *rank);
        self.known.truncate(MOST);
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Distance to the nearest, from 0 (the same words) to 1 (none in common), and its name.
    pub(super) fn nearest(&self, spec: &ToolSpec) -> Option<(f64, &str)> {
        let own = sketch(spec);
        self.known
            .iter()
            .map(|(_, other, name)| (own.iter().zip(other).filter(|(a, b)| a == b).count(), name.as_str()))
            .max_by_key(|(same, _)| *same)
            .map(|(same, name)| (1.0 - same as f64 / HASHES as f64, name))
    }
}

fn sketch(spec: &ToolSpec) -> Sketch {
    let mut least = [u32::MAX; HASHES];
    let mut word = |word: &str| {
        let base = seed::derive(1, &[&word.to_lowercase()]);
        for (at, slot) in least.iter_mut().enumerate() {
            let mixed = seed::mix(base ^ (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            *slot = (*slot).min((mixed >> 32) as u32);
        }
    };
    words(&spec.name, &mut word);
    words(&spec.description, &mut word);
    for (name, schema) in spec.parameters.get("properties").and_then(Json::as_object).into_iter().flatten() {
        words(name, &mut word);
        words(schema.get("description").and_then(Json::as_str).unwrap_or_default(), &mut word);
    }
    least
}

/// Words of a text or name; `unitPrice` has two.
fn words(text: &str, each: &mut impl FnMut(&str)) {
    for part in text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        let mut start = 0;
        let mut before = false;
        for (at, c) in part.char_indices() {
            if c.is_uppercase() && before {
                each(&part[start..at]);
                start = at;
            }
            before = c.is_lowercase();
        }
        each(&part[start..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_the_one_of_like_words() {
        let spec = |name: &str, about: &str| ToolSpec {
            name: name.into(),
            description: about.into(),
            ..ToolSpec::default()
        };
        let mut all = Neighbours::default();
        all.add(&spec("cancelOrder", "Cancels an order of a customer"));
        all.add(&spec("get_weather", "Weather at a place"));
        let (distance, name) = all.nearest(&spec("cancel_order", "Cancels an order of a customer")).unwrap();
        assert_eq!((distance, name), (0.0, "cancelOrder"));
        let (far, _) = all.nearest(&spec("rotate_arm", "Turns joint by degrees")).unwrap();
        assert!(far > 0.8, "{far}");
    }
}
