//! Free text from a pack's grammars, speaking of the record at hand.

use super::values::{Context, round_to};
use crate::domain::Domain;
use crate::rng::Rng;
use gtm_world::Value;

/// Texts inside texts.
const MAX_DEPTH: usize = 8;

/// A word of a lexicon.
pub(super) fn word<'d>(domain: &'d Domain, lexicon: &str, rng: &mut Rng) -> Option<&'d str> {
    domain.pack.lexicons.get(lexicon).and_then(|words| rng.try_pick(words)).map(String::as_str)
}

/// A text of a grammar.
pub(super) fn text(grammar: &str, context: &Context<'_>, rng: &mut Rng) -> String {
    let mut out = String::new();
    expand(grammar, context, rng, &mut out, 0);
    // A hole at the start of a sentence may be filled by a word in lower case.
    let mut chars = out.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => out,
    }
}

fn expand(grammar: &str, context: &Context<'_>, rng: &mut Rng, out: &mut String, depth: usize) {
    let Some(alternatives) = context.domain.pack.texts.get(grammar).filter(|_| depth < MAX_DEPTH) else {
        return;
    };
    // Alternatives that speak of what is not known are passed over.
    let sayable = |text: &&String| holes(text).all(|hole| !is_path(hole) || path(hole, context).is_some());
    let sayable: Vec<&String> = alternatives.iter().filter(sayable).collect();
    let Some(text) = rng.try_pick(&sayable).copied() else { return };
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((hole, after)) = after.split_once('}') else { break };
        fill(hole.trim(), context, rng, out, depth);
        rest = after;
    }
    out.push_str(rest);
}

fn holes(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(hole, _)| hole.trim())
}

fn is_path(hole: &str) -> bool {
    hole.contains('.') && !hole.contains("..")
}

fn fill(hole: &str, context: &Context<'_>, rng: &mut Rng, out: &mut String, depth: usize) {
    if let Some((low, high)) = hole.split_once("..") {
        if let (Ok(low), Ok(high)) = (low.parse::<f64>(), high.parse::<f64>()) {
            let decimals = |bound: &str| bound.split_once('.').map_or(0, |(_, digits)| digits.len() as i32);
            let digits = hole.split("..").map(decimals).max().unwrap_or(0);
            let x = low + rng.unit() * (high - low);
            match digits {
                0 => out.push_str(&rng.between(low as i64, high as i64).to_string()),
                _ => out.push_str(&round_to(x, digits).to_string()),
            }
        }
    } else if is_path(hole) {
        if let Some(value) = path(hole, context) {
            match value.as_str() {
                Some(text) => out.push_str(text),
                None => out.push_str(&value.to_json().to_string()),
            }
        }
    } else if let Some(word) = word(context.domain, hole, rng) {
        out.push_str(word);
    } else {
        expand(hole, context, rng, out, depth + 1);
    }
}

/// What `it.total` or `order.total` stands for: a member of the record, or of one that it refers to.
fn path(hole: &str, context: &Context<'_>) -> Option<Value> {
    let mut parts = hole.split('.');
    let head = parts.next()?;
    let record = context.record?;
    let start = match head {
        "it" | "args" => record.clone(),
        name => match record.get(name) {
            Some(inner @ Value::Map(_)) => inner.clone(),
            Some(id) => {
                let entity = reference(context.domain, name)?;
                (context.look_up)(entity, id)?
            }
            None => return None,
        },
    };
    let value = parts.try_fold(start, |value, part| value.get(part).cloned())?;
    (!value.is_null()).then_some(value)
}

/// The entity that an attribute of this name refers to.
fn reference<'d>(domain: &'d Domain, attribute: &str) -> Option<&'d str> {
    domain.entities.values().chain(domain.singletons.values()).find_map(|kindred| {
        match &kindred.attributes.get(attribute)?.attribute.kind {
            crate::pack::Kind::Ref(entity) => Some(entity.as_str()),
            _ => None,
        }
    })
}
