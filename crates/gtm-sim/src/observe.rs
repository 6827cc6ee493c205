//! Feeding real outcomes into a session, so that what is simulated later agrees with what was real.
//!
//! What it does: the real reply becomes the reply of that turn. If it was a success, the tool's
//! behavior is run to learn what the call changes, and then the real values are laid over:
//! - a value that the behavior made up (an id, a time, an invented member) and that the real reply
//!   has otherwise at the same place, is replaced wherever the call put it;
//! - every object in the real reply that can be told to be a record of the state, by the id it
//!   carries or the call named, hands its members to that record; one that shows most of the record also
//!   hands it new members, and takes from it what only our own behavior has put there;
//! - an object that is like the records of one collection and has an id that is not there is a new
//!   record of it, in place of one that our own behavior made for it.
//!
//! What it does not do: it does not guess what else the real call may have changed.

use crate::delta;
use crate::errors;
use crate::history::{Done, Rare};
use crate::inject::{self, Counts, Plan};
use crate::live::RealReply;
use crate::reply::{Call, Observed, Reply, Rung};
use crate::session::{Checkpoint, Session};
use crate::simulator::{NewTurn, Simulator};
use gtm_error::Result;
use gtm_world::{ErrorKind, Given, Map, Outcome, Str, ToolError, Value, World};
use std::sync::Arc;

/// Objects of one real reply that are looked at.
const MAX_OBJECTS: usize = 1_000;
/// Levels of a real reply that are looked at: an envelope, a list, a record.
const MAX_DEPTH: usize = 4;
/// Rows of a collection stored as a list that are searched for a record.
const MAX_ROWS: usize = 10_000;
/// Members of an object in the state that are looked through for collections inside it.
const MAX_NESTED: usize = 64;

impl Simulator {
    /// Records what the real tool answered. The session goes on from there: the turn's reply is
    /// the real one, the same call is answered with it as long as nothing changes, and the state
    /// agrees with it as far as that can be told.
    ///
    /// # Errors
    /// Those of [`Simulator::try_call`].
    pub fn observe(&self, session: &mut Session, call: &Call, observed: Observed) -> Result<Reply> {
        let turn = self.observation(session, call, observed);
        Ok(self.commit(session, turn))
    }

    pub(crate) fn observation(&self, session: &Session, call: &Call, observed: Observed) -> NewTurn {
        let real = RealReply { content: observed.content, is_error: observed.is_error, status: None };
        self.real_turn(session, call, real, Rung::Observed, (Plan::default(), session.now.counts.clone()))
    }

    /// The turn of a call that the real tool was asked. Faults that only delay or cut it apply.
    pub(crate) fn live_turn(&self, session: &Session, call: &Call, real: RealReply) -> NewTurn {
        let planned = self.plan(session, &call.tool, &call.given());
        self.real_turn(session, call, real, Rung::Live, planned)
    }

    /// The turn of a call whose real outcome is known.
    pub(crate) fn real_turn(
        &self,
        session: &Session,
        call: &Call,
        real: RealReply,
        rung: Rung,
        (plan, counts): (Plan, Counts),
    ) -> NewTurn {
        let RealReply { content: mut json, is_error, status } = real;
        let args = call.given();
        let mut content = Value::from(&json);
        let before = &session.now.world;
        // A recorded reply is what it is; the ones that come in are learned from.
        let taught = matches!(rung, Rung::Observed | Rung::Live);
        let foreseen = taught.then(|| Box::new(self.foresee(session, call)));
        let (world, lasting) = match is_error {
            true => (before.clone(), true),
            false => self.effect(session, call, &args, &content),
        };
        if !is_error && !plan.truncate.is_empty() {
            json = plan.truncate.iter().fold(json, inject::truncate);
            content = Value::from(&json);
        }
        let trail = self.trail_after(session, &call.tool, &args, is_error);
        let mut next = Checkpoint { world, counts, trail, ..session.now.clone() };
        let kind = status.map_or(ErrorKind::Internal, errors::kind_of);
        let error = is_error.then(|| ToolError::new(kind, "the real tool failed"));
        let success =
            self.tool(&call.tool).and_then(|spec| spec.http.as_ref()).map(|http| http.success_status);
        let usual = match is_error {
            true => 500,
            false => success.filter(|s| *s != 0).unwrap_or(200),
        };
        let fault = (!plan.names.is_empty()).then(|| plan.names.join(", "));
        let Plan { delay_ms, retry_after_s, .. } = plan;
        let rare = Rare { error, invented: Vec::new(), fault, delay_ms, retry_after_s };
        let done = Arc::new(Done {
            tool: call.tool.as_str().into(),
            args,
            key: call.idempotency_key.as_deref().map(Arc::from),
            content,
            rung,
            is_error,
            valid: true,
            // A recording answers by itself the next time, and a real tool is asked again.
            lasting: lasting && rung == Rung::Observed,
            foreseen,
            status: status.unwrap_or(usual),
            seed: session.seed(),
            version_before: before.version(),
            version: next.world.version(),
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
        });
        next.remember(&done);
        NewTurn { done, next, content: json }
    }

    /// The world after a real success, and whether the same call would have the same outcome again.
    fn effect(&self, session: &Session, call: &Call, args: &Value, real: &Value) -> (World, bool) {
        let before = &session.now.world;
        let Some(tool) = self.compiled(&call.tool) else { return (before.clone(), true) };
        let (spec, limits) = (&self.toolset.tools[tool.at], &self.toolset.limits);
        // The real tool took the arguments, so they are taken here whatever the check says of them.
        let (read, check) = tool.examine(spec, self.toolset.arguments, limits, &call.arguments);
        let args = &if check.is_null() { Value::from(&*read) } else { args.clone() };
        let repeated = self.repeats(session, tool, args);
        let given = Given { args, check: &check, repeated };
        // Where a learned behavior refuses what was taken, the derived one may know what it does.
        let derived = tool.derived(spec, &self.library);
        let derived = derived.and_then(|program| program.run_given(before, &given, &*self.filler).ok());
        let outcome = self.run(tool, before, &given).ok().or(derived.clone());
        // Where ours would have failed, what the reply shows is all that is known.
        let outcome = outcome.unwrap_or_else(|| Outcome {
            reply: Value::Null,
            world: before.clone(),
            changed: false,
            invented: Vec::new(),
        });
        // What an open world invents on first look is no change that the call asked for.
        let reads = spec.http.as_ref().is_some_and(|http| http.method == "GET");
        let lasting = !outcome.changed || reads || spec.annotations.read_only == Some(true);
        // What is deeper than a state may be cannot be laid over one.
        if real.size().1 >= limits.world.depth {
            return (outcome.world, lasting);
        }
        let mut after = outcome.world;
        let mut state = after.state().clone();
        let mut made = Vec::new();
        if outcome.changed {
            let mut pairs = Vec::new();
            differences(&outcome.reply, real, &mut pairs, 0);
            // What it made up is told by its own reply.
            if let Some(derived) = &derived {
                differences(&derived.reply, real, &mut pairs, 0);
            }
            let fresh: Vec<String> =
                delta::diff(before.state(), &state).iter().filter_map(delta::Change::target).collect();
            fresh.iter().for_each(|pointer| replace_made_up(&mut state, pointer, &pairs));
            let new = |pointer: &String| delta::place(before.state(), pointer).is_none();
            made = fresh.into_iter().filter(new).collect();
        }
        let mut objects = Vec::new();
        collect(real, &mut objects, 0);
        let named: Vec<Str> =
            args.as_map().into_iter().flat_map(Map::values).filter_map(Value::as_key).collect();
        for object in objects {
            if !merge(&mut state, before.state(), object, &named) {
                adopt(&mut state, object, &made);
            }
        }
        if state != *after.state() {
            // A run that changed something has counted already, and a call counts once.
            match outcome.changed {
                true => {
                    after = after
                        .with_contents(state, after.books(), after.version(), real.size().0)
                        .unwrap_or(after)
                }
                false => after.set_state(state),
            }
        }
        (after, lasting)
    }
}

/// A value the behavior made up and the real one in its place, with the name of the member.
struct Pair {
    name: Str,
    made_up: Value,
    real: Value,
}

/// Scalars that differ between the predicted and the real reply, place by place.
fn differences(predicted: &Value, real: &Value, out: &mut Vec<Pair>, depth: usize) {
    if depth > MAX_DEPTH || out.len() > MAX_OBJECTS {
        return;
    }
    match (predicted, real) {
        (Value::Map(p), Value::Map(r)) => {
            for (name, value) in p.iter() {
                let Some(other) = r.get(name) else { continue };
                match (value, other) {
                    (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_)) => {
                        differences(value, other, out, depth + 1);
                    }
                    _ if value.as_key().is_some() && !delta::identical(value, other) => {
                        out.push(Pair { name: name.clone(), made_up: value.clone(), real: other.clone() });
                    }
                    _ => {}
                }
            }
        }
        (Value::List(p), Value::List(r)) => {
            p.iter().zip(r.iter()).for_each(|(p, r)| differences(p, r, out, depth + 1));
        }
        _ => {}
    }
}

/// Lays real values over made-up ones in what a call changed at `pointer`.
fn replace_made_up(state: &mut Value, pointer: &str, pairs: &[Pair]) {
    let Some(place) = delta::place_mut(state, pointer) else { return };
    let name = pointer.rsplit('/').next().map(delta::unescape).unwrap_or_default();
    replace_within(place, &name, pairs, 0);
    // A record under a made-up id moves to the real one.
    let renamed =
        |p: &&Pair| p.made_up.as_key().as_deref() == Some(&*name) && place_is_record(state, pointer);
    let Some(new) = pairs.iter().find(renamed).and_then(|p| p.real.as_key()) else { return };
    let Some((parent, _)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Map(map)) = delta::place_mut(state, parent)
        && !map.contains_key(&new)
        && let Some(record) = map.remove(&name)
    {
        map.insert(new, record);
    }
}

fn place_is_record(state: &Value, pointer: &str) -> bool {
    delta::place(state, pointer).is_some_and(|v| v.as_map().is_some())
}

fn replace_within(value: &mut Value, name: &str, pairs: &[Pair], depth: usize) {
    match value {
        Value::Map(map) => {
            if depth > MAX_DEPTH {
                return;
            }
            let names: Vec<Str> = map.keys().cloned().collect();
            for name in names {
                if let Some(member) = map.get_mut(&name) {
                    replace_within(member, &name, pairs, depth + 1);
                }
            }
        }
        Value::List(_) | Value::Null => {}
        scalar => {
            // The same name, or the same text: an order's `id` may be the reply's `order_id`.
            let fits = |p: &&Pair| {
                delta::identical(&p.made_up, scalar) && (&*p.name == name || matches!(scalar, Value::Str(_)))
            };
            if let Some(pair) = pairs.iter().find(fits) {
                *scalar = pair.real.clone();
            }
        }
    }
}

/// Objects of a real reply that may be records.
fn collect<'a>(real: &'a Value, out: &mut Vec<&'a Map>, depth: usize) {
    if depth > MAX_DEPTH || out.len() >= MAX_OBJECTS {
        return;
    }
    match real {
        Value::Map(map) => {
            out.push(map);
            map.values().for_each(|v| collect(v, out, depth + 1));
        }
        Value::List(items) => items.iter().for_each(|v| collect(v, out, depth + 1)),
        _ => {}
    }
}

/// Hands the members of a real object to the record it stands for, and tells whether there is one.
fn merge(state: &mut Value, before: &Value, object: &Map, named: &[Str]) -> bool {
    let own = object.iter().filter(|(name, _)| is_id(name)).filter_map(|(_, v)| v.as_key());
    for id in own.chain(named.iter().cloned()) {
        let Some(pointer) = find(state, &id, object) else { continue };
        let Some(Value::Map(record)) = delta::place_mut(state, &pointer) else { continue };
        let covers = covers(object, record);
        for (name, value) in object.iter() {
            let differs = |old: &Value| !delta::identical(old, value);
            if record.get(name).map_or(covers, differs) {
                record.insert(name.clone(), value.clone());
            }
        }
        if covers && let Some(Value::Map(old)) = delta::place(before, &pointer) {
            // A member of our own making that the real record does not have.
            let own = |name: &&Str| !object.contains_key(name) && !old.contains_key(name);
            let own: Vec<Str> = record.keys().filter(own).cloned().collect();
            own.iter().for_each(|name| drop(record.remove(name)));
        }
        return true;
    }
    false
}

/// Whether an object shows most of a record, rather than a few members of it.
fn covers(object: &Map, record: &Map) -> bool {
    let shown = record.keys().filter(|name| object.contains_key(name)).count();
    shown >= 3 && shown * 3 >= record.len() * 2
}

/// Makes a record of a real object that is like those of a collection and is not among them. If our
/// own behavior has `made` one there, that one is it.
fn adopt(state: &mut Value, object: &Map, made: &[String]) {
    let Some((pointer, id)) = home(state, object) else { return };
    let own = made.iter().find(|place| {
        place.strip_prefix(&*pointer).is_some_and(|rest| rest.starts_with('/') && !rest[1..].contains('/'))
    });
    let own = own.and_then(|place| Some(delta::unescape(place.rsplit_once('/')?.1)));
    match delta::place_mut(state, &pointer) {
        Some(Value::Map(collection)) => {
            if let Some(own) = own {
                collection.remove(&own);
            }
            collection.insert(id, Value::Map(object.clone()));
        }
        Some(Value::List(rows)) => {
            let rows = Arc::make_mut(rows);
            let row = Value::Map(object.clone());
            match own.and_then(|at| at.parse().ok()).filter(|at| *at < rows.len()) {
                Some(at) => drop(rows.set(at, row)),
                None => rows.push_back(row),
            }
        }
        _ => {}
    }
}

/// The one collection whose records are like an object that is not among them, and its id there.
fn home(state: &Value, object: &Map) -> Option<(String, Str)> {
    if object.len() < 3 {
        return None;
    }
    let mut homes = Vec::new();
    for (name, value) in state.as_map()?.iter() {
        let pointer = format!("/{}", crate::names::escape(name));
        homes.extend(place_in(value, object).map(|id| (pointer.clone(), id)));
        let Value::Map(inner) = value else { continue };
        for (name, value) in inner.iter().take(MAX_NESTED) {
            let pointer = format!("{pointer}/{}", crate::names::escape(name));
            homes.extend(place_in(value, object).map(|id| (pointer, id)));
        }
    }
    match homes.len() {
        1 => homes.pop(),
        _ => None,
    }
}

/// The id that an object would have in a collection of its likes that does not have it.
fn place_in(collection: &Value, object: &Map) -> Option<Str> {
    let like = |sample: &Map| covers(object, sample) && covers(sample, object);
    match collection {
        Value::Map(map) => {
            let (key, Value::Map(sample)) = map.last()? else { return None };
            let (name, _) = sample.iter().find(|(_, v)| v.as_key().as_deref() == Some(key))?;
            let id = object.get(name)?.as_key()?;
            (like(sample) && !map.contains_key(&id)).then_some(id)
        }
        Value::List(rows) => {
            let Value::Map(sample) = rows.last()? else { return None };
            let (name, _) = sample.iter().find(|(name, v)| is_id(name) && v.as_key().is_some())?;
            let id = object.get(name)?.as_key()?;
            let has = |row: &Value| row.get(name).and_then(Value::as_key).as_ref() == Some(&id);
            (like(sample) && !rows.iter().take(MAX_ROWS).any(has)).then_some(id)
        }
        _ => None,
    }
}

fn is_id(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    ["id", "key", "uuid", "number", "code", "name", "username", "symbol", "slug"]
        .iter()
        .any(|end| plain.ends_with(end))
}

/// Where the record of this id is: in a collection at the top of the state, or one level below.
fn find(state: &Value, id: &str, object: &Map) -> Option<String> {
    let top = state.as_map()?;
    for (name, value) in top.iter() {
        let pointer = format!("/{}", crate::names::escape(name));
        if let Some(found) = find_in(value, &pointer, id, object) {
            return Some(found);
        }
        let Value::Map(inner) = value else { continue };
        if inner.len() > MAX_NESTED {
            continue;
        }
        for (name, value) in inner.iter() {
            let pointer = format!("{pointer}/{}", crate::names::escape(name));
            if let Some(found) = find_in(value, &pointer, id, object) {
                return Some(found);
            }
        }
    }
    None
}

fn find_in(collection: &Value, pointer: &str, id: &str, object: &Map) -> Option<String> {
    match collection {
        Value::Map(map) => {
            let record = map.get(id)?.as_map()?;
            alike(record, object).then(|| format!("{pointer}/{}", crate::names::escape(id)))
        }
        Value::List(rows) => {
            let carries = |row: &Value| {
                row.as_map().is_some_and(|record| {
                    record.iter().any(|(name, v)| is_id(name) && v.as_key().as_deref() == Some(id))
                        && alike(record, object)
                })
            };
            rows.iter().take(MAX_ROWS).position(carries).map(|at| format!("{pointer}/{at}"))
        }
        _ => None,
    }
}

/// Whether an object can be a view of a record: most of its members are the record's.
fn alike(record: &Map, object: &Map) -> bool {
    let shared = object.keys().filter(|name| record.contains_key(name)).count();
    shared > 0 && shared * 2 >= object.len()
}
