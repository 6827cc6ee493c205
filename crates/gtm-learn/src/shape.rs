//! Which objects of the state hold records under keys that are data, and not members under names: their keys
//! differ from group to group.

use gtm_world::Value;
use std::collections::{HashMap, HashSet};

/// Deepest object that is looked at.
const MAX_DEPTH: usize = 8;
/// Most members of one state that are looked at, and keys of one object that are compared.
const MAX_MEMBERS: usize = 20_000;
const MAX_KEYS: usize = 500;

/// Places of objects whose keys are data. Keys that are data count as one step of a place.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    keyed: HashSet<Place>,
}

/// A place, as a hash of the names that lead to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place(u64);

impl Place {
    pub(crate) const ROOT: Place = Place(0);

    fn below(self, step: &str) -> Place {
        Place(gtm_world::seed::derive(self.0, &[step]))
    }
}

impl Shape {
    /// Compares states of different groups.
    pub(crate) fn of<'a>(states: impl Iterator<Item = (usize, &'a Value)>) -> Shape {
        let states: Vec<(usize, &Value)> = states.collect();
        let mut shape = Shape::default();
        // From the outside in: what is a key of data is known before what lies below.
        for depth in 0..MAX_DEPTH {
            let mut seen = Seen::default();
            for (group, state) in &states {
                let mut left = MAX_MEMBERS;
                shape.note(*group, state, Place::ROOT, depth, &mut left, &mut seen);
            }
            if seen.is_empty() {
                break;
            }
            shape.keyed.extend(seen.into_iter().filter(|(_, groups)| differ(groups)).map(|(place, _)| place));
        }
        // The state itself is an object with members.
        shape.keyed.remove(&Place::ROOT);
        shape
    }

    /// Notes the keys of the objects so many levels down.
    fn note(
        &self,
        group: usize,
        value: &Value,
        place: Place,
        depth: usize,
        left: &mut usize,
        seen: &mut Seen,
    ) {
        let children: Vec<(Place, &Value)> = match value {
            Value::Map(map) if depth == 0 => {
                let keys = seen.entry(place).or_default().entry(group).or_default();
                keys.extend(map.keys().take(MAX_KEYS.saturating_sub(keys.len())).map(|k| k.to_string()));
                return;
            }
            Value::Map(map) => map.iter().map(|(key, value)| (self.below(place, key), value)).collect(),
            Value::List(list) if depth > 0 => list.iter().map(|value| (place.below("[]"), value)).collect(),
            _ => return,
        };
        for (place, child) in children {
            if *left == 0 {
                return;
            }
            *left -= 1;
            self.note(group, child, place, depth - 1, left, seen);
        }
    }

    /// The place of a member.
    pub(crate) fn below(&self, place: Place, key: &str) -> Place {
        place.below(if self.is_keyed(place) { "*" } else { key })
    }

    /// The place of an item of a list.
    pub(crate) fn item(&self, place: Place) -> Place {
        place.below("[]")
    }

    /// Whether the keys of the object at this place are data.
    pub(crate) fn is_keyed(&self, place: Place) -> bool {
        self.keyed.contains(&place)
    }
}

/// Keys of objects, by place and group.
type Seen = HashMap<Place, HashMap<usize, HashSet<String>>>;

/// Whether groups have less than half of their keys in common.
fn differ(groups: &HashMap<usize, HashSet<String>>) -> bool {
    let filled: Vec<&HashSet<String>> = groups.values().filter(|keys| !keys.is_empty()).collect();
    let Some((first, rest)) = filled.split_first() else { return false };
    let all: HashSet<&String> = filled.iter().flat_map(|keys| keys.iter()).collect();
    let common = first.iter().filter(|key| rest.iter().all(|keys| keys.contains(*key))).count();
    !rest.is_empty() && common * 2 < all.len()
}
