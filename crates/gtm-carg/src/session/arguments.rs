//! Arguments for a call: values that make sense in the world as it is.

use crate::domain::Kindred;
use crate::pack::{Attribute, Kind, Range, Semantic};
use crate::rng::Rng;
use crate::style::{DressedParam, Names};
use crate::tools::{ParamRole, RUNS};
use crate::world::{Context, sample};
use gtm_world::{Map, Value, World};
use serde_json::{Map as JsonMap, Value as Json, json};

/// Chance that an argument that may be left out is given.
const OPTIONAL: f64 = 0.35;
/// Chance that an id is of something spoken of lately.
const RECENT: f64 = 0.55;
/// Chance that an id is of nothing.
const UNKNOWN: f64 = 0.04;

/// What arguments are drawn from.
pub(super) struct Caller<'a, 'n> {
    pub(super) names: &'a Names<'n>,
    pub(super) world: &'a World,
    pub(super) recent: &'a [(usize, String, Value)],
    pub(super) domain: usize,
    pub(super) rng: &'a mut Rng,
}

impl Caller<'_, '_> {
    /// Arguments for these parameters.
    pub(super) fn arguments(&mut self, params: &[DressedParam]) -> Json {
        let mut arguments = JsonMap::new();
        // Values by the pack's names: texts may speak of them, and later ones fit earlier ones.
        let mut so_far = Map::new();
        let optional = params.iter().filter(|p| !p.param.required).count();
        let chance = if optional > 4 { OPTIONAL / 1.6 } else { OPTIONAL };
        for DressedParam { path, param } in params {
            if !param.required && !self.rng.chance(chance) {
                continue;
            }
            let value = self.value(&param.role, &param.attribute, &so_far);
            if value.is_null() {
                continue;
            }
            if let ParamRole::Id(entity) = &param.role
                && let Some(record) = self.record(entity, &value)
            {
                // Texts of a move or operation speak of its record.
                for (name, member) in record.as_map().into_iter().flat_map(|map| map.iter()) {
                    if !so_far.contains_key(name) {
                        so_far.insert(name.clone(), member.clone());
                    }
                }
            }
            so_far.insert(param.name.as_str(), value.clone());
            let styled = self.styled(&param.attribute, &value);
            place(&mut arguments, path, styled);
        }
        // An update that changes nothing is no update.
        if params.len() > 1 && !params.iter().skip(1).any(|p| p.param.required) && arguments.len() <= 1 {
            let fields: Vec<&DressedParam> =
                params.iter().filter(|p| matches!(p.param.role, ParamRole::Field(..))).collect();
            if let Some(field) = self.rng.try_pick(&fields).copied() {
                let value = self.value(&field.param.role, &field.param.attribute, &so_far);
                let styled = self.styled(&field.param.attribute, &value);
                place(&mut arguments, &field.path, styled);
            }
        }
        Json::Object(arguments)
    }

    /// The records that a call is about: entity and id.
    pub(super) fn subject(&self, params: &[DressedParam], arguments: &Json) -> Vec<(String, Value)> {
        params
            .iter()
            .filter_map(|p| {
                let ParamRole::Id(entity) = &p.param.role else { return None };
                let value = p.path.iter().try_fold(arguments, |at, name| at.get(name))?;
                (!value.is_array()).then(|| (entity.clone(), Value::from(value)))
            })
            .collect()
    }

    fn value(&mut self, role: &ParamRole, attribute: &Attribute, so_far: &Map) -> Value {
        match role {
            ParamRole::Id(entity) => match attribute.list {
                None => self.id(entity),
                Some([least, most]) => {
                    let count = self.rng.between(i64::from(least.max(1)), i64::from(most));
                    let mut ids: Vec<Value> = Vec::new();
                    for _ in 0..count {
                        let id = self.id(entity);
                        if !ids.contains(&id) {
                            ids.push(id);
                        }
                    }
                    ids.into_iter().collect()
                }
            },
            ParamRole::Filter(entity, name)
            | ParamRole::Least(entity, name)
            | ParamRole::Most(entity, name) => {
                let known = self.rng.chance(0.8).then(|| self.some_record(entity)).flatten();
                match known.and_then(|record| record.get(&self.names.member(name)).cloned()) {
                    Some(value) if !value.is_null() && value.as_list().is_none() => value,
                    _ => self.sample(attribute, so_far),
                }
            }
            ParamRole::Query(entity) => {
                let record = self.some_record(entity);
                let texts: Vec<String> = record
                    .and_then(|record| {
                        let kindred = self.names.domain().entities.get(entity)?;
                        let texts = kindred.select(|m| m.is_text() && m.is_stored());
                        Some(
                            texts
                                .filter_map(|(name, _)| {
                                    record.get(&self.names.member(name))?.as_str().map(str::to_owned)
                                })
                                .collect(),
                        )
                    })
                    .unwrap_or_default();
                let words: Vec<&str> = texts
                    .iter()
                    .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
                    .filter(|word| word.len() > 2)
                    .collect();
                match self.rng.try_pick(&words) {
                    Some(word) if self.rng.chance(0.85) => Value::from(*word),
                    _ => self.sample(
                        &Attribute { kind: Kind::Common(Semantic::LastName), ..Attribute::default() },
                        so_far,
                    ),
                }
            }
            ParamRole::Offset => match self.names.style().pages {
                true => Value::Int(self.rng.between(1, 3)),
                false => Value::Int(self.rng.between(0, 4)),
            },
            ParamRole::Limit => Value::Int(*self.rng.pick(&[1, 2, 3, 5, 5, 10, 10, 20])),
            ParamRole::Field(..) | ParamRole::SortBy | ParamRole::Order | ParamRole::Other => {
                self.number_or(attribute, so_far)
            }
        }
    }

    /// Numbers are sometimes the bounds of their range.
    fn number_or(&mut self, attribute: &Attribute, so_far: &Map) -> Value {
        if let (Kind::Int(Range { low, high, .. }), None) = (&attribute.kind, attribute.list)
            && self.rng.chance(0.04)
        {
            return Value::Int(if self.rng.chance(0.5) { *low as i64 } else { *high as i64 });
        }
        self.sample(attribute, so_far)
    }

    fn sample(&mut self, attribute: &Attribute, so_far: &Map) -> Value {
        let record = Value::Map(so_far.clone());
        let (names, world) = (self.names, self.world);
        let look_up = |entity: &str, id: &Value| record_of(names, world, entity, id);
        let some_id = |entity: &str, rng: &mut Rng| some_id(names, world, entity, rng);
        let context = Context {
            domain: names.domain(),
            now: world.now(),
            record: Some(&record),
            look_up: &look_up,
            some_id: &some_id,
        };
        sample(attribute, &context, self.rng)
    }

    fn id(&mut self, entity: &str) -> Value {
        if self.rng.chance(UNKNOWN) {
            return self.unknown_id(entity);
        }
        let known: Vec<&Value> = self
            .recent
            .iter()
            .filter(|(d, e, _)| *d == self.domain && e == entity)
            .map(|(.., id)| id)
            .collect();
        if !known.is_empty() && self.rng.chance(RECENT) {
            return (*self.rng.pick(&known)).clone();
        }
        some_id(self.names, self.world, entity, self.rng).unwrap_or_else(|| self.unknown_id(entity))
    }

    /// An id that looks right and is none, most likely.
    fn unknown_id(&mut self, entity: &str) -> Value {
        match self.names.domain().entities.get(entity).map(|kindred| kindred.entity.id.as_deref()) {
            Some(Some(pattern)) if pattern != "integer" && pattern != "uuid" => {
                Value::from(crate::world::code(pattern, self.rng))
            }
            Some(Some("uuid")) => Value::from(crate::world::uuid(self.rng)),
            _ => Value::Int(self.rng.between(1, 9_999)),
        }
    }

    fn some_record(&mut self, entity: &str) -> Option<Value> {
        let kindred = self.names.domain().entities.get(entity)?;
        let records = records(self.names, self.world, &kindred.collection)?;
        records.values().nth(self.rng.below(records.len())).cloned()
    }

    fn record(&self, entity: &str, id: &Value) -> Option<Value> {
        record_of(self.names, self.world, entity, id)
    }

    /// A value as it goes into a call: members of records within it are in style.
    fn styled(&self, attribute: &Attribute, value: &Value) -> Json {
        match (&attribute.kind, value) {
            (Kind::Fields(fields), Value::Map(map)) => {
                let field = |name: &str| {
                    fields.iter().find(|(known, _)| known.trim_end_matches('?') == name).map(|(_, a)| a)
                };
                map.iter()
                    .map(|(name, value)| {
                        let styled = field(name)
                            .map_or_else(|| value.to_json(), |attribute| self.styled(attribute, value));
                        (self.names.member(name), styled)
                    })
                    .collect::<JsonMap<_, _>>()
                    .into()
            }
            (Kind::Fields(_), Value::List(list)) => {
                let one = Attribute { list: None, ..attribute.clone() };
                list.iter().map(|item| self.styled(&one, item)).collect()
            }
            _ => value.to_json(),
        }
    }
}

fn records<'w>(names: &Names<'_>, world: &'w World, collection: &str) -> Option<&'w Map> {
    world.state().get(names.collection(collection)?)?.as_map()
}

fn collection_of<'k>(names: &'k Names<'_>, entity: &'k str) -> Option<(&'k str, Option<&'k Kindred>)> {
    match names.domain().entities.get(entity) {
        Some(kindred) => Some((kindred.collection.as_str(), Some(kindred))),
        None => entity.ends_with(RUNS).then_some((entity, None)),
    }
}

fn some_id(names: &Names<'_>, world: &World, entity: &str, rng: &mut Rng) -> Option<Value> {
    let (collection, _) = collection_of(names, entity)?;
    let records = records(names, world, collection)?;
    let (key, record) = records.iter().nth(rng.below(records.len()))?;
    Some(record.get(&names.member("id")).cloned().unwrap_or_else(|| Value::Str(key.clone())))
}

/// The record of an id, in the pack's names.
fn record_of(names: &Names<'_>, world: &World, entity: &str, id: &Value) -> Option<Value> {
    let (collection, kindred) = collection_of(names, entity)?;
    let record = records(names, world, collection)?.get(&id.as_key()?)?;
    let members = ["id"].into_iter().chain(kindred?.attributes.keys().map(String::as_str));
    let plain: Map =
        members.filter_map(|name| Some((name.into(), record.get(&names.member(name))?.clone()))).collect();
    Some(Value::Map(plain))
}

fn place(arguments: &mut JsonMap<String, Json>, path: &[String], value: Json) {
    match path {
        [outer, inner] => {
            let group = arguments.entry(outer.clone()).or_insert_with(|| json!({}));
            if let Json::Object(group) = group {
                group.insert(inner.clone(), value);
            }
        }
        [name, ..] => {
            arguments.insert(name.clone(), value);
        }
        [] => {}
    }
}
