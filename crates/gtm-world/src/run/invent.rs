//! Open worlds: records that are invented on first look, and stay.

use super::{Run, Step, exhausted, ids};
use crate::compile::Within;
use crate::place::{self, Path};
use crate::world::Book;
use crate::{Map, Slot, Str, Value, schema, seed};

/// Nodes of a reply searched for invented records.
const MAX_SEARCHED: usize = 2_000;

/// Most pointers reported per reply.
const MAX_POINTERS: usize = 200;

impl Run<'_> {
    /// Whether a record of this id may be invented: the world is open, the collection has a
    /// schema, was never listed (it would have been there), and the id was never deleted.
    pub(super) fn may_invent(&self, within: &Within, container: &Path, key: &str) -> bool {
        self.may_invent_rows(within, container)
            && self.world.book(Book::Deleted, &place::pointer(container), key).is_none()
    }

    /// Whether a collection may be given records that nobody created. What belongs to a record
    /// that the session itself made starts empty.
    pub(super) fn may_invent_rows(&self, within: &Within, container: &Path) -> bool {
        self.world.is_open()
            && within.info.schema.is_some()
            && self.world.book(Book::Listed, &place::pointer(container), "").is_none()
            && !container.iter().skip(1).any(|scope| self.world.book(Book::Made, "", scope).is_some())
    }

    /// Invents a record and puts it into the collection.
    pub(super) fn invent_record(
        &mut self,
        within: &Within,
        container: &Path,
        key: &Str,
        mut known: Map,
    ) -> Step<()> {
        if let Some(member) = &within.info.id {
            let id = ids::typed(within, key, Value::Str(key.clone()));
            known = std::iter::once((member.clone(), id))
                .chain(known.iter().map(|(k, v)| (k.clone(), v.clone())))
                .collect();
        }
        let mut record = self.fill_record(within, container, key, &Value::Map(known.clone()))?;
        if let Value::Map(record) = &mut record {
            for (name, value) in known.iter() {
                if record.get(name) != Some(value) {
                    record.insert(name.clone(), value.clone());
                }
            }
        }
        self.admit(&record)?;
        self.put(within, container, None, key, record.clone())?;
        self.note_invented(&place::pointer(container), key, &record, Vec::new());
        Ok(())
    }

    /// A whole record by the filler; the same record of the same session is always filled alike.
    pub(super) fn fill_record(
        &mut self,
        within: &Within,
        container: &Path,
        key: &str,
        known: &Value,
    ) -> Step<Value> {
        let schema = within.info.schema.as_deref().unwrap_or(&serde_json::Value::Bool(true));
        let value = self.slots.filler.fill(&Slot {
            tool: &self.program.tool,
            path: &within.info.name,
            schema,
            root: schema,
            known: Some(known),
            args: &Value::map(),
            now: self.world.now(),
            seed: seed::derive(self.world.seed(), &["record", &place::pointer(container), key]),
            rows: 2,
        });
        self.budget.allocate(value.size().0).map_err(exhausted)?;
        Ok(value)
    }

    /// Gives a collection that is listed for the first time a few records, some of which satisfy
    /// what the call asks for. From then on the collection is known completely.
    pub(super) fn invent_rows(
        &mut self,
        within: &Within,
        container: &Path,
        equal: &[(Str, Value)],
        search: Option<&str>,
    ) -> Step<()> {
        let pointer = place::pointer(container);
        let Some(root) = within.info.schema.clone() else { return Ok(()) };
        let rows = 3 + seed::derive(self.world.seed(), &["rows", &pointer]) % 3;
        for row in 0..rows {
            let id = ids::next(self, within, container)?;
            let Some(key) = id.as_key() else { continue };
            let mut known = Map::new();
            // Every second row matches the filters, so that a filter shows its effect.
            if row % 2 == 0 {
                for (name, wanted) in equal {
                    if schema::member(&root, &root, name).is_some() {
                        let one = wanted.as_list().and_then(|l| l.front()).unwrap_or(wanted);
                        known.insert(name.clone(), one.clone());
                    }
                }
                if let Some((name, text)) =
                    search.and_then(|text| self.searchable(within, container, &key, text))
                {
                    known.insert(name, text);
                }
            }
            self.invent_record(within, container, &key, known)?;
        }
        self.world.note(Book::Listed, &pointer, "", Value::Bool(true));
        self.sync();
        Ok(())
    }

    /// A text member of the record to come that contains the words searched for.
    fn searchable(
        &mut self,
        within: &Within,
        container: &Path,
        key: &str,
        text: &str,
    ) -> Option<(Str, Value)> {
        let record = self.fill_record(within, container, key, &Value::map()).ok()?;
        let members = record.as_map()?;
        let named = ["name", "title", "summary", "subject", "description", "text", "content"];
        let (name, old) = named
            .iter()
            .find_map(|n| members.get(n).and_then(Value::as_str).map(|old| (Str::from(*n), old)))
            .or_else(|| {
                let id = within.info.id.as_deref();
                let is_text = |(k, v): &(&Str, &Value)| {
                    Some(&***k) != id && v.as_str().is_some_and(|s| s.contains(' '))
                };
                members.iter().find(is_text).map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default()))
            })?;
        let has = old.to_lowercase().contains(&text.to_lowercase());
        Some((name, if has { old.into() } else { Value::from(format!("{old} {text}")) }))
    }

    /// Remembers that a record holds invented members: those named, or all.
    pub(super) fn note_invented(&mut self, pointer: &str, key: &str, record: &Value, members: Vec<Str>) {
        let noted = match members.is_empty() {
            true => Value::Bool(true),
            false => members.iter().cloned().map(Value::Str).collect(),
        };
        self.world.note(Book::Invented, pointer, key, noted);
        if let Value::Map(map) = record {
            self.marks.push((map.clone(), members));
        }
    }

    /// Marks a record that this call reads, if it holds invented members.
    pub(super) fn mark_invented(&mut self, sought: &super::record::Sought<'_>, record: &Value) {
        let (true, Some(key), Value::Map(map)) = (self.world.is_open(), sought.id.as_key(), record) else {
            return;
        };
        self.mark(&place::pointer(&sought.container), &key, map);
    }

    pub(super) fn mark(&mut self, pointer: &str, key: &str, record: &Map) {
        match self.world.book(Book::Invented, pointer, key) {
            Some(Value::List(names)) => {
                let names = names.iter().filter_map(|n| n.as_str().map(Str::from)).collect();
                self.marks.push((record.clone(), names));
            }
            Some(_) => self.marks.push((record.clone(), Vec::new())),
            None => {}
        }
    }
}

/// Adds the pointers of marked records (or their marked members) that appear in the reply as they are.
pub(super) fn pointers(reply: &Value, marks: &[(Map, Vec<Str>)], out: &mut Vec<String>) {
    if !marks.is_empty() {
        search(reply, marks, &mut String::new(), &mut MAX_SEARCHED.clone(), out);
    }
}

fn search(
    value: &Value,
    marks: &[(Map, Vec<Str>)],
    pointer: &mut String,
    left: &mut usize,
    out: &mut Vec<String>,
) {
    if *left == 0 || out.len() >= MAX_POINTERS {
        return;
    }
    *left -= 1;
    if let Value::Map(map) = value
        && let Some((_, members)) = marks.iter().find(|(marked, _)| marked.same(map))
    {
        match members.is_empty() {
            true => out.push(pointer.clone()),
            false => {
                out.extend(members.iter().filter(|m| map.contains_key(m)).map(|m| format!("{pointer}/{m}")))
            }
        }
        return;
    }
    for (key, inner) in super::record::entries(value) {
        let mark = pointer.len();
        pointer.push('/');
        pointer.push_str(&key);
        search(inner, marks, pointer, left, out);
        pointer.truncate(mark);
    }
}
