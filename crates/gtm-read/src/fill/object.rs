//! Making objects and lists.

use super::facets::{Facets, Types};
use super::fits::{fits, type_of};
use super::kind::Kind;
use super::make::{Maker, Spot};
use super::name::Name;
use super::record::Record;
use super::words::{STATES, TAGS};
use gtm_world::{Map, Value};
use serde_json::Value as Json;
use std::collections::HashSet;

/// A schema that allows anything.
static ANYTHING: Json = Json::Bool(true);

/// Most rows of one list, whatever a call asks for.
const MAX_ROWS: usize = 1_000;

impl<'a> Maker<'a> {
    pub(super) fn object(&mut self, facets: &Facets<'a>, spot: Spot<'_>) -> Value {
        let given = spot.known.and_then(Value::as_map);
        if !facets.has_members() && facets.required.is_empty() {
            if let Some(given) = given.filter(|_| facets.additional != Some(&Json::Bool(false))) {
                return Value::Map(given.clone());
            }
            return self.free_form(facets, spot);
        }
        let noun = self.noun_of(facets, spot);
        let record = Record { noise: spot.noise, known: given, noun: &noun, members: &facets.properties };
        // A record that is shown in another shape keeps what it has; only what must be there is
        // added. What holds less than half of the members is a hint, and the rest is made up.
        let shown = given.is_some_and(|given| {
            let count = |of: &dyn Fn(&String) -> bool| -> usize {
                facets.properties.iter().map(|p| p.keys().filter(|k| of(k)).count()).sum()
            };
            let all = count(&|_| true);
            (spot.depth > 0 || self.is_reply)
                && all > 0
                && 2 * count(&|k| given.contains_key(k.as_str())) >= all
        });
        let pushed = !facets.definition.is_empty();
        if pushed {
            self.stack.push(facets.definition);
        }
        let required: HashSet<&str> = if facets.required.len() > 8 {
            facets.required.iter().copied().collect()
        } else {
            HashSet::new()
        };
        let is_required = |name: &str| {
            if required.is_empty() { facets.required.contains(&name) } else { required.contains(name) }
        };
        let mut out = Map::new();
        for (at, properties) in facets.properties.iter().enumerate() {
            for (name, schema) in properties.iter() {
                self.work -= 1;
                if at > 0 && facets.properties[..at].iter().any(|p| p.contains_key(name)) {
                    continue;
                }
                let parsed = Name::new(name);
                let kind = parsed.kind();
                let need = is_required(name) || given.is_some_and(|g| g.contains_key(name));
                if !need && (shown || self.is_left_out(schema, &parsed, kind, spot)) {
                    continue;
                }
                let single = [schema];
                let several;
                let schemas: &[&'a Json] = if facets.properties.len() == 1 {
                    &single
                } else {
                    several = facets.member(name);
                    &several
                };
                let value = self.member(name, (&parsed, kind), schemas, record, spot);
                out.insert(name.as_str(), value);
            }
        }
        for name in &facets.required {
            if !out.contains_key(name) {
                let parsed = Name::new(name);
                let schema = facets.additional.filter(|a| a.is_object()).unwrap_or(&ANYTHING);
                let value = self.member(name, (&parsed, parsed.kind()), &[schema], record, spot);
                out.insert(*name, value);
            }
        }
        if pushed {
            self.stack.pop();
        }
        if out.len() < facets.min_members && facets.additional != Some(&Json::Bool(false)) {
            let more = self.entries(facets, spot, facets.min_members - out.len());
            more.iter().for_each(|(k, v)| drop(out.insert(k.clone(), v.clone())));
        }
        if let Some(most) = facets.max_members {
            let spare: Vec<_> = out.keys().filter(|k| !is_required(k)).cloned().collect();
            for name in spare.iter().rev().take(out.len().saturating_sub(most)) {
                out.remove(name);
            }
        }
        super::relate::relate(&mut out, facets, self.root, given);
        Value::Map(out)
    }

    /// Whether an optional member is better not made.
    fn is_left_out(&self, schema: &'a Json, name: &Name, kind: Kind, spot: Spot<'_>) -> bool {
        let Json::Object(keywords) = schema else { return schema == &Json::Bool(false) };
        let flag = |key: &str| keywords.get(key) == Some(&Json::Bool(true));
        if flag("writeOnly") || flag("deprecated") {
            return true;
        }
        let nullable =
            keywords.get("type").is_some_and(|t| Types::of(t).has(Types::NULL)) || flag("nullable");
        let undone = [
            "deleted",
            "cancelled",
            "canceled",
            "archived",
            "revoked",
            "suspended",
            "terminated",
            "refunded",
        ];
        if name.has(&undone) && matches!(kind, Kind::Time | Kind::FullName) {
            return true;
        }
        if !nullable && (kind == Kind::Fault || (kind == Kind::Cursor && spot.depth <= 1)) {
            return true;
        }
        let composite = keywords.contains_key("$ref")
            || keywords.contains_key("allOf")
            || keywords.contains_key("oneOf")
            || keywords.contains_key("anyOf")
            || keywords.contains_key("properties")
            || keywords.contains_key("items");
        composite && (self.is_deep(spot.depth) || self.is_cyclic(schema)) || !self.has_room()
    }

    fn member(
        &mut self,
        name: &str,
        (parsed, kind): (&Name, Kind),
        schemas: &[&'a Json],
        record: Record<'_>,
        spot: Spot<'_>,
    ) -> Value {
        let known = record.known.and_then(|k| k.get(name));
        if let Some(value) = known {
            // What is given stays; only where its type cannot stand here it gives way.
            match value {
                Value::Map(_) | Value::List(_) => {}
                _ if schemas.iter().all(|s| fits(value, s, self.root)) => return value.clone(),
                _ => {
                    if let Some(same) = converted(value, schemas, self.root) {
                        return same;
                    }
                }
            }
        }
        let depth = spot.depth + 1;
        let known = known.filter(|v| matches!(v, Value::Map(_) | Value::List(_)));
        if known.is_none() && !self.echo.is_empty() {
            let argument = self.echo.of(parsed, spot.name, depth, spot.row.is_some());
            let scalar = |v: &Value| !matches!(v, Value::Map(_) | Value::List(_));
            if let Some(value) = argument.filter(|v| scalar(v) || depth <= 2) {
                if schemas.iter().all(|s| fits(value, s, self.root) && !is_bare(s)) {
                    return value.clone();
                }
                if let Some(same) = converted(value, schemas, self.root) {
                    return same;
                }
            }
        }
        let example = spot.example.and_then(|e| e.get(name));
        let noise = record.noise.child(name);
        self.value(
            schemas,
            Spot {
                name: parsed,
                kind,
                owner: spot.name,
                noise,
                record,
                depth,
                row: spot.row,
                example,
                known,
            },
        )
    }

    /// An object of which only the values' schema is known, or nothing at all.
    fn free_form(&mut self, facets: &Facets<'a>, spot: Spot<'_>) -> Value {
        if let Some(example) = spot.example.filter(|e| e.is_object()) {
            let example = Value::from(example);
            let shaped = facets
                .additional
                .is_none_or(|s| example.as_map().is_none_or(|m| m.values().all(|v| fits(v, s, self.root))));
            if shaped {
                return example;
            }
        }
        let typed = facets.additional.is_some_and(|a| a.as_object().is_some_and(|a| !a.is_empty()));
        let wanted =
            if typed && !self.is_deep(spot.depth) && !facets.additional.is_some_and(|a| self.is_cyclic(a)) {
                2 + spot.noise.clone().below(2)
            } else {
                0
            };
        Value::Map(self.entries(facets, spot, wanted.max(facets.min_members.min(50))))
    }

    /// Entries of an object whose keys are free.
    fn entries(&mut self, facets: &Facets<'a>, spot: Spot<'_>, count: usize) -> Map {
        let mut out = Map::new();
        let schema = facets.additional.unwrap_or(&ANYTHING);
        let by_pattern = facets.patterns.and_then(|p| p.iter().next());
        let states = super::codes::mentions(facets.description, &["status"]);
        for i in 0..count {
            let noise = spot.noise.item(i);
            let (key, schema) = match by_pattern {
                Some((pattern, schema)) => match super::pattern::generate(pattern, 1, None, noise) {
                    Some(key) => (key, schema),
                    None => break,
                },
                None => {
                    let words = if states { STATES } else { TAGS };
                    let word = words.get(i).copied().unwrap_or("entry");
                    (
                        if i < words.len() && !out.contains_key(word) {
                            word.to_owned()
                        } else {
                            format!("{word}_{i}")
                        },
                        schema,
                    )
                }
            };
            let name = Name::new(&key);
            let record = Record { noise, known: None, noun: spot.record.noun, members: &[] };
            let at = Spot {
                name: &name,
                kind: name.kind(),
                owner: spot.name,
                noise,
                record,
                depth: spot.depth + 1,
                row: Some(i),
                example: None,
                known: None,
            };
            let value = self.value(&[schema], at);
            out.insert(key, value);
        }
        out
    }

    pub(super) fn list(&mut self, facets: &Facets<'a>, spot: Spot<'_>) -> Value {
        let given = spot.known.and_then(Value::as_list);
        let shown = spot.example.and_then(Json::as_array);
        let item_schemas: &[&'a Json] = &facets.items;
        let scalar = match item_schemas {
            [] => true,
            [first, ..] => {
                let types = Facets::of(&[first], self.root);
                !types.types.has(Types::MAP) && types.alternatives.is_empty()
            }
        };
        let count = match given {
            Some(given) => given.len(),
            None => self.rows(facets, spot, scalar, shown.map(Vec::len)),
        };
        let count =
            count.max(facets.min_items.min(MAX_ROWS)).max(if facets.contains.is_some() { 1 } else { 0 });
        let count = facets.max_items.map_or(count, |max| count.min(max));
        let noun = self.noun_of(facets, spot);
        let mut out: Vec<Value> = Vec::with_capacity(count.min(64));
        for i in 0..count {
            if self.work <= 0 {
                break;
            }
            let single;
            let schemas: &[&'a Json] = match facets.prefix.get(i) {
                Some(schema) => {
                    single = [schema];
                    &single
                }
                None if item_schemas.is_empty() => &[],
                None => item_schemas,
            };
            let known = given.and_then(|g| g.get(i));
            if let Some(known) = known.filter(|k| !matches!(k, Value::Map(_) | Value::List(_))) {
                out.push(known.clone());
                continue;
            }
            let example = shown.and_then(|s| s.get(i % s.len().max(1)));
            let mut value = Value::Null;
            for attempt in 0..if facets.unique || scalar { 12 } else { 1 } {
                let noise = spot.noise.item(i + attempt * MAX_ROWS);
                let record = Record { noise, known: None, noun: &noun, members: &[] };
                let row =
                    if count > 1 || spot.row.is_none() && !scalar { Some(i + attempt) } else { spot.row };
                let at = Spot {
                    name: spot.name,
                    kind: spot.kind,
                    owner: spot.owner,
                    noise,
                    record,
                    depth: spot.depth + 1,
                    row,
                    example,
                    known,
                };
                let made = match (schemas, attempt) {
                    (_, 0) | ([_, ..], _) => self.value(schemas, at),
                    _ => break,
                };
                value = made;
                if known.is_some() || !out.contains(&value) {
                    break;
                }
            }
            if (scalar || facets.unique)
                && given.is_none()
                && out.contains(&value)
                && out.len() >= facets.min_items
            {
                // No more different values to be had.
                break;
            }
            out.push(value);
        }
        out.into_iter().collect()
    }

    /// How many rows a list gets that is not given.
    fn rows(&mut self, facets: &Facets<'a>, spot: Spot<'_>, scalar: bool, shown: Option<usize>) -> usize {
        let mut noise = spot.noise;
        let schema = facets.items.first();
        if spot.depth > 0 && (self.is_deep(spot.depth) || schema.is_some_and(|s| self.is_cyclic(s))) {
            return 0;
        }
        if spot.kind == Kind::Fault {
            return 0;
        }
        let main = !self.sized && spot.row.is_none() && spot.depth <= 3;
        if main && (!scalar || spot.depth == 0) {
            self.sized = true;
            let rows = self.slot.rows.min(MAX_ROWS);
            return self.echo.limit().map_or(rows, |limit| limit.min(rows.max(1)));
        }
        if facets.items.is_empty() && facets.prefix.is_empty() {
            return shown.unwrap_or(0);
        }
        if let Some(length) = facets.max_items.filter(|max| *max == facets.min_items && *max > 0) {
            return length;
        }
        // Coordinates come in pairs.
        if super::codes::mentions(facets.description, &["coordinates", "longitude, latitude"]) && scalar {
            return 2;
        }
        facets.prefix.len().max(shown.unwrap_or(if scalar { 2 } else { 1 } + noise.below(2)).min(5))
    }

    /// What an object is: by its definition, else by the name of its member.
    fn noun_of(&self, facets: &Facets<'_>, spot: Spot<'_>) -> String {
        let named = if facets.definition.is_empty() {
            String::new()
        } else {
            super::noun::singular(&Name::new(facets.definition))
        };
        if !named.is_empty() {
            return named;
        }
        let member = super::noun::singular(spot.name);
        if member.is_empty() { self.noun.clone() } else { member }
    }
}

/// Whether the schema demands nothing, so that any argument of the same name would fit by accident.
fn is_bare(schema: &Json) -> bool {
    schema
        .as_object()
        .is_none_or(|s| !s.contains_key("type") && !s.contains_key("$ref") && !s.contains_key("enum"))
}

/// The same value in the type that the schemas want: `"5"` for 5 and the reverse.
fn converted(value: &Value, schemas: &[&Json], root: &Json) -> Option<Value> {
    let types = Facets::of(schemas, root).types;
    if types.has(type_of(value)) {
        return None;
    }
    let other = match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) if types.has(Types::STR) => {
            Value::Str(value.as_key()?)
        }
        Value::Str(text) if types.has(Types::INT) => Value::Int(text.parse().ok()?),
        Value::Str(text) if types.has(Types::FRACTION) => {
            text.parse::<f64>().ok().filter(|x| x.is_finite()).map(Value::Float)?
        }
        _ => return None,
    };
    schemas.iter().all(|s| fits(&other, s, root)).then_some(other)
}
