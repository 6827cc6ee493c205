//! The shape of the initial state: which parts are collections of records, which are single values.

use super::member::{Member, members};
use super::tokens::{singular, stems, words};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// Records looked at per collection. More would only confirm what these show.
pub(super) const SAMPLE: usize = 200;
/// Keys remembered per collection, for finding references to it.
const KEYS: usize = 20_000;
/// How deep collections are looked for.
const DEPTH: usize = 5;
/// Words that say how things are kept, not what they are.
const CONTAINERS: &[&str] = &[
    "list",
    "map",
    "dict",
    "table",
    "record",
    "history",
    "queue",
    "log",
    "index",
    "store",
    "db",
    "database",
    "data",
    "item",
    "entry",
    "collection",
    "all",
    "array",
];

/// How a collection holds its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Key → record.
    Map,
    /// A list of records.
    List,
    /// Key → list of records or values.
    Lists,
    /// Key → single value.
    Index,
}

/// A collection found in the state, or inferred from the tools.
#[derive(Clone, Debug)]
pub(super) struct Collection {
    /// Name used in behaviors; unique.
    pub(super) name: String,
    /// Path in the state, or in the parent's record.
    pub(super) path: Vec<String>,
    /// The collection whose records hold this one.
    pub(super) parent: Option<usize>,
    /// Words of the object that holds it.
    pub(super) group: Vec<String>,
    /// Words of its own name, in the singular, without those that only say "list".
    pub(super) stems: Vec<String>,
    /// Other words for its records: from the name of the id (`event_id` in `calendar`), and synonyms.
    pub(super) aliases: Vec<Vec<String>>,
    /// How records are held.
    pub(super) kind: Kind,
    /// The member that holds a record's id: equal to the key, or unique in a list.
    pub(super) id: Option<String>,
    /// Members that also identify a record: unique and named like an id.
    pub(super) other_ids: Vec<String>,
    /// Keys (or ids) present.
    pub(super) keys: BTreeSet<String>,
    /// Members of the records, those of plain objects inside with their path.
    pub(super) members: Vec<Member>,
    /// Number of records.
    pub(super) rows: usize,
    /// JSON Schema of a record, where the collection was inferred from tools.
    pub(super) schema: Option<Json>,
}

/// A single value in the state.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    /// Path in the state.
    pub(super) path: Vec<String>,
    /// Words of its name, in the singular.
    pub(super) stems: Vec<String>,
    /// Words of the object that holds it.
    pub(super) group: Vec<String>,
    /// Its initial value.
    pub(super) value: Json,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// Collections, parents before children.
    pub(super) collections: Vec<Collection>,
    /// Single values.
    pub(super) scalars: Vec<Scalar>,
    /// Lists of plain values.
    pub(super) lists: Vec<Scalar>,
    /// Objects that only group other things, by path, with the words of their names.
    pub(super) groups: Vec<(Vec<String>, Vec<String>)>,
}

impl Shape {
    /// Analyses a state.
    pub(super) fn of(state: &Json) -> Self {
        let mut shape = Shape::default();
        if let Json::Object(members) = state {
            for (name, value) in members {
                shape.walk(name, value, &[], &[], 0);
            }
        }
        shape
    }

    fn walk(&mut self, name: &str, value: &Json, above: &[String], group: &[String], depth: usize) {
        let mut path = above.to_vec();
        path.push(name.to_owned());
        match kind_of(name, value) {
            Some(kind) if depth < DEPTH => self.collection(name, value, kind, path, group),
            _ => match value {
                Json::Object(members) if !members.is_empty() && depth < DEPTH => {
                    let words = stems(name);
                    self.groups.push((path.clone(), words.clone()));
                    // Things are named after their object: `account_info.balance` is the account's balance.
                    let inner: Vec<String> = if above.is_empty() { words } else { [group, &words].concat() };
                    for (member, value) in members {
                        self.walk(member, value, &path, &inner, depth + 1);
                    }
                }
                _ => {
                    let found =
                        Scalar { path, stems: stems(name), group: group.to_vec(), value: value.clone() };
                    if value.is_array() { self.lists.push(found) } else { self.scalars.push(found) }
                }
            },
        }
    }

    fn collection(&mut self, name: &str, value: &Json, kind: Kind, path: Vec<String>, group: &[String]) {
        if kind == Kind::List && value.as_array().is_some_and(Vec::is_empty) {
            // May turn out to hold plain values as well.
            let stems = stems(name);
            self.lists.push(Scalar {
                path: path.clone(),
                stems,
                group: group.to_vec(),
                value: value.clone(),
            });
        }
        let index = self.collections.len();
        let records = records(value, kind);
        let own = own_stems(name);
        let (id, other_ids) = identity(&records, kind, &own);
        let keys = match (kind, value, &id) {
            (Kind::List, _, Some(id)) => {
                records.iter().filter_map(|(_, r)| r.get(id)).map(plain).take(KEYS).collect()
            }
            (_, Json::Object(map), _) => map.keys().take(KEYS).cloned().collect(),
            _ => BTreeSet::new(),
        };
        let rows = match value {
            Json::Object(map) => map.len(),
            Json::Array(list) => list.len(),
            _ => 0,
        };
        let found = members(records.iter().map(|(_, record)| *record));
        self.collections.push(Collection {
            name: self.free_name(name, group),
            path,
            parent: None,
            group: group.to_vec(),
            aliases: id_alias(id.as_deref().or(other_ids.first().map(String::as_str)), &own),
            stems: own,
            kind,
            id,
            other_ids,
            keys,
            members: found,
            rows,
            schema: None,
        });
        if matches!(kind, Kind::Map | Kind::List) {
            self.children(index, &records, 0);
        }
    }

    /// Collections inside the records of a collection, such as the cart in a user.
    fn children(&mut self, parent: usize, records: &[(Option<&str>, &Json)], depth: usize) {
        if depth >= 2 {
            return;
        }
        let mut names: Vec<&String> = Vec::new();
        for (_, record) in records {
            for (name, value) in record.as_object().into_iter().flatten() {
                if (value.is_object() || value.is_array()) && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        for name in names {
            let values: Vec<&Json> = records.iter().filter_map(|(_, record)| record.get(name)).collect();
            let Some(kind) = values.iter().find_map(|value| {
                let full = value.as_object().is_some_and(|m| !m.is_empty())
                    || value.as_array().is_some_and(|l| l.iter().any(Json::is_object));
                full.then(|| kind_of(name, value)).flatten()
            }) else {
                continue;
            };
            if !matches!(kind, Kind::Map | Kind::List) {
                continue;
            }
            let inner: Vec<(Option<&str>, &Json)> =
                values.iter().flat_map(|value| self::records(value, kind)).take(SAMPLE).collect();
            let own = own_stems(name);
            let (id, other_ids) = identity(&inner, kind, &own);
            let keys = inner
                .iter()
                .filter_map(|(key, record)| match (key, &id) {
                    (Some(key), _) => Some((*key).to_owned()),
                    (None, Some(id)) => record.get(id).map(plain),
                    _ => None,
                })
                .collect();
            let index = self.collections.len();
            self.collections.push(Collection {
                name: self.free_name(name, &self.collections[parent].stems.clone()),
                path: vec![name.clone()],
                parent: Some(parent),
                group: self.collections[parent].stems.clone(),
                aliases: id_alias(id.as_deref(), &own),
                stems: own,
                kind,
                id,
                other_ids,
                keys,
                members: members(inner.iter().map(|(_, record)| *record)),
                rows: inner.len(),
                schema: None,
            });
            self.children(index, &inner, depth + 1);
        }
    }

    /// A name for a collection that no other has and that is an identifier.
    pub(super) fn free_name(&self, name: &str, group: &[String]) -> String {
        let clean = |text: &str| -> String {
            let text: String =
                text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            if text.starts_with(|c: char| c.is_ascii_digit()) || text.is_empty() {
                format!("c_{text}")
            } else {
                text
            }
        };
        let taken = |name: &str| self.collections.iter().any(|c| c.name == name);
        let short = clean(name);
        if !taken(&short) {
            return short;
        }
        let long = clean(&format!("{}_{name}", group.join("_")));
        if !taken(&long) {
            return long;
        }
        (2..).map(|n| format!("{long}_{n}")).find(|name| !taken(name)).unwrap_or(long)
    }

    /// The root collection above a nested one, itself included.
    pub(super) fn root_of(&self, mut index: usize) -> usize {
        while let Some(parent) = self.collections[index].parent {
            index = parent;
        }
        index
    }
}

/// What records are called by the name of their id.
fn id_alias(id: Option<&str>, own: &[String]) -> Vec<Vec<String>> {
    let Some(id) = id else { return Vec::new() };
    let (what, idish) = super::entity::without_id(&stems(id));
    let bare = !idish
        && what.len() == 1
        && !matches!(what[0].as_str(), "name" | "title" | "email" | "user" | "path");
    // A part of the own name (`card` in `debit cards`) would claim other kinds as well.
    let part = what.iter().all(|word| own.contains(word));
    if (idish || bare) && !what.is_empty() && !part { vec![what] } else { Vec::new() }
}

/// The words of a collection's name that say what it holds.
fn own_stems(name: &str) -> Vec<String> {
    let all = stems(name);
    let own: Vec<String> = all.iter().filter(|word| !CONTAINERS.contains(&word.as_str())).cloned().collect();
    if own.is_empty() { all } else { own }
}

/// Text of a key or id.
pub(super) fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The records of a collection, with their keys.
fn records(value: &Json, kind: Kind) -> Vec<(Option<&str>, &Json)> {
    match (kind, value) {
        (Kind::Map, Json::Object(map)) => map
            .iter()
            .filter(|(_, record)| record.is_object())
            .map(|(key, record)| (Some(key.as_str()), record))
            .take(SAMPLE)
            .collect(),
        (Kind::List, Json::Array(list)) => list
            .iter()
            .filter(|record| record.is_object())
            .map(|record| (None, record))
            .take(SAMPLE)
            .collect(),
        (Kind::Lists, Json::Object(map)) => map
            .iter()
            .flat_map(|(key, list)| {
                list.as_array().into_iter().flatten().map(move |r| (Some(key.as_str()), r))
            })
            .filter(|(_, record)| record.is_object())
            .take(SAMPLE)
            .collect(),
        _ => Vec::new(),
    }
}

/// The member that is the id, and others that identify as well.
fn identity(records: &[(Option<&str>, &Json)], kind: Kind, own: &[String]) -> (Option<String>, Vec<String>) {
    let Some(first) = records.first().and_then(|(_, record)| record.as_object()) else {
        return (None, Vec::new());
    };
    let is_plain = |value: &Json| value.is_string() || value.is_i64() || value.is_u64();
    let unique = |name: &str| {
        let mut seen = BTreeSet::new();
        records
            .iter()
            .all(|(_, record)| record.get(name).is_some_and(|v| is_plain(v) && seen.insert(plain(v))))
    };
    let idish = |name: &str| {
        matches!(
            words(name).last().map(String::as_str),
            Some(
                "id" | "no"
                    | "number"
                    | "code"
                    | "key"
                    | "uuid"
                    | "sku"
                    | "symbol"
                    | "iban"
                    | "email"
                    | "username"
            )
        )
    };
    let mut others: Vec<String> = first.keys().filter(|name| idish(name) && unique(name)).cloned().collect();
    let id = match kind {
        Kind::Map => first.keys().find(|name| {
            records
                .iter()
                .all(|(key, record)| record.get(*name).is_some_and(|v| Some(plain(v).as_str()) == *key))
        }),
        Kind::List => {
            let named =
                |test: &dyn Fn(&[String]) -> bool| first.keys().find(|n| test(&stems(n)) && unique(n));
            named(&|w| w == ["id"])
                .or_else(|| {
                    named(&|w| w.last().is_some_and(|l| l == "id") && w.iter().any(|x| own.contains(x)))
                })
                .or_else(|| named(&|w| w.iter().any(|x| own.contains(x)) && w.len() > 1 && w[1] != "type"))
                .or_else(|| first.keys().find(|n| idish(n) && unique(n)))
                .or_else(|| named(&|w| w == ["name"] || w == ["title"] || w == own))
                .or_else(|| {
                    // The first member, where it is a name for the rest: `product` before `price`.
                    let name = first.keys().next()?;
                    let text = first.get(name).is_some_and(Json::is_string);
                    (text && records.len() > 1 && !timely(name) && unique(name)).then_some(name)
                })
        }
        _ => None,
    }
    .cloned();
    others.retain(|other| Some(other) != id.as_ref());
    (id, others)
}

fn timely(name: &str) -> bool {
    words(name)
        .iter()
        .any(|word| matches!(word.as_str(), "time" | "date" | "at" | "timestamp" | "type" | "status"))
}

/// Whether a value is a collection, and of which kind.
pub(super) fn kind_of(name: &str, value: &Json) -> Option<Kind> {
    match value {
        Json::Object(map) => map_kind(name, map),
        Json::Array(list) if list.is_empty() => Some(Kind::List),
        Json::Array(list) => {
            let records = list.iter().filter(|record| record.is_object()).count();
            let keyed =
                list.iter().all(|r| r.as_object().is_some_and(|r| r.len() == 1)) && !alike(list.iter());
            (records * 2 > list.len() && !keyed).then_some(Kind::List)
        }
        _ => None,
    }
}

fn map_kind(name: &str, map: &Map<String, Json>) -> Option<Kind> {
    let plural = is_plural(name);
    if map.is_empty() {
        return plural.then_some(Kind::Map);
    }
    let data_keys = map.keys().filter(|key| looks_like_data(key)).count() * 2 > map.len();
    let records =
        map.values().filter(|value| value.as_object().is_some_and(|record| !record.is_empty())).count();
    if records == map.len() {
        let own_key = map
            .iter()
            .all(|(key, r)| r.as_object().is_some_and(|r| r.values().any(|v| v.as_str() == Some(key))));
        return (own_key || data_keys || map.len() > 1 && alike(map.values()) || map.len() == 1 && plural)
            .then_some(Kind::Map);
    }
    if map.values().all(Json::is_array) {
        let plural_keys = map.keys().all(|key| is_plural(key));
        let firsts = map.values().filter_map(|list| list.get(0)).filter(|first| first.is_object());
        let some_alike = firsts.clone().count() < 2 || overlap(firsts) > 0.15;
        return (!plural_keys && some_alike && (plural || data_keys || map.len() > 1)).then_some(Kind::Lists);
    }
    if map.values().all(|value| !value.is_object() && !value.is_array()) {
        let kinds: BTreeSet<u8> = map.values().map(type_rank).collect();
        let capital = map.keys().all(|key| key.starts_with(char::is_uppercase));
        let named =
            words(name).iter().any(|word| matches!(word.as_str(), "map" | "index" | "lookup" | "mapping"));
        return (kinds.len() == 1 && (named || data_keys || (plural && capital))).then_some(Kind::Index);
    }
    // A few stray values among records, as hand-written states have.
    let stray = map.iter().any(|(key, value)| value.is_object() && looks_like_data(key));
    (plural && stray && records > 0 && records * 2 >= map.len()).then_some(Kind::Map)
}

fn type_rank(value: &Json) -> u8 {
    match value {
        Json::Null => 0,
        Json::Bool(_) => 1,
        Json::Number(_) => 2,
        Json::String(_) => 3,
        _ => 4,
    }
}

fn is_plural(name: &str) -> bool {
    words(name).last().is_some_and(|last| singular(last) != *last || CONTAINERS.contains(&last.as_str()))
}

/// Whether a key is a value rather than the name of a member.
fn looks_like_data(key: &str) -> bool {
    key.chars().any(|c| c.is_ascii_digit() || c == ' ' || c == '@' || c == '#' || c == '-' || c == '/')
        || (key.len() > 1 && key.chars().all(|c| c.is_uppercase()))
}

/// Whether records have similar members.
fn alike<'a>(records: impl Iterator<Item = &'a Json> + Clone) -> bool {
    overlap(records) >= 0.5
}

/// Mean share of members that each record has in common with the first.
fn overlap<'a>(mut records: impl Iterator<Item = &'a Json>) -> f64 {
    let Some(first) = records.next().and_then(Json::as_object) else { return 0.0 };
    let (mut sum, mut count) = (0.0, 0u32);
    for record in records.take(SAMPLE).filter_map(Json::as_object) {
        let common = record.keys().filter(|key| first.contains_key(*key)).count();
        let all = first.len() + record.len() - common;
        sum += common as f64 / (all.max(1)) as f64;
        count += 1;
    }
    if count == 0 { 1.0 } else { sum / f64::from(count) }
}
