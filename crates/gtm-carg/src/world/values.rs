//! One value of an attribute.

use super::{common, grammar};
use crate::domain::Domain;
use crate::pack::{Attribute, Kind, Range, Spread};
use crate::rng::Rng;
use gtm_world::{Map, Value, seed};

/// What a value may depend on besides its attribute.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The domain.
    pub domain: &'c Domain,
    /// Time, in seconds since 1970.
    pub now: i64,
    /// The record that the value belongs to or speaks of, as far as it is known, in the pack's own names.
    pub record: Option<&'c Value>,
    /// Finds the record of an id: entity, id.
    pub look_up: &'c dyn Fn(&str, &Value) -> Option<Value>,
    /// Gives the id of some record of an entity; `None` if there is none.
    pub some_id: &'c dyn Fn(&str, &mut Rng) -> Option<Value>,
}

/// A value of the attribute's kind, in its range. Null for a reference to an entity without records.
pub fn sample(attribute: &Attribute, context: &Context<'_>, rng: &mut Rng) -> Value {
    let Some([least, most]) = attribute.list else { return one(attribute, context, rng) };
    let count = rng.between(least.into(), most.into());
    let mut items: Vec<Value> = Vec::new();
    for _ in 0..count {
        let item = one(attribute, context, rng);
        // Lists of words and references are sets; lists of numbers may repeat.
        let is_set = matches!(attribute.kind, Kind::Word(_) | Kind::Enum(_) | Kind::Ref(_));
        if !item.is_null() && !(is_set && items.contains(&item)) {
            items.push(item);
        }
    }
    items.into_iter().collect()
}

fn one(attribute: &Attribute, context: &Context<'_>, rng: &mut Rng) -> Value {
    match &attribute.kind {
        Kind::Int(range) => Value::Int(spread(range, attribute.spread, rng).round() as i64),
        Kind::Number(range) => number(range, attribute.spread, rng),
        Kind::Money(range) => {
            let range = Range { decimals: range.decimals.or(Some(2)), ..*range };
            number(&range, attribute.spread, rng)
        }
        Kind::Bool(p) => Value::Bool(rng.chance(*p)),
        Kind::Enum(words) => match words.get(rng.weighted(words.iter().map(|(_, weight)| *weight))) {
            Some((word, _)) => Value::from(word.as_str()),
            None => Value::Null,
        },
        Kind::Word(lexicon) => grammar::word(context.domain, lexicon, rng).map_or(Value::Null, Value::from),
        Kind::Text(grammar) => Value::from(grammar::text(grammar, context, rng)),
        Kind::Ref(entity) => (context.some_id)(entity, rng).unwrap_or_default(),
        Kind::Code(pattern) => Value::from(code(pattern, rng)),
        Kind::Date(range) => {
            let base = if range.absolute { 0 } else { context.now.div_euclid(86_400) };
            let days = base + rng.between(range.low as i64, range.high as i64);
            Value::from(common::date(days))
        }
        Kind::Time(range) => {
            let base = if range.absolute { 0 } else { context.now };
            let seconds = base + rng.between(range.low as i64, range.high as i64);
            // People and schedules use round times; machines do not. Offsets over a day are mostly of people.
            let step = if range.high - range.low > 172_800.0 { 300 } else { 1 };
            Value::from(common::time(seconds.div_euclid(step) * step))
        }
        Kind::Common(semantic) => common::value(*semantic, context.record, rng),
        Kind::Fields(fields) => {
            let mut map = Map::new();
            for (name, field) in fields {
                if name.ends_with('?') && rng.chance(0.4) {
                    continue;
                }
                map.insert(name.trim_end_matches('?'), sample(field, context, rng));
            }
            Value::Map(map)
        }
        Kind::Computed => Value::Null,
    }
}

fn spread(range: &Range, spread: Spread, rng: &mut Rng) -> f64 {
    let (low, high) = (range.low, range.high);
    match spread {
        Spread::Log if low > 0.0 => (low.ln() + rng.unit() * (high.ln() - low.ln())).exp(),
        // A range that starts at 0 has no logarithm; the square makes small values as frequent as wanted.
        Spread::Log => low + rng.unit().powi(3) * (high - low),
        Spread::Even => low + rng.unit() * (high - low),
        // The mean of four is close enough to a bell, and never leaves the range.
        Spread::Normal => low + (0..4).map(|_| rng.unit()).sum::<f64>() / 4.0 * (high - low),
    }
    .clamp(low, high)
}

fn number(range: &Range, how: Spread, rng: &mut Rng) -> Value {
    let x = spread(range, how, rng);
    let rounded = match range.decimals {
        Some(0) if range.high - range.low < 50.0 && range.high - range.low > 0.0 => round_to(x, 2),
        Some(decimals) => round_to(x, decimals.into()),
        None => significant(x, 4),
    };
    let x = rounded.clamp(range.low, range.high);
    match range.decimals {
        Some(0) if x.fract() == 0.0 => Value::Int(x as i64),
        _ => Value::float(x),
    }
}

/// `x` to so many decimals.
pub(crate) fn round_to(x: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    let rounded = (x * scale).round() / scale;
    if rounded.is_finite() { rounded } else { x }
}

/// `x` to so many significant digits.
fn significant(x: f64, digits: i32) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    // Through text: powers of ten beyond 10^22 are not exact, and printed digits should be the ones meant.
    format!("{x:.*e}", (digits - 1) as usize).parse().unwrap_or(x)
}

/// Text of a pattern: `#` digit, `?` hexadecimal digit, `@` capital letter.
pub(crate) fn code(pattern: &str, rng: &mut Rng) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
    pattern
        .chars()
        .map(|c| match c {
            '#' => char::from(b'0' + rng.below(10) as u8),
            '?' => char::from(b"0123456789abcdef"[rng.below(16)]),
            '@' => char::from(LETTERS[rng.below(LETTERS.len())]),
            other => other,
        })
        .collect()
}

/// A UUID of version 4.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    let (a, b) = (rng.bits(), seed::mix(rng.bits()));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        8 + (b >> 62),
        (b >> 48) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}
