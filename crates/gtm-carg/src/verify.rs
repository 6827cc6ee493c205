//! Checking executed sessions from the outside: nothing here knows how they were made.
//!
//! A session is checked against itself: its specs, its first state, and what earlier replies have said.

use crate::trace::{Fact, Trace, Turn};
use gtm_tool::{Checker, Limits};
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Longest reply, in bytes of JSON.
const MAX_REPLY: usize = 64 << 10;
/// Longest arguments, in bytes of JSON.
const MAX_ARGUMENTS: usize = 16 << 10;
/// Levels of the deepest reply.
const MAX_DEPTH: usize = 12;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Specs and turns are complete: names, schemas, facts, bounds on the number of turns.
    Format,
    /// A reply that is no failure satisfies the declared `returns`.
    Schema,
    /// Arguments that break the schema fail, and a call of an unknown tool does.
    ArgumentErrors,
    /// A failed call says that nothing changed, and a read changes nothing.
    NoChange,
    /// What a create or update was given is in the record that it answers.
    Echo,
    /// The same read on the same state gets the same reply.
    Repeat,
    /// A read after a write shows what the write answered.
    ReadYourWrites,
    /// What was deleted is not found.
    Absence,
    /// Lists hold no record twice, and totals are not below what is shown.
    Lists,
    /// A new id was never seen before.
    NewIds,
    /// Ids in replies come from the first state, from creates, or from the call.
    Isolation,
    /// The task's words are in no reply.
    NoLeak,
    /// Replies and arguments keep to bounds on size and depth.
    Bounds,
    /// The task's reference has calls of the session's own tools and an end to check.
    Task,
}

/// A check that failed: which, at which turn, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which check.
    pub check: Check,
    /// The turn, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<usize>,
    /// Why.
    pub why: String,
}

/// How often each check was made and how often it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Counters(pub BTreeMap<String, (u64, u64)>);

impl Counters {
    fn made(&mut self, check: Check, failed: bool) {
        let entry = self.0.entry(name(check)).or_default();
        entry.0 += 1;
        entry.1 += u64::from(failed);
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Counters) {
        for (check, (made, failed)) in &other.0 {
            let entry = self.0.entry(check.clone()).or_default();
            entry.0 += made;
            entry.1 += failed;
        }
    }
}

fn name(check: Check) -> String {
    serde_json::to_value(check).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Compiled schemas by their text: many sessions share few.
struct Known<'t> {
    trace: &'t Trace,
    tools: HashMap<&'t str, usize>,
    parameters: Vec<Option<Checker>>,
    returns: Vec<Option<Checker>>,
}

/// Checks a session and counts what was checked.
pub fn verify(trace: &Trace, counters: &mut Counters) -> Vec<Violation> {
    let mut found = Found { violations: Vec::new(), counters };
    let Some(known) = format(trace, &mut found) else { return found.violations };
    let mut memory = Memory::of(trace);
    for (at, turn) in trace.turns.iter().enumerate() {
        let tool = known.tools.get(turn.call.name.as_str()).copied();
        arguments(&known, tool, at, turn, &mut found);
        bounds(at, turn, &mut found);
        if let Some(tool) = tool {
            let fact = &trace.facts[tool];
            if !turn.is_error {
                schema(&known, tool, at, turn, &mut found);
                memory.success(fact, at, turn, &mut found);
            } else {
                memory.failure(fact, at, turn, &mut found);
            }
            memory.repeat(fact, at, turn, &mut found);
        }
    }
    task(trace, &known, &mut found);
    found.violations
}

struct Found<'c> {
    violations: Vec<Violation>,
    counters: &'c mut Counters,
}

impl Found<'_> {
    fn check(&mut self, check: Check, turn: Option<usize>, holds: bool, why: impl FnOnce() -> String) {
        self.counters.made(check, !holds);
        if !holds {
            self.violations.push(Violation { check, turn, why: why() });
        }
    }
}

fn format<'t>(trace: &'t Trace, found: &mut Found<'_>) -> Option<Known<'t>> {
    let tools: HashMap<&str, usize> =
        trace.tools.iter().enumerate().map(|(at, tool)| (tool.name.as_str(), at)).collect();
    let whole = !trace.tools.is_empty()
        && tools.len() == trace.tools.len()
        && trace.facts.len() == trace.tools.len()
        && trace.tools.iter().all(|tool| !tool.name.is_empty() && tool.name.len() <= 128)
        && (1..=60).contains(&trace.turns.len())
        && trace.initial_state.is_object();
    found.check(Check::Format, None, whole, || "tools, facts, turns or state are incomplete".into());
    if !whole {
        return None;
    }
    let limits = Limits::default();
    let mut parameters = Vec::new();
    let mut returns = Vec::new();
    for tool in &trace.tools {
        let compiled = Checker::new(&tool.parameters, &limits);
        found.check(Check::Format, None, compiled.is_ok(), || {
            format!("the parameters of {} do not compile", tool.name)
        });
        parameters.push(compiled.ok());
        returns.push(tool.returns.as_ref().and_then(|schema| Checker::new(schema, &limits).ok()));
    }
    Some(Known { trace, tools, parameters, returns })
}

fn arguments(known: &Known<'_>, tool: Option<usize>, at: usize, turn: &Turn, found: &mut Found<'_>) {
    let Some(tool) = tool else {
        let right = turn.is_error && turn.error.as_deref() == Some("unknown_tool");
        found.check(Check::ArgumentErrors, Some(at), right, || "an unknown tool answered".into());
        return;
    };
    if let Some(checker) = &known.parameters[tool] {
        let fits = checker.check(&turn.call.arguments).is_ok();
        if !fits {
            let right = turn.is_error && turn.error.as_deref() == Some("invalid_argument");
            found.check(Check::ArgumentErrors, Some(at), right, || {
                "arguments break the schema and the call did not say so".into()
            });
        }
    }
    let internal = turn.error.as_deref() == Some("internal");
    found.check(Check::ArgumentErrors, Some(at), !internal, || {
        format!("the tool failed inside: {}", turn.response)
    });
    let still = !(turn.changed && (turn.is_error || !known.trace.facts[tool].writes));
    found.check(Check::NoChange, Some(at), still, || "a failed call or a read changed the state".into());
}

fn schema(known: &Known<'_>, tool: usize, at: usize, turn: &Turn, found: &mut Found<'_>) {
    if let Some(checker) = &known.returns[tool] {
        let outcome = checker.check(&turn.response);
        found.check(Check::Schema, Some(at), outcome.is_ok(), || {
            outcome.err().map(|v| format!("{}: {}", v.path, v.message)).unwrap_or_default()
        });
    }
}

fn bounds(at: usize, turn: &Turn, found: &mut Found<'_>) {
    let small = turn.response.to_string().len() <= MAX_REPLY
        && turn.call.arguments.to_string().len() <= MAX_ARGUMENTS;
    found.check(Check::Bounds, Some(at), small && depth(&turn.response) <= MAX_DEPTH, || {
        "a reply or call is too large or deep".into()
    });
}

fn depth(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// What earlier turns have told.
struct Memory<'t> {
    /// Ids known by collection.
    ids: HashMap<&'t str, HashSet<String>>,
    /// Records last seen whole, by collection and id, and the number of changes then.
    records: HashMap<(&'t str, String), (u64, &'t Json)>,
    deleted: HashSet<(&'t str, String)>,
    /// Replies to reads, by call, and the number of changes then.
    reads: HashMap<String, (u64, &'t Json, bool)>,
    changes: u64,
    /// Something was made without its id being told.
    untold: bool,
}

impl<'t> Memory<'t> {
    fn of(trace: &'t Trace) -> Memory<'t> {
        let mut ids: HashMap<&str, HashSet<String>> = HashMap::new();
        for (collection, records) in trace.initial_state.as_object().into_iter().flatten() {
            if let Some(records) = records.as_object() {
                ids.entry(collection).or_default().extend(records.keys().cloned());
            }
        }
        Memory {
            ids,
            records: HashMap::new(),
            deleted: HashSet::new(),
            reads: HashMap::new(),
            changes: 0,
            untold: false,
        }
    }

    fn success(&mut self, fact: &'t Fact, at: usize, turn: &'t Turn, found: &mut Found<'_>) {
        let before = self.changes;
        self.changes += u64::from(turn.changed);
        let record = single_record(&turn.response, &fact.id_member);
        // Records may have been made whose ids no reply has told.
        let told = record.is_some() && fact.plan.starts_with("create ");
        self.untold |= turn.changed && !told && matches!(fact.family.as_str(), "create" | "operation");
        let Some(collection) = fact.collection.as_deref() else { return };
        let argument = (!fact.id_argument.is_empty())
            .then(|| fact.id_argument.iter().try_fold(&turn.call.arguments, |json, name| json.get(name)))
            .flatten()
            .map(text);
        let plan = fact.plan.split(' ').next().unwrap_or("");
        if matches!(plan, "create" | "copy")
            && let Some(record) = record
        {
            let id = record.get(&fact.id_member).map(text).unwrap_or_default();
            let new = self.ids.entry(collection).or_default().insert(id.clone());
            found.check(Check::NewIds, Some(at), new, || format!("the id {id} was there before"));
            self.deleted.remove(&(collection, id.clone()));
            if plan == "create" {
                echo(record, &turn.call.arguments, at, found);
            }
            self.records.insert((collection, id), (self.changes, record));
            return;
        }
        let Some(id) = argument else { return };
        match plan {
            "delete" => {
                // Its id may be given to a new record.
                if let Some(ids) = self.ids.get_mut(collection) {
                    ids.remove(&id);
                }
                self.deleted.insert((collection, id.clone()));
                self.records.remove(&(collection, id));
            }
            "get" => {
                let gone = self.deleted.contains(&(collection, id.clone()));
                found.check(Check::Absence, Some(at), !gone, || format!("{id} was deleted and is found"));
                let known = self.untold || self.ids.get(collection).is_some_and(|ids| ids.contains(&id));
                found.check(Check::Isolation, Some(at), known, || format!("{id} was never made"));
                if let Some(record) = record {
                    if let Some((when, written)) = self.records.get(&(collection, id.clone()))
                        && *when == before
                    {
                        found.check(Check::ReadYourWrites, Some(at), *written == record, || {
                            format!("{id} reads {record}, was {written}")
                        });
                    }
                    self.records.insert((collection, id), (self.changes, record));
                }
            }
            "update" | "move" | "set" | "adjust" => {
                if let Some(record) = record {
                    if plan == "update" || plan == "set" {
                        echo(record, &turn.call.arguments, at, found);
                    }
                    self.records.insert((collection, id), (self.changes, record));
                }
            }
            _ => {}
        }
        if let Some((rows, total)) = rows(&turn.response, &fact.id_member) {
            let ids: Vec<String> = rows.iter().filter_map(|row| row.get(&fact.id_member)).map(text).collect();
            let distinct: HashSet<&String> = ids.iter().collect();
            found.check(Check::Lists, Some(at), distinct.len() == ids.len(), || {
                "a list holds a record twice".into()
            });
            if let Some(total) = total {
                found.check(Check::Lists, Some(at), total >= rows.len() as u64, || {
                    "a total is below what is shown".into()
                });
            }
        }
    }

    fn failure(&mut self, fact: &'t Fact, at: usize, turn: &'t Turn, found: &mut Found<'_>) {
        // A record that is known to exist and was not deleted is found.
        if turn.error.as_deref() != Some("not_found")
            || fact.plan.split(' ').next() != Some("get")
            || fact.id_argument.is_empty()
        {
            return;
        }
        let Some(collection) = fact.collection.as_deref() else { return };
        let id = fact
            .id_argument
            .iter()
            .try_fold(&turn.call.arguments, |json, name| json.get(name))
            .map(text)
            .unwrap_or_default();
        let seen = self.records.get(&(collection, id.clone())).is_some_and(|(when, _)| *when == self.changes);
        found.check(Check::ReadYourWrites, Some(at), !seen, || {
            format!("{id} was just there and is not found")
        });
    }

    fn repeat(&mut self, fact: &'t Fact, at: usize, turn: &'t Turn, found: &mut Found<'_>) {
        if fact.writes {
            return;
        }
        let call = format!("{}\0{}", turn.call.name, turn.call.arguments);
        if let Some((when, reply, failed)) = self.reads.get(&call)
            && *when == self.changes
        {
            let same = **reply == turn.response && *failed == turn.is_error;
            found.check(Check::Repeat, Some(at), same, || {
                "the same read on the same state was answered otherwise".into()
            });
        }
        self.reads.insert(call, (self.changes, &turn.response, turn.is_error));
    }
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// The one record in a reply, under whatever it is wrapped in.
fn single_record<'j>(reply: &'j Json, id_member: &str) -> Option<&'j Json> {
    let members = reply.as_object()?;
    // `{message, id}` tells of a record and is none.
    if members.contains_key(id_member) {
        return (members.len() > 2 && !members.contains_key("message")).then_some(reply);
    }
    let mut inner = members.values().filter_map(|value| single_record(value, id_member));
    let first = inner.next()?;
    inner.next().is_none().then_some(first)
}

/// The rows of a list and its total, under whatever they are wrapped in.
fn rows<'j>(reply: &'j Json, id_member: &str) -> Option<(&'j Vec<Json>, Option<u64>)> {
    match reply {
        Json::Array(items) => items.iter().all(|item| item.get(id_member).is_some()).then_some((items, None)),
        Json::Object(members) => {
            let (items, _) = members.values().find_map(|value| rows(value, id_member))?;
            Some((items, members.values().find_map(Json::as_u64)))
        }
        _ => None,
    }
}

/// Arguments that the record has members of the same name for are in it as given.
fn echo(record: &Json, arguments: &Json, at: usize, found: &mut Found<'_>) {
    for (name, value) in arguments.as_object().into_iter().flatten() {
        match record.get(name) {
            Some(shown) => {
                let same = shown == value || shown.as_f64().is_some_and(|a| value.as_f64() == Some(a));
                found.check(Check::Echo, Some(at), same, || {
                    format!("{name} was given as {value} and is {shown}")
                });
            }
            None if value.is_object() => echo(record, value, at, found),
            None => {}
        }
    }
}

fn task(trace: &Trace, known: &Known<'_>, found: &mut Found<'_>) {
    let Some(task) = &trace.task else { return };
    let whole = !task.instruction.is_empty()
        && !task.reference.is_empty()
        && !task.end_state.is_empty()
        && task.reference.iter().all(|call| known.tools.contains_key(call.name.as_str()));
    found.check(Check::Task, None, whole, || "the task is incomplete".into());
    for (at, turn) in trace.turns.iter().enumerate() {
        let leaks = turn.response.to_string().contains(task.instruction.as_str());
        found.check(Check::NoLeak, Some(at), !leaks, || "a reply holds the task's words".into());
    }
}
