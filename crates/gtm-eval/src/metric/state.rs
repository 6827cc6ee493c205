//! `state`: whether a read shows what earlier calls wrote.
//!
//! Which turns are *checks of state* follows from the real session alone. A check is a read (see
//! [`crate::read_only`]) that was not spoilt or cut off, after a successful call that was no read (a
//! *write*), and shows the write in one of these ways:
//! - *changed*: the same call before the write had another outcome;
//! - *created*: an argument first occurs in the reply of a write;
//! - *given*: the reply holds a value that first occurs in the arguments of a write;
//! - *updated*: an object of the reply is a record of the initial state, found by a value that a
//!   write names, and a member of it has another value that a write names;
//! - *gone*: the call fails, and an argument is the key of a record of the initial state that a
//!   write names too.
//!
//! A prediction passes a check if it fails where the real call failed, and else is equal to the
//! real reply as `exact` has it. So both directions count: what was not written, and what was
//! written and should not have been.

use super::exact::Comparison;
use crate::known::Known;
use crate::read_only::is_read;
use crate::session::{Session, Turn};
use crate::volatile::is_id_name;
use serde_json::{Map, Value as Json};
use std::collections::{HashMap, HashSet};

/// Levels of a reply that are searched for records.
const MAX_DEPTH: usize = 4;

/// For each turn, whether it is a check of state.
pub(crate) fn checks(session: &Session) -> Vec<bool> {
    let mut past = Past::new(session);
    session
        .turns
        .iter()
        .enumerate()
        .map(|(at, turn)| {
            let read = is_read(session, turn);
            past.given.add(&turn.arguments);
            let check = read && turn.mutation.is_none() && !turn.truncated && past.shows_write(turn);
            past.add(at, turn, read);
            check
        })
        .collect()
}

/// Whether a prediction passes a check of state; `same` says if the replies are equal.
pub(crate) fn passes(real_error: bool, our_error: bool, same: bool) -> bool {
    if real_error { our_error } else { !our_error && same }
}

/// Where a value occurred first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The initial state, a read, or a call that failed.
    Elsewhere,
    ArgumentOfWrite,
    ReplyOfWrite,
}

/// What a session has shown before a turn.
struct Past<'a> {
    /// Initial state and arguments: what is not made up by the tools.
    given: Known,
    origins: HashMap<String, Origin>,
    /// Latest turn of each call.
    calls: HashMap<(&'a str, String), usize>,
    turns: &'a [Turn],
    last_write: Option<usize>,
    /// Values in arguments and replies of writes.
    written: HashSet<String>,
    /// Objects of the initial state by their keys.
    records: HashMap<String, Vec<&'a Map<String, Json>>>,
}

impl<'a> Past<'a> {
    fn new(session: &'a Session) -> Past<'a> {
        let mut past = Past {
            given: Known::default(),
            origins: HashMap::new(),
            calls: HashMap::new(),
            turns: &session.turns,
            last_write: None,
            written: HashSet::new(),
            records: HashMap::new(),
        };
        if let Some(state) = &session.initial_state {
            past.given.add(state);
            scalars(state, &mut |value| {
                past.origins.insert(value, Origin::Elsewhere);
            });
            index(state, None, &mut past.records);
        }
        past
    }

    fn add(&mut self, at: usize, turn: &'a Turn, read: bool) {
        let write = !read && !turn.is_error;
        let origins = &mut self.origins;
        let mut note = |value: &Json, origin| {
            let origin = if write { origin } else { Origin::Elsewhere };
            scalars(value, &mut |value| {
                if write {
                    self.written.insert(value.clone());
                }
                origins.entry(value).or_insert(origin);
            });
        };
        note(&turn.arguments, Origin::ArgumentOfWrite);
        note(&turn.response, Origin::ReplyOfWrite);
        if write {
            self.last_write = Some(at);
        }
        self.calls.insert((&turn.tool, turn.arguments.to_string()), at);
    }

    fn shows_write(&self, turn: &Turn) -> bool {
        let Some(last_write) = self.last_write else { return false };
        let key = (turn.tool.as_str(), turn.arguments.to_string());
        if let Some(&before) = self.calls.get(&key)
            && before < last_write
            && self.differs(&self.turns[before], turn)
        {
            return true;
        }
        let mut arguments = HashSet::new();
        scalars(&turn.arguments, &mut |value| {
            arguments.insert(value);
        });
        if arguments.iter().any(|value| self.origins.get(value) == Some(&Origin::ReplyOfWrite)) {
            return true;
        }
        let named: Vec<&String> = arguments.iter().filter(|value| self.written.contains(*value)).collect();
        if turn.is_error {
            return named.iter().any(|value| self.records.contains_key(*value));
        }
        let mut given = false;
        scalars(&turn.response, &mut |value| {
            given |= is_specific(&value)
                && !arguments.contains(&value)
                && self.origins.get(&value) == Some(&Origin::ArgumentOfWrite);
        });
        given || self.updated(&turn.response, &named, 0)
    }

    fn differs(&self, before: &Turn, now: &Turn) -> bool {
        before.is_error != now.is_error
            || !Comparison::new(&self.given).same(&before.response, &now.response, "")
    }

    /// Whether an object of the reply is a record that has changed since the start.
    fn updated(&self, reply: &Json, named: &[&String], depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match reply {
            Json::Array(items) => items.iter().any(|item| self.updated(item, &[], depth + 1)),
            Json::Object(object) => {
                let own = object.iter().filter(|(name, _)| is_id_name(name)).filter_map(|(_, v)| spelt(v));
                let own: Vec<String> = own.filter(|value| self.written.contains(value)).collect();
                let keys = named.iter().copied().chain(&own);
                let mut found = keys.filter_map(|key| self.records.get(key)).flatten();
                found.any(|record| is_view(record, object) && self.member_differs(record, object))
                    || object.values().any(|value| self.updated(value, &[], depth + 1))
            }
            _ => false,
        }
    }

    /// Whether a member holds a value that a write named and the record did not hold at the start.
    /// A tool may show a record otherwise than it keeps it, which is no write.
    fn member_differs(&self, record: &Map<String, Json>, object: &Map<String, Json>) -> bool {
        object.iter().any(|(name, now)| {
            let Some(before) = record.get(name) else { return false };
            let mut old = HashSet::new();
            scalars(before, &mut |value| {
                old.insert(value);
            });
            let mut written = false;
            scalars(now, &mut |value| written |= self.written.contains(&value) && !old.contains(&value));
            written
        })
    }
}

/// Whether an object can be a view of a record: most of its members are the record's.
fn is_view(record: &Map<String, Json>, object: &Map<String, Json>) -> bool {
    let shared = object.keys().filter(|name| record.contains_key(*name)).count();
    shared >= 2 && shared * 2 >= object.len()
}

/// Objects by the key they stand under, and rows of lists by the members that identify them.
fn index<'a>(value: &'a Json, key: Option<&str>, records: &mut HashMap<String, Vec<&'a Map<String, Json>>>) {
    match value {
        Json::Object(object) => {
            if let Some(key) = key {
                records.entry(key.to_owned()).or_default().push(object);
            }
            object.iter().for_each(|(name, value)| index(value, Some(name), records));
        }
        Json::Array(rows) => {
            for row in rows {
                let ids = row.as_object().into_iter().flatten().filter(|(name, _)| is_id_name(name));
                let ids: HashSet<String> = ids.filter_map(|(_, value)| spelt(value)).collect();
                if let Json::Object(object) = row {
                    ids.into_iter().for_each(|id| records.entry(id).or_default().push(object));
                }
                index(row, None, records);
            }
        }
        _ => {}
    }
}

/// Calls `each` with every text and number in a value, spelt.
fn scalars(value: &Json, each: &mut dyn FnMut(String)) {
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                each(name.clone());
                scalars(member, each);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| scalars(item, each)),
        scalar => {
            if let Some(text) = spelt(scalar) {
                each(text);
            }
        }
    }
}

fn spelt(scalar: &Json) -> Option<String> {
    match scalar {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a value is unlikely to occur twice by chance.
fn is_specific(value: &str) -> bool {
    value.len() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::ToolCache;
    use serde_json::json;

    fn session(state: Json, turns: Json) -> Session {
        let tool = |name: &str| json!({"name": name, "description": "", "parameters": {"type": "object", "properties": {}}});
        let tools: Vec<Json> =
            ["get_note", "list_notes", "create_note", "delete_note", "update_note"].map(tool).into();
        let line = json!({"session_id": "s", "tools": tools, "initial_state": state, "turns": turns});
        Session::parse(&line.to_string(), &ToolCache::default()).unwrap()
    }

    fn turn(name: &str, arguments: Json, response: Json, is_error: bool) -> Json {
        json!({"call": {"name": name, "arguments": arguments}, "response": response, "is_error": is_error})
    }

    #[test]
    fn reads_that_show_writes_are_found() {
        let state = json!({"notes": {"n1": {"id": "n1", "text": "milk", "done": false}, "n2": {"id": "n2", "text": "eggs", "done": false}}});
        let note = |text: &str, done: bool| json!({"id": "n1", "text": text, "done": done});
        let found = checks(&session(
            state,
            json!([
                turn("get_note", json!({"id": "n1"}), note("milk", false), false),
                turn("update_note", json!({"id": "n1", "done": true}), json!("ok"), false),
                turn("get_note", json!({"id": "n1"}), note("milk", true), false),
                turn(
                    "get_note",
                    json!({"id": "n2"}),
                    json!({"id": "n2", "text": "eggs", "done": false}),
                    false
                ),
                turn("create_note", json!({"text": "bread"}), json!({"id": "note-77"}), false),
                turn("get_note", json!({"id": "note-77"}), json!({"id": "note-77"}), false),
                turn("list_notes", json!({}), json!(["milk", "bread"]), false),
                turn("delete_note", json!({"id": "n2"}), json!("ok"), false),
                turn("get_note", json!({"id": "n2"}), json!("not found"), true),
                turn("get_note", json!({"id": "n9"}), json!("not found"), true),
            ]),
        ));
        // changed, untouched record, created, given, gone, never there.
        assert_eq!(found, [false, false, true, false, false, true, true, false, true, false]);
    }

    #[test]
    fn a_record_that_was_never_read_before_is_compared_with_the_initial_state() {
        let state = json!({"notes": {"n1": {"id": "n1", "text": "milk", "status": "open"}}});
        let list = |status: &str| json!([{"id": "n1", "text": "MILK", "status": status}]);
        let found = checks(&session(
            state,
            json!([
                turn("list_notes", json!({}), list("closed"), false),
                turn("update_note", json!({"id": "n1"}), json!({"id": "n1", "status": "closed"}), false),
                turn("list_notes", json!({"page": 1}), list("closed"), false),
                turn("list_notes", json!({"page": 2}), list("open"), false),
            ]),
        ));
        assert_eq!(found, [false, false, true, false], "shown otherwise is not written");
    }

    #[test]
    fn a_moving_clock_is_no_write() {
        let found = checks(&session(
            json!({}),
            json!([
                turn("get_note", json!({}), json!({"now": "2024-05-01T10:00:00"}), false),
                turn("update_note", json!({}), json!("ok"), false),
                turn("get_note", json!({}), json!({"now": "2024-05-01T10:00:07"}), false),
            ]),
        ));
        assert_eq!(found, [false, false, false]);
    }

    #[test]
    fn both_directions_count() {
        let same = |real: &Json, ours: &Json| Comparison::new(&Known::default()).same(real, ours, "");
        let real = json!([{"id": 1}, {"id": 2}]);
        for (ours, right) in [
            (json!([{"id": 1}, {"id": 2}]), true),
            (json!([{"id": 1}, {"id": 2}, {"id": 3}]), false), // a spurious write
            (json!([{"id": 1}]), false),                       // a write that was missed
            (json!([]), false),                                // wiped
        ] {
            assert_eq!(passes(false, false, same(&real, &ours)), right, "{ours}");
        }
        assert!(!passes(true, false, false), "a delete that was missed");
        assert!(passes(true, true, false), "gone on both sides, in whatever words");
        assert!(!passes(false, true, false));
    }
}
