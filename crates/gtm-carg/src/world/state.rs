//! The state that a session starts from.

use super::values::{Context, code, sample, uuid};
use crate::domain::{Domain, Kindred, Member};
use crate::pack::Kind;
use crate::rng::Rng;
use gtm_world::cel::{Expr, Scope};
use gtm_world::{Budget, Limits, Map, Value};

/// Records of an entity that says nothing about their number, least and most.
const COUNT: [u32; 2] = [4, 12];
/// Attempts at a value that no other record has.
const ATTEMPTS: usize = 20;

/// Collections and singletons of the domain, in the pack's own names: an object.
pub fn initial_state(domain: &Domain, now: i64, rng: &mut Rng) -> Value {
    let mut state = Map::new();
    for kindred in domain.entities.values() {
        let [least, most] = kindred.entity.count.unwrap_or(COUNT);
        let count = rng.between(least.into(), most.into());
        let mut records = Map::new();
        // The collection is in place before it is full, so that records may refer to earlier ones.
        for at in 0..count {
            state.insert(kindred.collection.as_str(), Value::Map(records.clone()));
            let id = new_id(kindred, &records, at, rng);
            let record = record(domain, kindred, Some(id.clone()), &Value::Map(state.clone()), now, rng);
            if let (Some(key), Some(record)) = (id.as_key(), record) {
                records.insert(key, record);
            }
        }
        state.insert(kindred.collection.as_str(), Value::Map(records));
    }
    for kindred in domain.singletons.values() {
        let known = Value::Map(state.clone());
        if let Some(record) = record(domain, kindred, None, &known, now, rng) {
            state.insert(kindred.collection.as_str(), record);
        }
    }
    Value::Map(state)
}

fn new_id(kindred: &Kindred, records: &Map, at: i64, rng: &mut Rng) -> Value {
    match kindred.entity.id.as_deref() {
        None | Some("integer") => {
            let last = records.last().and_then(|(key, _)| key.parse::<i64>().ok());
            Value::Int(
                last.unwrap_or_else(|| if at == 0 && rng.chance(0.5) { 0 } else { rng.between(100, 9_000) })
                    + 1,
            )
        }
        Some("uuid") => Value::from(uuid(rng)),
        Some(pattern) => {
            let mut id = code(pattern, rng);
            for _ in 0..ATTEMPTS {
                if !records.contains_key(&id) {
                    break;
                }
                id = code(pattern, rng);
            }
            Value::from(id)
        }
    }
}

/// A record; `None` if something it must refer to does not exist.
fn record(
    domain: &Domain,
    kindred: &Kindred,
    id: Option<Value>,
    state: &Value,
    now: i64,
    rng: &mut Rng,
) -> Option<Value> {
    let mut record = Map::new();
    if let Some(id) = id {
        record.insert("id", id);
    }
    for (name, member) in &kindred.attributes {
        if !member.is_stored() || (member.optional && rng.chance(0.4)) {
            continue;
        }
        let value = value(domain, kindred, name, member, &record, state, now, rng);
        if value.is_null() {
            let needed = matches!(member.attribute.kind, Kind::Ref(_)) && !member.optional;
            if needed {
                return None;
            }
            continue;
        }
        record.insert(name.as_str(), value);
    }
    Some(Value::Map(record))
}

#[allow(clippy::too_many_arguments)] // One place in a record; every part is needed.
fn value(
    domain: &Domain,
    kindred: &Kindred,
    name: &str,
    member: &Member,
    record: &Map,
    state: &Value,
    now: i64,
    rng: &mut Rng,
) -> Value {
    // A default that follows from other members is what the record would have been given.
    if let Some(default) = &member.attribute.default
        && default.contains("args.")
        && let Some(value) = evaluate(domain, default, record, state, now)
    {
        return value;
    }
    let so_far = Value::Map(record.clone());
    let look_up = |entity: &str, id: &Value| {
        let collection = &domain.entities.get(entity)?.collection;
        state.get(collection)?.get(&id.as_key()?).cloned()
    };
    let some_id = |entity: &str, rng: &mut Rng| {
        let records = state.get(&domain.entities.get(entity)?.collection)?.as_map()?;
        records.values().nth(rng.below(records.len()))?.get("id").cloned()
    };
    let context = Context { domain, now, record: Some(&so_far), look_up: &look_up, some_id: &some_id };
    let mut value = sample(&member.attribute, &context, rng);
    if member.attribute.unique {
        let taken = |value: &Value| {
            let records = state.get(&kindred.collection).and_then(Value::as_map);
            records.is_some_and(|records| records.values().any(|other| other.get(name) == Some(value)))
        };
        for _ in 0..ATTEMPTS {
            if !taken(&value) {
                break;
            }
            value = sample(&member.attribute, &context, rng);
        }
    }
    value
}

/// A default's value, with the record so far as the arguments it was made from.
fn evaluate(domain: &Domain, default: &str, record: &Map, state: &Value, now: i64) -> Option<Value> {
    let expr = Expr::parse(default).ok()?;
    let mut scope = Scope::new(state.clone(), now);
    for (name, constant) in &domain.constants {
        scope.push(name.as_str().into(), constant.clone());
    }
    scope.push("args".into(), Value::Map(record.clone()));
    let value = expr.eval(&scope, &mut Budget::new(&Limits::default())).ok()?;
    (!value.is_null()).then_some(value)
}
