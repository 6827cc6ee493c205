//! A pack, made ready for use: names settled, references followed, texts compiled.

use crate::pack::{Action, Attribute, Entity, Kind, Pack};
use gtm_world::Value;
use indexmap::IndexMap;
use std::collections::HashSet;

/// A domain.
#[derive(Debug)]
pub struct Domain {
    /// As it was written.
    pub pack: Pack,
    /// Types of records, by singular name, each after those it refers to where that is possible.
    pub entities: IndexMap<String, Kindred>,
    /// Single things, by name.
    pub singletons: IndexMap<String, Kindred>,
    /// Names of members of constants, which keep their spelling in every style.
    pub constant_keys: HashSet<String>,
    /// Constants as values.
    pub constants: IndexMap<String, Value>,
}

/// An entity or singleton with its attributes settled.
#[derive(Clone, Debug)]
pub struct Kindred {
    /// Singular name.
    pub name: String,
    /// Name of the collection; of a singleton, its own.
    pub collection: String,
    /// As it was written.
    pub entity: Entity,
    /// Attributes by plain name.
    pub attributes: IndexMap<String, Member>,
}

/// An attribute of a record.
#[derive(Clone, Debug)]
pub struct Member {
    /// As it was written.
    pub attribute: Attribute,
    /// May be missing.
    pub optional: bool,
}

impl Domain {
    /// Settles a pack that lint found no errors in.
    pub fn new(pack: Pack) -> Domain {
        let settle = |(name, entity): (&String, &Entity), single: bool| {
            let kindred = Kindred {
                name: name.clone(),
                collection: if single { name.clone() } else { entity.collection(name) },
                entity: entity.clone(),
                attributes: members(entity),
            };
            (name.clone(), kindred)
        };
        let all: IndexMap<String, Kindred> = pack.entities.iter().map(|e| settle(e, false)).collect();
        let mut constant_keys = HashSet::new();
        pack.constants.values().for_each(|constant| collect_keys(constant, &mut constant_keys));
        Domain {
            entities: in_order_of_reference(all),
            singletons: pack.singletons.iter().map(|e| settle(e, true)).collect(),
            constants: pack.constants.iter().map(|(name, json)| (name.clone(), json.into())).collect(),
            constant_keys,
            pack,
        }
    }

    /// The entity or singleton of this name.
    pub fn kindred(&self, name: &str) -> Option<&Kindred> {
        self.entities.get(name).or_else(|| self.singletons.get(name))
    }
}

impl Kindred {
    /// Whether the field allows the action.
    pub fn allows(&self, action: Action) -> bool {
        !self.entity.without.contains(&action)
    }

    /// The word of the field for an action, if it has its own.
    pub fn verb(&self, action: Action) -> Option<&str> {
        self.entity.verbs.get(&action).map(String::as_str)
    }

    /// Attributes with their names that satisfy a condition.
    pub fn select(&self, condition: impl Fn(&Member) -> bool) -> impl Iterator<Item = (&str, &Member)> {
        self.attributes
            .iter()
            .filter(move |(_, member)| condition(member))
            .map(|(name, member)| (name.as_str(), member))
    }

    /// The attribute that tells records apart for people: a name, a title, the first word.
    pub fn label(&self) -> Option<&str> {
        ["name", "title", "label"].into_iter().find(|name| self.attributes.contains_key(*name)).or_else(
            || {
                self.select(|m| m.is_stored() && matches!(m.attribute.kind, Kind::Word(_)))
                    .next()
                    .map(|(n, _)| n)
            },
        )
    }
}

impl Member {
    /// Part of the record, not computed from it.
    pub fn is_stored(&self) -> bool {
        self.attribute.calc.is_none()
    }

    /// Given by a caller when a record is made.
    pub fn is_given(&self) -> bool {
        self.is_stored() && !self.attribute.readonly
    }

    /// May be changed by a caller.
    pub fn is_mutable(&self) -> bool {
        self.is_given() && !self.attribute.fixed && !matches!(self.attribute.kind, Kind::Fields(_))
    }

    /// A single number.
    pub fn is_number(&self) -> bool {
        self.attribute.list.is_none()
            && matches!(self.attribute.kind, Kind::Int(_) | Kind::Number(_) | Kind::Money(_))
    }

    /// A single text that people search in.
    pub fn is_text(&self) -> bool {
        use crate::pack::Semantic::{City, Company, Country, Email, Person, Sentence, Username};
        let common = |s: &crate::pack::Semantic| {
            matches!(s, Person | Email | Company | City | Country | Username | Sentence)
        };
        !self.attribute.secret
            && match &self.attribute.kind {
                Kind::Word(_) | Kind::Text(_) => true,
                Kind::Common(semantic) => common(semantic),
                _ => false,
            }
    }

    /// A single day or time.
    pub fn is_moment(&self) -> bool {
        self.attribute.list.is_none() && matches!(self.attribute.kind, Kind::Date(_) | Kind::Time(_))
    }

    /// One of few values: records can be grouped by it.
    pub fn is_category(&self) -> bool {
        self.attribute.list.is_none()
            && self.is_stored()
            && matches!(self.attribute.kind, Kind::Enum(_) | Kind::Bool(_) | Kind::Ref(_))
    }
}

/// The attributes of an entity by plain name, its state among them.
fn members(entity: &Entity) -> IndexMap<String, Member> {
    let mut members: IndexMap<String, Member> = entity
        .attributes
        .iter()
        .map(|(name, attribute)| {
            let member = Member { attribute: attribute.clone(), optional: name.ends_with('?') };
            (name.trim_end_matches('?').to_owned(), member)
        })
        .collect();
    if let Some(lifecycle) = &entity.lifecycle {
        let states = lifecycle.states.iter().map(|state| (state.clone(), 1.0)).collect();
        let attribute = Attribute {
            kind: Kind::Enum(states),
            readonly: true,
            default: lifecycle.states.first().map(|state| format!("'{state}'")),
            ..Attribute::default()
        };
        members.insert(lifecycle.field().to_owned(), Member { attribute, optional: false });
    }
    members
}

/// Entities after those they refer to; circles are cut at an arbitrary but fixed place.
fn in_order_of_reference(mut left: IndexMap<String, Kindred>) -> IndexMap<String, Kindred> {
    let mut ordered: IndexMap<String, Kindred> = IndexMap::new();
    while !left.is_empty() {
        let ready = left.iter().position(|(name, kindred)| {
            kindred.attributes.values().all(|member| match &member.attribute.kind {
                Kind::Ref(target) => target == name || !left.contains_key(target),
                _ => true,
            })
        });
        if let Some((name, kindred)) = left.shift_remove_index(ready.unwrap_or(0)) {
            ordered.insert(name, kindred);
        }
    }
    ordered
}

fn collect_keys(json: &serde_json::Value, keys: &mut HashSet<String>) {
    match json {
        serde_json::Value::Object(object) => object.iter().for_each(|(name, value)| {
            keys.insert(name.clone());
            collect_keys(value, keys);
        }),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}
