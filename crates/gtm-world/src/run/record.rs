//! Steps on one record: get, create, update, delete.

use super::{IT, KEY, Run, Step, eval_node, exhausted, ids};
use crate::behavior::{CollectionKind, FillMembers};
use crate::compile::{Create, Delete, Failure, Get, Target, Update, Within};
use crate::place::{self, Path};
use crate::template::Template;
use crate::world::Book;
use crate::{Budget, ErrorKind, Map, Str, ToolError, Value, schema};
use std::borrow::Cow;
use std::sync::Arc;

/// Where a record is in its collection.
pub(super) enum Spot {
    Key(Str),
    Index(usize),
}

impl Spot {
    fn segment(self) -> Str {
        match self {
            Spot::Key(key) => key,
            Spot::Index(at) => at.to_string().into(),
        }
    }
}

/// A record looked for: its collection, its id as given, and the path of the record if it is there.
pub(super) struct Sought<'t> {
    pub(super) container: Path,
    pub(super) id: Value,
    what: Cow<'t, str>,
}

impl Run<'_> {
    pub(super) fn get(&mut self, op: &Get) -> Step<()> {
        let (sought, path) = self.find(&op.target)?;
        let value = match path {
            Some(path) => place::read(self.world.state(), &path).cloned().unwrap_or_default(),
            None if op.optional => Value::Null,
            None => return Err(self.missing(&op.failure, &sought)),
        };
        self.mark_invented(&sought, &value);
        self.scope.push(op.bind.clone(), value);
        Ok(())
    }

    pub(super) fn create(&mut self, op: &Create) -> Step<()> {
        let within = &op.within;
        let container = within.place.resolve(&mut self.scope, &mut self.budget)?;
        let given = op.id.as_ref().map(|id| self.eval(id)).transpose()?.filter(|id| !id.is_null());
        let id = match given {
            Some(id) => id,
            None => ids::next(self, within, &container)?,
        };
        let Some(key) = id.as_key() else {
            return Err(ToolError::new(
                ErrorKind::InvalidArgument,
                format!("the id is {}, not text or a number", id.type_name()),
            ));
        };
        let id = ids::typed(within, &key, id);
        let spot = locate(within, place::read(self.world.state(), &container), &key, &mut self.budget)?;
        if spot.is_some() && !op.replace {
            let what = singular(&within.info.name);
            return Err(self.fail(&op.failure, || format!("{what} \"{key}\" already exists")));
        }
        let mut record = match op.from.as_ref().map(|from| self.eval(from)).transpose()? {
            Some(Value::Map(from)) => {
                from.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect()
            }
            Some(Value::Null) | None => Map::new(),
            Some(other) => {
                return Err(ToolError::new(
                    ErrorKind::Internal,
                    format!("`from` is {}, not an object", other.type_name()),
                ));
            }
        };
        if let Some(member) = within.info.id.as_ref().filter(|m| record.get(m).is_none_or(|v| *v != id)) {
            // The id leads the record, as in nearly every real API.
            record = std::iter::once((member.clone(), id.clone()))
                .chain(record.iter().filter(|(k, _)| *k != member).map(|(k, v)| (k.clone(), v.clone())))
                .collect();
        }
        let mut invented = Vec::new();
        for (name, template) in &op.set {
            let value = self.template(template)?;
            if matches!(template, Template::Fill(_)) {
                invented.push(name.clone());
            }
            record.insert(name.clone(), value);
        }
        self.fill_members(within, &container, &key, op.fill, &mut record, &mut invented)?;
        let record = Value::Map(record);
        self.admit(&record)?;
        self.put(within, &container, spot, &key, record.clone())?;
        let pointer = place::pointer(&container);
        if self.world.is_open() {
            self.world.forget(Book::Deleted, &pointer, &key);
            self.world.note(Book::Made, "", &key, Value::Bool(true));
            self.budget.allocate(128).map_err(exhausted)?;
            if !invented.is_empty() {
                self.note_invented(&pointer, &key, &record, invented);
            }
        }
        self.sync();
        self.scope.push(op.bind.clone(), record);
        Ok(())
    }

    pub(super) fn update(&mut self, op: &Update) -> Step<()> {
        let (sought, found) = self.find(&op.target)?;
        let path = match (found, &op.target) {
            (Some(path), _) => path,
            (None, Target::At(..)) if op.upsert => sought.container.clone(),
            (None, Target::Record(within, _)) if op.upsert => {
                let key = sought.id.as_key().ok_or_else(|| self.missing(&op.failure, &sought))?;
                let id = ids::typed(within, &key, sought.id.clone());
                let record =
                    within.info.id.iter().map(|member| (member.clone(), id.clone())).collect::<Map>();
                self.put(within, &sought.container, None, &key, Value::Map(record))?;
                self.find(&op.target)?.1.ok_or_else(|| self.missing(&op.failure, &sought))?
            }
            (None, _) => return Err(self.missing(&op.failure, &sought)),
        };
        let before = place::read(self.world.state(), &path).cloned().unwrap_or_default();
        let mark = self.scope.mark();
        self.scope.push(IT.clone(), before.clone());
        let after = self.changed_value(op, before);
        self.scope.truncate(mark);
        let after = after?;
        self.admit(&after)?;
        match place::write(self.world.root_mut(), &path, op.upsert) {
            Some(spot) => *spot = after.clone(),
            None => return Err(self.missing(&op.failure, &sought)),
        }
        self.mark_invented(&sought, &after);
        self.sync();
        self.scope.push(op.bind.clone(), after);
        Ok(())
    }

    fn changed_value(&mut self, op: &Update, before: Value) -> Step<Value> {
        let mut after = match &op.value {
            Some(template) => self.template(template)?,
            None => before,
        };
        if op.merge.is_none() && op.set.is_empty() && op.unset.is_empty() {
            return Ok(after);
        }
        if after.is_null() {
            after = Value::map();
        }
        let Value::Map(record) = &mut after else {
            return Err(ToolError::new(
                ErrorKind::Internal,
                format!("cannot set members of {}", after.type_name()),
            ));
        };
        if let Some(merge) = &op.merge {
            match self.eval(merge)? {
                Value::Map(members) => {
                    for (name, value) in members.iter().filter(|(_, v)| !v.is_null()) {
                        record.insert(name.clone(), value.clone());
                    }
                }
                Value::Null => {}
                other => {
                    return Err(ToolError::new(
                        ErrorKind::Internal,
                        format!("`merge` is {}, not an object", other.type_name()),
                    ));
                }
            }
        }
        for (name, template) in &op.set {
            let value = self.template(template)?;
            record.insert(name.clone(), value);
        }
        for name in &op.unset {
            record.remove(name);
        }
        Ok(after)
    }

    pub(super) fn delete(&mut self, op: &Delete) -> Step<()> {
        let (sought, path) = self.find(&op.target)?;
        let removed = match path {
            Some(path) => place::remove(self.world.root_mut(), &path).unwrap_or_default(),
            None if op.missing_ok => Value::Null,
            None => return Err(self.missing(&op.failure, &sought)),
        };
        if self.world.is_open()
            && let (Target::Record(..), Some(key)) = (&op.target, sought.id.as_key())
        {
            let pointer = place::pointer(&sought.container);
            self.world.note(Book::Deleted, &pointer, &key, Value::Bool(true));
            self.world.forget(Book::Invented, &pointer, &key);
            self.budget.allocate(128).map_err(exhausted)?;
        }
        self.sync();
        self.scope.push(op.bind.clone(), removed);
        Ok(())
    }

    /// Looks for a target; in an open world a record that was never seen is invented now.
    pub(super) fn find<'t>(&mut self, target: &'t Target) -> Step<(Sought<'t>, Option<Path>)> {
        match target {
            Target::At(place, text) => {
                let path = place.resolve(&mut self.scope, &mut self.budget)?;
                let there = place::read(self.world.state(), &path).is_some();
                let sought = Sought { container: path.clone(), id: Value::Null, what: text.into() };
                Ok((sought, there.then_some(path)))
            }
            Target::Record(within, id) => {
                let container = within.place.resolve(&mut self.scope, &mut self.budget)?;
                let id = eval_node(self, id)?;
                let sought = Sought { container, id, what: singular(&within.info.name) };
                let Some(key) = sought.id.as_key() else { return Ok((sought, None)) };
                let mut spot = locate(
                    within,
                    place::read(self.world.state(), &sought.container),
                    &key,
                    &mut self.budget,
                )?;
                if spot.is_none() && self.may_invent(within, &sought.container, &key) {
                    self.invent_record(within, &sought.container, &key, Map::new())?;
                    spot = locate(
                        within,
                        place::read(self.world.state(), &sought.container),
                        &key,
                        &mut self.budget,
                    )?;
                }
                let path = spot.map(|spot| join(&sought.container, spot.segment()));
                Ok((sought, path))
            }
            Target::First(within, filter) => {
                let container = within.place.resolve(&mut self.scope, &mut self.budget)?;
                let rows = place::read(self.world.state(), &container).cloned().unwrap_or_default();
                let mut found = None;
                for (key, row) in entries(&rows) {
                    self.budget.spend(1).map_err(exhausted)?;
                    let mark = self.scope.mark();
                    self.scope.push(IT.clone(), row.clone());
                    self.scope.push(KEY.clone(), Value::Str(key.clone()));
                    let holds = self.holds(filter);
                    self.scope.truncate(mark);
                    if holds? {
                        found = Some(key);
                        break;
                    }
                }
                let path = found.as_ref().map(|key| join(&container, key.clone()));
                let id = found.map_or(Value::Null, Value::Str);
                Ok((Sought { container, id, what: singular(&within.info.name) }, path))
            }
        }
    }

    /// Puts a record into its collection, making the collection if it is not there.
    pub(super) fn put(
        &mut self,
        within: &Within,
        container: &Path,
        spot: Option<Spot>,
        key: &Str,
        record: Value,
    ) -> Step<()> {
        let Some(held) = place::write(self.world.root_mut(), container, true) else {
            return Err(not_a_collection(&within.info.name));
        };
        if held.is_null() {
            *held = match within.info.kind {
                CollectionKind::Map => Value::map(),
                CollectionKind::List => Value::from_iter([]),
            };
        }
        match (held, spot) {
            (Value::Map(map), spot) => {
                map.insert(spot.map_or_else(|| key.clone(), Spot::segment), record);
            }
            (Value::List(list), Some(Spot::Index(at))) => {
                Arc::make_mut(list).set(at, record);
            }
            (Value::List(list), _) => Arc::make_mut(list).push_back(record),
            _ => return Err(not_a_collection(&within.info.name)),
        }
        self.sync();
        Ok(())
    }

    /// Invents members that the schema has and nothing determined.
    fn fill_members(
        &mut self,
        within: &Within,
        container: &Path,
        key: &Str,
        which: FillMembers,
        record: &mut Map,
        invented: &mut Vec<Str>,
    ) -> Step<()> {
        let Some(root) = within.info.schema.clone().filter(|_| which != FillMembers::None) else {
            return Ok(());
        };
        let wanted: Vec<&str> = match which {
            FillMembers::None => return Ok(()),
            FillMembers::Required => schema::required(&root, &root),
            FillMembers::All => schema::members(&root, &root).into_iter().map(|(name, _)| name).collect(),
        };
        if wanted.iter().all(|name| record.contains_key(name)) {
            return Ok(());
        }
        let filled = self.fill_record(within, container, key, &Value::Map(record.clone()))?;
        for name in wanted {
            if !record.contains_key(name)
                && let Some(value) = filled.get(name)
            {
                record.insert(name, value.clone());
                invented.push(name.into());
            }
        }
        Ok(())
    }

    fn missing(&mut self, failure: &Failure, sought: &Sought<'_>) -> ToolError {
        let Sought { id, what, .. } = sought;
        self.fail(failure, || match id.as_key() {
            Some(id) => format!("{what} \"{id}\" not found"),
            None => format!("{what} not found"),
        })
    }
}

/// Finds a record by its id: by key in an object, by the id member in a list, or in an object
/// whose keys are something else.
pub(super) fn locate(
    within: &Within,
    container: Option<&Value>,
    id: &str,
    budget: &mut Budget,
) -> Step<Option<Spot>> {
    let is = |record: &Value, member: &str| record.get(member).and_then(Value::as_key).as_deref() == Some(id);
    match container {
        Some(Value::Map(map)) => {
            if let Some(member) = &within.info.id {
                // Keyed by something other than the id (a counter, a name)? One record tells.
                let keyed = map.first().is_none_or(|(key, record)| {
                    record.get(member).and_then(Value::as_key).is_none_or(|own| own == *key)
                });
                if !keyed {
                    budget.spend(map.len() as u64).map_err(exhausted)?;
                    return Ok(map
                        .iter()
                        .find(|(_, record)| is(record, member))
                        .map(|(key, _)| Spot::Key(key.clone())));
                }
            }
            Ok(map.contains_key(id).then(|| Spot::Key(id.into())))
        }
        Some(Value::List(list)) => {
            budget.spend(list.len() as u64).map_err(exhausted)?;
            let member = within.info.id.as_deref().unwrap_or("id");
            Ok(list.iter().position(|record| is(record, member)).map(Spot::Index))
        }
        _ => Ok(None),
    }
}

/// Keys and records of a collection in order; a list's keys are its positions.
pub(super) fn entries(rows: &Value) -> Box<dyn Iterator<Item = (Str, &Value)> + '_> {
    match rows {
        Value::Map(map) => Box::new(map.iter().map(|(k, v)| (k.clone(), v))),
        Value::List(list) => Box::new(list.iter().enumerate().map(|(i, v)| (Str::from(i.to_string()), v))),
        _ => Box::new(std::iter::empty()),
    }
}

fn join(container: &Path, segment: Str) -> Path {
    let mut path = container.clone();
    path.push(segment);
    path
}

fn not_a_collection(name: &str) -> ToolError {
    ToolError::new(ErrorKind::Internal, format!("{name} is not a collection"))
}

/// `bookings` → `booking`, `categories` → `category`; the last word of a path of names.
pub(super) fn singular(name: &str) -> Cow<'_, str> {
    let name = name.rsplit(['.', '/']).next().unwrap_or(name);
    if let Some(stem) = name.strip_suffix("ies").filter(|s| s.len() > 1) {
        return format!("{stem}y").into();
    }
    let plain = name.strip_suffix('s').filter(|s| s.len() > 2 && !s.ends_with(['s', 'u', 'i']));
    plain.unwrap_or(name).into()
}
