//! A reply foreseen from an earlier one: what the real tool said then, changed as our own reply has
//! changed since.
//!
//! Where our own reply was right, it is taken as it is now. Where it was not, the real one is, unless
//! ours has moved on by itself in a way that the arguments do not explain.

use super::swap::Swaps;
use gtm_world::{Map, Str, Value};
use std::collections::BTreeMap;

/// Levels of a reply that are compared member by member.
const MAX_DEPTH: usize = 8;
/// Rows of a list that are looked at for a pair of rows that show the same thing.
const MAX_ROWS: usize = 16;

/// What is known of two calls of one tool.
pub(crate) struct Transfer {
    /// What stands for the new call in place of the earlier one.
    swaps: Swaps,
    /// The same, and for our new reply in place of our earlier one.
    texts: Swaps,
    /// Both calls have the same arguments, so that they ask for the same thing.
    again: bool,
    /// How many real replies there are, and in how many of them each member occurs.
    seen: (usize, BTreeMap<Str, usize>),
}

impl Transfer {
    /// Of an earlier call, with what was foreseen then, to a new one, with what is foreseen now.
    /// `replies` are all that the tool is known to have given.
    pub(crate) fn new<'a>(
        old: (&str, &Value, &Value),
        new: (&str, &Value, &Value),
        replies: impl Iterator<Item = &'a Value>,
    ) -> Transfer {
        let swaps = Swaps::between((old.0, old.1), (new.0, new.1));
        let mut texts = swaps.clone();
        texts.values(old.2, new.2, 0);
        let mut seen = (0, BTreeMap::new());
        for map in replies.filter_map(Value::as_map) {
            seen.0 += 1;
            map.keys().for_each(|name| *seen.1.entry(name.clone()).or_default() += 1);
        }
        Transfer { swaps, texts, again: old.1 == new.1, seen }
    }

    /// The new reply: `real` and `old` are what the tool said and we foresaw then, `new` what we foresee now.
    pub(crate) fn reply(&self, real: &Value, old: &Value, new: &Value) -> Value {
        self.node(real, Some(old), Some(new), 0)
    }

    fn node(&self, real: &Value, old: Option<&Value>, new: Option<&Value>, depth: usize) -> Value {
        let (Some(old), Some(new)) = (old, new) else { return self.swaps.value(real) };
        if real == old {
            return new.clone();
        }
        if depth > MAX_DEPTH {
            return self.swaps.value(real);
        }
        match (real, old, new) {
            (Value::Map(r), Value::Map(o), Value::Map(n)) => self.object(r, o, n, depth),
            (Value::List(_), Value::List(_), Value::List(_)) if old == new => self.swaps.value(real),
            (Value::List(r), Value::List(o), Value::List(n)) => self.list((r, o, n), depth),
            (Value::Map(r), ..) => self.wrapped(r, old, new, depth),
            (Value::List(_), Value::Map(o), Value::Map(n)) => {
                // A list that we put into an object.
                let mut lists = o.iter().filter(|(_, v)| matches!(v, Value::List(_)));
                match (lists.next(), lists.next()) {
                    (Some((name, list)), None) => self.node(real, Some(list), n.get(name), depth + 1),
                    _ => self.swaps.value(real),
                }
            }
            (Value::List(r), Value::Map(_), _) | (Value::List(r), Value::Str(_), _) if r.len() == 1 => {
                let inner = r.get(0).map(|item| self.node(item, Some(old), Some(new), depth + 1));
                inner.into_iter().collect()
            }
            (Value::Str(text), Value::Str(o), Value::Str(n)) => {
                // Ours follows something else than the arguments, and so might the real one.
                let moved = o != n && self.swaps.apply(o) != **n;
                if moved && !self.texts.touches(text) {
                    return new.clone();
                }
                Value::from(self.texts.apply(text))
            }
            (Value::Str(text), ..) => Value::from(self.texts.apply(text)),
            _ if old == new => self.swaps.value(real),
            _ if std::mem::discriminant(real) == std::mem::discriminant(new) => new.clone(),
            _ => self.swaps.value(real),
        }
    }

    fn object(&self, real: &Map, old: &Map, new: &Map, depth: usize) -> Value {
        let shared = real.keys().filter(|name| old.contains_key(name)).count();
        // Objects with nothing in common are about different things: what we wrote may be inside.
        if shared == 0 && !old.is_empty() {
            return self.wrapped(real, &Value::Map(old.clone()), &Value::Map(new.clone()), depth);
        }
        // In how many of the real replies a member is; below the top nothing is known of it.
        let times = |name: &Str| self.seen.1.get(name).copied().filter(|_| depth == 0);
        let always = |name: &Str| self.again || times(name).is_none_or(|times| times == self.seen.0);
        let ever = |name: &Str| !self.again && times(name).is_some();
        let member = |name: &Str| -> Option<Value> {
            match (real.get(name), old.get(name), new.get(name)) {
                (Some(r), Some(o), Some(n)) => Some(self.node(r, Some(o), Some(n), depth + 1)),
                (Some(r), None, None) => always(name).then(|| self.swaps.value(r)),
                // Ours says that it is gone now, or that it is there now.
                (Some(_), Some(_), None) => None,
                (_, None, Some(n)) => Some(n.clone()),
                (None, Some(_), Some(n)) => ever(name).then(|| n.clone()),
                (None, ..) => None,
            }
        };
        let names = real.keys().chain(new.keys().filter(|name| !real.contains_key(name)));
        let members = names.filter_map(|name| Some((name.clone(), member(name)?)));
        Value::Map(members.collect())
    }

    /// A real object around what we give bare, or around something like it.
    fn wrapped(&self, real: &Map, old: &Value, new: &Value, depth: usize) -> Value {
        let alike = |value: &Value| match (value, old) {
            (Value::List(_), Value::List(_)) => true,
            (Value::Map(v), Value::Map(o)) => v.keys().any(|name| o.contains_key(name)),
            _ => value == old,
        };
        let members = real.iter().map(|(name, value)| {
            let value = match alike(value) {
                true => self.node(value, Some(old), Some(new), depth + 1),
                false => self.texts.value(value),
            };
            (name.clone(), value)
        });
        Value::Map(members.collect())
    }

    fn list(
        &self,
        (real, old, new): (&imbl::Vector<Value>, &imbl::Vector<Value>, &imbl::Vector<Value>),
        depth: usize,
    ) -> Value {
        let pair = closest(real, old);
        let row = |item: &Value| match pair {
            Some((r, o)) if matches!((r, item), (Value::Map(_), Value::Map(_))) => {
                self.shaped(r, o, item, depth)
            }
            _ => item.clone(),
        };
        if !self.again || real.is_empty() {
            return new.iter().map(row).collect();
        }
        // The same question: what ours lost is lost, what it gained is gained.
        let lost: Vec<&Value> = old.iter().filter(|item| !new.contains(item)).collect();
        let stays = |item: &&Value| !lost.iter().any(|gone| same_row(gone, item));
        let gained = new.iter().filter(|item| !old.contains(item) && !real.iter().any(|r| same_row(r, item)));
        // A row that ours changed is both lost and gained.
        let changed = |item: &Value| new.iter().find(|n| !old.contains(n) && same_row(n, item));
        let kept = real.iter().filter_map(|item| match changed(item) {
            Some(now) => {
                let before = old.iter().find(|o| same_row(o, item));
                Some(self.node(item, before, Some(now), depth + 1))
            }
            None => stays(&item).then(|| item.clone()),
        });
        kept.chain(gained.map(row)).collect()
    }

    /// One of our rows with the members that real rows have.
    fn shaped(&self, real: &Value, old: &Value, item: &Value, depth: usize) -> Value {
        let (Value::Map(r), Value::Map(o), Value::Map(i)) = (real, old, item) else { return item.clone() };
        let members = r.iter().filter_map(|(name, value)| {
            let value = match (o.get(name), i.get(name)) {
                (Some(o), Some(i)) if std::mem::discriminant(value) != std::mem::discriminant(o) => {
                    self.node(value, Some(o), Some(i), depth + 1)
                }
                (_, Some(i)) => i.clone(),
                // The real member shows a value that ours has under another name.
                (None, None) => {
                    let other = o.iter().find(|(_, v)| *v == value && v.as_key().is_some());
                    other.and_then(|(name, _)| i.get(name)).cloned().unwrap_or_else(|| value.clone())
                }
                (Some(_), None) => return None,
            };
            Some((name.clone(), value))
        });
        Value::Map(members.collect())
    }
}

/// The two rows that have most in common, one of each list.
fn closest<'a>(
    real: &'a imbl::Vector<Value>,
    old: &'a imbl::Vector<Value>,
) -> Option<(&'a Value, &'a Value)> {
    let mut best: Option<(usize, &Value, &Value)> = None;
    for r in real.iter().take(MAX_ROWS) {
        for o in old.iter().take(MAX_ROWS) {
            let score = in_common(r, o);
            if best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, r, o));
            }
        }
    }
    best.map(|(_, r, o)| (r, o))
}

fn in_common(a: &Value, b: &Value) -> usize {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => a.iter().filter(|(name, v)| b.get(name) == Some(v)).count(),
        _ => usize::from(a == b),
    }
}

/// Whether two rows show the same thing: they are equal, or their first member that names something is.
fn same_row(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(x), Value::Map(y)) => {
            let id = x.iter().find(|(name, v)| is_id(name) && v.as_key().is_some() && y.contains_key(name));
            id.map_or(a == b, |(name, v)| y.get(name) == Some(v))
        }
        _ => a == b,
    }
}

fn is_id(name: &str) -> bool {
    let plain = name.to_lowercase();
    plain == "id" || plain.ends_with("_id") || name.ends_with("Id") || name.ends_with("ID")
}
