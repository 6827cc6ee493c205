//! Ids of new records, in the style of the collection.

use super::{Run, Step};
use crate::behavior::IdStyle;
use crate::compile::Within;
use crate::place::{self, Path};
use crate::world::Book;
use crate::{ErrorKind, Slot, Str, ToolError, Value, schema, seed};

/// Ids tried before giving up. A pattern whose ids are all taken gets longer on the way.
const ATTEMPTS: u64 = 1_000;
/// Ids of one length that are tried before a pattern gets one place more.
const PER_LENGTH: u64 = 200;
/// Most digits of ids that are taken to be counted on from a single one.
const COUNTED_DIGITS: usize = 3;

/// How the ids of a collection go on.
enum Style {
    Known(IdStyle),
    /// A prefix and a number, which has at least so many digits: `n7`, `INV-00042`.
    Counted {
        prefix: String,
        digits: usize,
        last: i64,
    },
}

/// A fresh id for a collection.
pub(super) fn next(run: &mut Run<'_>, within: &Within, container: &Path) -> Step<Value> {
    let pointer = place::pointer(container);
    let held = place::read(run.world.state(), container).cloned();
    let style = within
        .info
        .ids
        .clone()
        .map(Style::Known)
        .or_else(|| like_present(within, held.as_ref()))
        .or_else(|| from_schema(within).map(Style::Known));
    let issued = run.world.book(Book::Counter, &pointer, "").and_then(Value::as_i64);
    let largest =
        || held.as_ref().and_then(|held| last_id(within, held)).and_then(|id| id.parse::<i64>().ok());
    for attempt in 0..ATTEMPTS {
        let step = attempt as i64;
        let (id, counter) = match &style {
            Some(Style::Known(known @ (IdStyle::Integer(start) | IdStyle::IntegerText(start)))) => {
                let after = issued.or_else(largest).map_or(*start, |n| n.saturating_add(1)).max(*start);
                let number = after.saturating_add(step);
                let text = matches!(known, IdStyle::IntegerText(_));
                (if text { Value::from(number.to_string()) } else { Value::Int(number) }, number)
            }
            Some(Style::Known(known)) => {
                let counter = issued.unwrap_or(0).saturating_add(1 + step);
                let longer = (attempt / PER_LENGTH) as usize;
                (varied(known, run.world.seed(), &pointer, counter, longer), counter)
            }
            Some(Style::Counted { prefix, digits, last }) => {
                let number = issued.unwrap_or(*last).max(*last).saturating_add(1 + step);
                (Value::from(format!("{prefix}{number:0digits$}")), number)
            }
            None => {
                let counter = issued.unwrap_or(0).saturating_add(1 + step);
                (filled(run, within, &pointer, counter), counter)
            }
        };
        let Some(key) = id.as_key() else { break };
        let taken = super::record::locate(within, held.as_ref(), &key, &mut run.budget)?.is_some()
            || run.world.book(Book::Deleted, &pointer, &key).is_some();
        if !taken {
            run.world.note(Book::Counter, &pointer, "", Value::Int(counter));
            return Ok(id);
        }
    }
    Err(ToolError::new(ErrorKind::Internal, format!("no free id left in {}", within.info.name)))
}

/// The id as its schema types it: `"12"` becomes 12 where the id member is an integer.
pub(super) fn typed(within: &Within, key: &Str, id: Value) -> Value {
    let Some(schema) = id_schema(within) else { return id };
    match (&id, key.parse::<i64>()) {
        (Value::Str(_), Ok(number)) if !schema::allows_type(within_root(within), schema, "string") => {
            Value::Int(number)
        }
        (Value::Int(_), _)
            if !schema::allows_type(within_root(within), schema, "integer")
                && !schema::allows_type(within_root(within), schema, "number") =>
        {
            Value::Str(key.clone())
        }
        _ => id,
    }
}

fn within_root(within: &Within) -> &serde_json::Value {
    within.info.schema.as_deref().unwrap_or(&serde_json::Value::Bool(true))
}

fn id_schema(within: &Within) -> Option<&serde_json::Value> {
    let root = within.info.schema.as_deref()?;
    schema::member(root, root, within.info.id.as_deref()?)
}

fn from_schema(within: &Within) -> Option<IdStyle> {
    let Some(schema) = id_schema(within) else { return Some(IdStyle::IntegerText(1)) };
    let root = within_root(within);
    let schema = schema::resolve(root, schema);
    if schema.get("format").and_then(|f| f.as_str()) == Some("uuid") {
        Some(IdStyle::Uuid(true))
    } else if !schema::allows_type(root, schema, "string") {
        Some(IdStyle::Integer(1))
    } else {
        None
    }
}

/// The style of the ids already there, told by the first and the last.
fn like_present(within: &Within, held: Option<&Value>) -> Option<Style> {
    let held = held?;
    let last = last_id(within, held)?;
    let member = within.info.id.as_deref().unwrap_or("id");
    let record = match held {
        Value::Map(map) => map.last()?.1.clone(),
        Value::List(list) => list.last()?.clone(),
        _ => return None,
    };
    if matches!(record.get(member), Some(Value::Int(_))) {
        return Some(Style::Known(IdStyle::Integer(1)));
    }
    if last.parse::<i64>().is_ok() {
        return Some(Style::Known(IdStyle::IntegerText(1)));
    }
    if last.len() == 36 && last.split('-').map(str::len).eq([8, 4, 4, 4, 12]) {
        return Some(Style::Known(IdStyle::Uuid(true)));
    }
    let pattern = || last.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
    counted(within, held, &last).or_else(|| {
        last.contains(|c: char| c.is_ascii_digit()).then(|| Style::Known(IdStyle::Pattern(pattern())))
    })
}

/// Whether ids are counted up: from the first to the last there are about as many numbers as
/// records; or there is one record, and its number is short or filled up with zeros, as no number
/// drawn at random is.
fn counted(within: &Within, held: &Value, last: &str) -> Option<Style> {
    let (prefix, number) = numbered(last)?;
    let value: i64 = number.parse().ok()?;
    let member = within.info.id.as_deref().unwrap_or("id");
    let (records, first) = match held {
        Value::Map(map) => {
            let (key, record) = map.first()?;
            (map.len(), record.get(member).and_then(Value::as_key).unwrap_or_else(|| key.clone()))
        }
        Value::List(list) => (list.len(), list.front()?.get(member)?.as_key()?),
        _ => return None,
    };
    let counted = if records == 1 {
        number.len() <= COUNTED_DIGITS || number.starts_with('0')
    } else {
        let (other, from) = numbered(&first)?;
        let spanned = value.checked_sub(from.parse().ok()?)?;
        let steps = records as i64 - 1;
        other == prefix && (steps..=2 * steps).contains(&spanned)
    };
    counted.then(|| Style::Counted { prefix: prefix.to_owned(), digits: number.len(), last: value })
}

/// An id as what comes before its last digits, and these.
fn numbered(id: &str) -> Option<(&str, &str)> {
    let prefix = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &id[prefix.len()..];
    (!number.is_empty() && !prefix.is_empty()).then_some((prefix, number))
}

fn last_id(within: &Within, held: &Value) -> Option<Str> {
    let member = within.info.id.as_deref().unwrap_or("id");
    match held {
        Value::Map(map) => {
            let (key, record) = map.last()?;
            Some(record.get(member).and_then(Value::as_key).unwrap_or_else(|| key.clone()))
        }
        Value::List(list) => list.last()?.get(member)?.as_key(),
        _ => None,
    }
}

/// The `counter`-th id of a style that is not a plain number, by so many places longer than the style says.
fn varied(style: &IdStyle, world: u64, pointer: &str, counter: i64, longer: usize) -> Value {
    let mut bits = seed::derive(world, &["id", pointer, &counter.to_string()]);
    let mut digit = |base: u64| {
        bits = seed::mix(bits);
        char::from_digit((bits % base) as u32, base as u32).unwrap_or('0')
    };
    let pattern = match style {
        IdStyle::Pattern(pattern) => pattern.as_str(),
        // Version 4, variant 1 (RFC 9562).
        _ => "????????-????-4???-a???-????????????",
    };
    let mut first = true;
    // One more of the last place that varies; a pattern without any gets digits at its end.
    let end = pattern.rfind(['#', '?']).map_or(pattern.len(), |at| at + 1);
    let more = pattern[..end].chars().next_back().filter(|c| "#?".contains(*c)).unwrap_or('#');
    let text: String = pattern[..end]
        .chars()
        .chain(std::iter::repeat_n(more, longer))
        .chain(pattern[end..].chars())
        .map(|c| match c {
            // No leading zero: many services treat such ids as numbers.
            '#' => {
                let d = if first {
                    char::from_digit(1 + digit(9).to_digit(10).unwrap_or(0), 10).unwrap_or('1')
                } else {
                    digit(10)
                };
                first = false;
                d
            }
            '?' => digit(16),
            c => c,
        })
        .collect();
    Value::from(text)
}

/// An id made by the filler from the id's own schema.
fn filled(run: &Run<'_>, within: &Within, pointer: &str, counter: i64) -> Value {
    let root = within_root(within);
    let schema = id_schema(within).unwrap_or(&serde_json::Value::Bool(true));
    let name = within.info.id.as_deref().unwrap_or("id");
    let value = run.slots.filler.fill(&Slot {
        tool: &run.program.tool,
        path: &format!("{}.{name}", within.info.name),
        schema,
        root,
        known: None,
        args: &Value::map(),
        now: run.world.now(),
        seed: seed::derive(run.world.seed(), &["id", pointer, &counter.to_string()]),
        rows: 1,
    });
    match value.as_key() {
        Some(key) if !key.is_empty() => value,
        _ => varied(&IdStyle::Uuid(true), run.world.seed(), pointer, counter, 0),
    }
}
