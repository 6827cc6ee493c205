//! Comparing a state with the one that a reference leads to, up to declared freedoms.

use crate::goal::EndState;
use crate::pattern::{Pattern, pointer, steps};
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, Session, SessionOptions, Simulator};
use gtm_world::{Map, Str, Value};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Differences told in a score.
const TOLD: usize = 6;
/// Longest value shown, in characters.
const SHOWN: usize = 80;
/// Most calls of a reference.
const MAX_CALLS: usize = 1_000;

/// A compiled [`EndState`]. The reference is run when it is first needed.
#[derive(Debug)]
pub(crate) struct EndCheck {
    calls: Vec<Call>,
    free: Vec<Pattern>,
    any_id: Vec<Vec<String>>,
    replies: bool,
    target: OnceLock<std::result::Result<Target, String>>,
}

/// Where the reference leads.
#[derive(Debug)]
struct Target {
    state: Value,
    /// What the calls that changed nothing were answered.
    told: Vec<(String, Value)>,
}

impl EndCheck {
    /// # Errors
    /// [`Code::EnvironmentInvalid`] for a path that is none, or a reference that is too long.
    pub(crate) fn new(end: &EndState) -> Result<EndCheck> {
        if end.calls.len() > MAX_CALLS {
            let what = format!("a reference of {} calls", end.calls.len());
            return Err(Error::new(Code::EnvironmentInvalid, what).expected(format!("at most {MAX_CALLS}")));
        }
        Ok(EndCheck {
            calls: end.calls.clone(),
            free: end
                .free
                .iter()
                .map(|path| Pattern::parse(path))
                .collect::<Result<_>>()
                .map_err(|e| e.at("/free"))?,
            any_id: end
                .any_id
                .iter()
                .map(|path| steps(path))
                .collect::<Result<_>>()
                .map_err(|e| e.at("/any_id"))?,
            replies: end.replies,
            target: OnceLock::new(),
        })
    }

    pub(crate) fn about(&self) -> String {
        let tools: Vec<&str> = self.calls.iter().map(|call| call.tool.as_str()).take(4).collect();
        match tools.is_empty() {
            true => "state as at the start".into(),
            false => format!(
                "state as after {}{}",
                tools.join(", "),
                if self.calls.len() > 4 { ", …" } else { "" }
            ),
        }
    }

    /// The reference.
    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Whether the state is as wanted, and how it differs.
    pub(crate) fn check(
        &self,
        simulator: &Simulator,
        opening: &SessionOptions,
        session: &Session,
    ) -> (bool, String) {
        let target = match self.target.get_or_init(|| self.reach(simulator, opening)) {
            Ok(target) => target,
            Err(why) => return (false, why.clone()),
        };
        let mut found = Differences { check: self, told: Vec::new(), more: 0 };
        found.compare(Some(&target.state), Some(session.state()), &mut Vec::new());
        if self.replies {
            found.untold(target, session);
        }
        let Differences { told, more, .. } = found;
        match (told.is_empty(), more) {
            (true, _) => (true, "the state is as it should be".into()),
            (false, 0) => (false, told.join("; ")),
            (false, more) => (false, format!("{}; and {more} more", told.join("; "))),
        }
    }

    /// Makes the reference's calls in a session of their own.
    fn reach(&self, simulator: &Simulator, opening: &SessionOptions) -> std::result::Result<Target, String> {
        let mut session = simulator.open(opening.clone()).map_err(|e| e.message().to_owned())?;
        let mut told = Vec::new();
        for call in &self.calls {
            let version = session.version();
            let reply = simulator.call(&mut session, call);
            if self.replies && !reply.is_error && session.version() == version {
                told.push((call.tool.clone(), Value::from(reply.content)));
            }
        }
        Ok(Target { state: session.state().clone(), told })
    }
}

/// Differences found so far.
struct Differences<'a> {
    check: &'a EndCheck,
    told: Vec<String>,
    more: usize,
}

impl Differences<'_> {
    fn tell(&mut self, place: &[&str], what: String) {
        if self.told.len() < TOLD {
            self.told.push(format!("{} {what}", pointer(place)));
        } else {
            self.more += 1;
        }
    }

    /// Compares what should be at a place with what is. Depth is bounded by that of states.
    fn compare<'v>(&mut self, wanted: Option<&'v Value>, found: Option<&'v Value>, place: &mut Vec<&'v str>) {
        if self.check.free.iter().any(|pattern| pattern.covers(place)) {
            return;
        }
        match (wanted, found) {
            (Some(Value::Map(a)), Some(Value::Map(b))) => {
                if a.same(b) {
                    return;
                }
                if self.check.any_id.iter().any(|path| path.iter().eq(place.iter())) {
                    return self.compare_records(a, b, place);
                }
                for (key, value) in a.iter() {
                    place.push(key);
                    self.compare(Some(value), b.get(key), place);
                    place.pop();
                }
                for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(key)) {
                    place.push(key);
                    self.compare(None, Some(value), place);
                    place.pop();
                }
            }
            (Some(Value::List(a)), Some(Value::List(b))) if a.len() == b.len() => {
                if std::sync::Arc::ptr_eq(a, b) {
                    return;
                }
                let free = !self.check.free.is_empty();
                for (at, (x, y)) in a.iter().zip(b.iter()).enumerate() {
                    // Only where something below may be free does it matter where it is.
                    if x == y {
                        continue;
                    }
                    if !free {
                        return self.tell(
                            place,
                            format!("differs from item {at} on: {}, not {}", shown(y), shown(x)),
                        );
                    }
                    // The item's number is not part of the states, so it gets a path of its own.
                    let number = at.to_string();
                    let mut there: Vec<&str> = place.iter().copied().chain([number.as_str()]).collect();
                    self.compare(Some(x), Some(y), &mut there);
                }
            }
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) => self.tell(place, format!("is {}, not {}", shown(b), shown(a))),
            // Nothing and null are the same.
            (Some(Value::Null) | None, None) | (None, Some(Value::Null)) => {}
            (Some(a), None) => self.tell(place, format!("is missing, should be {}", shown(a))),
            (None, Some(b)) => self.tell(place, format!("should not be there: {}", shown(b))),
        }
    }

    /// Compares collections whose records may have other ids: as bags of records without them.
    fn compare_records<'v>(&mut self, wanted: &'v Map, found: &'v Map, place: &mut Vec<&'v str>) {
        let mut bag: BTreeMap<String, i64> = BTreeMap::new();
        for (records, count) in [(wanted, 1), (found, -1)] {
            for (key, record) in records.iter() {
                *bag.entry(self.without_id(key, record, place).to_json().to_string()).or_default() += count;
            }
        }
        for (record, count) in bag.into_iter().filter(|(_, count)| *count != 0) {
            let record: String = record.chars().take(SHOWN).collect();
            let what = if count > 0 { "lacks a record like" } else { "has a record too much:" };
            self.tell(place, format!("{what} {record}"));
        }
    }

    /// A record without members that hold its id and without what is free.
    fn without_id(&self, key: &Str, record: &Value, place: &[&str]) -> Value {
        let Value::Map(members) = record else { return record.clone() };
        let is_id = |value: &Value| value.as_key().is_some_and(|id| id == *key);
        let is_free = |name: &Str| {
            let mut there = place.to_vec();
            there.extend([&**key, &**name]);
            self.check.free.iter().any(|pattern| pattern.covers(&there))
        };
        let mut kept: Vec<(Str, Value)> = members
            .iter()
            .filter(|(name, value)| !is_id(value) && !is_free(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        Value::Map(kept.into_iter().collect())
    }

    /// Replies that the reference got and the agent did not.
    fn untold(&mut self, target: &Target, session: &Session) {
        let mut got: Vec<Value> = session
            .transcript()
            .filter(|turn| !turn.reply.is_error)
            .map(|turn| Value::from(turn.reply.content))
            .collect();
        for (tool, reply) in &target.told {
            match got.iter().position(|content| content == reply) {
                Some(at) => drop(got.swap_remove(at)),
                None => {
                    self.tell(&[], format!("the agent did not get what `{tool}` tells: {}", shown(reply)))
                }
            }
        }
    }
}

/// A value as a score shows it.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_json().to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
