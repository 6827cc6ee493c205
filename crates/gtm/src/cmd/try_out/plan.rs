//! Which calls `gtm try` makes.
//!
//! Everything follows from the behaviors in force, not from names: the collection that most kinds
//! of steps (create, get, list, update, delete) work on is shown through its life. Where there is
//! none, some tools are called one after the other.

use gtm_read::RuleFiller;
use gtm_sim::{Call, Session, Simulator};
use gtm_tool::{Checker, Limits, ToolSpec, schema};
use gtm_world::behavior::{Behavior, Op};
use gtm_world::{Filler, Slot, Value};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Tools called where no collection is found.
const LOOSE: usize = 5;

/// Optional arguments that are given when something is created.
const OPTIONAL: usize = 4;

/// What a tool does to a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Create,
    Get,
    List,
    Update,
    Delete,
}

/// A tool in its role.
#[derive(Clone, Debug)]
struct Actor<'a> {
    tool: &'a ToolSpec,
    /// The argument that holds the record's id.
    id: Option<String>,
}

/// Calls still to be made.
pub(super) struct Plan<'a> {
    seed: u64,
    steps: VecDeque<Step<'a>>,
    /// Collection that is shown, as a path into the state.
    place: Vec<String>,
    /// Member that holds a record's id.
    member: String,
    /// Ids of its records before anything was created.
    before: Option<BTreeSet<String>>,
    id: Option<String>,
}

#[derive(Clone, Debug)]
struct Step<'a> {
    why: &'static str,
    actor: Actor<'a>,
    role: Role,
    /// Whether the arguments are spoilt.
    wrong: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(simulator: &'a Simulator, seed: u64) -> Plan<'a> {
        let reading = simulator.reading();
        let mut collections: BTreeMap<String, BTreeMap<Role, Actor<'a>>> = BTreeMap::new();
        let mut order: Vec<String> = Vec::new();
        for tool in simulator.tools() {
            let Some((role, collection, id)) = reading.behaviors.get(&tool.name).and_then(role) else {
                continue;
            };
            if !order.contains(&collection) {
                order.push(collection.clone());
            }
            let roles = collections.entry(collection).or_default();
            // The plainest tool of a kind: the one that asks for least.
            let actor = Actor { tool, id };
            let simpler =
                roles.get(&role).is_none_or(|other| required(tool).len() < required(other.tool).len());
            if simpler {
                roles.insert(role, actor);
            }
        }
        let best = order.into_iter().enumerate().max_by_key(|(at, name)| {
            let roles = collections.get(name).map_or(0, BTreeMap::len);
            let creates = collections.get(name).is_some_and(|r| r.contains_key(&Role::Create));
            (creates, roles, std::cmp::Reverse(*at))
        });
        let mut plan = Plan {
            seed,
            steps: VecDeque::new(),
            place: Vec::new(),
            member: "id".into(),
            before: None,
            id: None,
        };
        match best.and_then(|(_, name)| Some((collections.remove(&name).filter(|r| r.len() > 1)?, name))) {
            Some((roles, name)) => {
                let declared = reading.collections.get(&name);
                plan.member = declared.and_then(|c| c.id.clone()).unwrap_or_else(|| "id".into());
                let path = declared.and_then(|c| c.path.clone()).unwrap_or(name);
                plan.place = path.split('.').map(str::to_owned).collect();
                plan.life(&roles);
            }
            None => plan.loose(simulator.tools()),
        }
        plan
    }

    /// The life of a record.
    fn life(&mut self, roles: &BTreeMap<Role, Actor<'a>>) {
        let mut add = |role, why, wrong| {
            if let Some(actor) = roles.get(&role) {
                self.steps.push_back(Step { why, actor: actor.clone(), role, wrong });
            }
        };
        add(Role::Create, "create", false);
        add(Role::Get, "what was created is there", false);
        add(Role::List, "and in the list", false);
        add(Role::Update, "change it", false);
        let faulty = [Role::Create, Role::Get, Role::Update, Role::List];
        if let Some(role) = faulty.into_iter().find(|role| roles.contains_key(role)) {
            add(role, "a faulty call", true);
        }
        add(Role::Delete, "delete", false);
        if roles.contains_key(&Role::Delete) {
            add(Role::Get, "it is gone", false);
        }
    }

    /// Some tools, those that only read first, and one faulty call.
    fn loose(&mut self, tools: &'a [ToolSpec]) {
        let mut tools: Vec<&ToolSpec> = tools.iter().collect();
        tools.sort_by_key(|tool| tool.annotations.read_only != Some(true));
        let step = |tool, why, wrong| Step { why, actor: Actor { tool, id: None }, role: Role::Get, wrong };
        for tool in tools.iter().take(LOOSE) {
            self.steps.push_back(step(*tool, "call", false));
        }
        let strict = tools.iter().take(LOOSE).find(|tool| !required(tool).is_empty());
        if let Some(tool) = strict {
            self.steps.push_back(step(*tool, "a faulty call", true));
        }
    }

    /// The next call, and what it shows.
    pub(super) fn next(&mut self, session: &Session) -> Option<(String, Call)> {
        let step = self.steps.pop_front()?;
        let present = ids(session.state(), &self.place, &self.member);
        match &self.before {
            None => self.before = Some(present),
            Some(before) if self.id.is_none() => self.id = present.difference(before).next().cloned(),
            Some(_) => {}
        }
        let mut arguments = arguments(step.actor.tool, step.role, self.seed);
        if step.role != Role::Create
            && let (Some(name), Some(id)) =
                (&step.actor.id, self.id.clone().or_else(|| self.before.iter().flatten().next().cloned()))
        {
            arguments.insert(name.clone(), typed(step.actor.tool, name, &id));
        }
        if step.wrong {
            spoil(step.actor.tool, &mut arguments);
        }
        Some((step.why.to_owned(), Call::new(&step.actor.tool.name, Json::Object(arguments))))
    }
}

/// What a behavior mostly does, to which collection, and which argument is the record's id.
fn role(behavior: &Behavior) -> Option<(Role, String, Option<String>)> {
    let mut best: Option<(Role, String, Option<String>)> = None;
    for step in &behavior.steps {
        let (role, within, at, id) = match &step.op {
            Op::Create(op) => (Role::Create, Some(&op.within), None, op.id.as_ref()),
            Op::Delete(op) => (Role::Delete, op.within.as_ref(), op.at.as_ref(), op.id.as_ref()),
            Op::Update(op) => (Role::Update, op.within.as_ref(), op.at.as_ref(), op.id.as_ref()),
            Op::List(op) => (Role::List, Some(&op.within), None, None),
            Op::Get(op) => (Role::Get, op.within.as_ref(), op.at.as_ref(), op.id.as_ref()),
            _ => continue,
        };
        let rank = |role: Role| match role {
            Role::Create => 5,
            Role::Delete => 4,
            Role::Update => 3,
            Role::List => 2,
            Role::Get => 1,
        };
        let (collection, key) = match (within, at) {
            // Only collections at the top: what belongs to something else needs that first.
            (Some(name), _) if !name.contains('[') => (name.trim().to_owned(), id.map(String::as_str)),
            (None, Some(place)) => match place.split_once('[') {
                Some((name, key)) => match key.strip_suffix(']') {
                    Some(key) if !key.contains(['[', ']']) => (name.trim().to_owned(), Some(key)),
                    _ => continue,
                },
                None => continue,
            },
            _ => continue,
        };
        let argument = key.and_then(|key| key.trim().strip_prefix("args.")).map(str::to_owned);
        if best.as_ref().is_none_or(|(known, ..)| rank(role) > rank(*known)) {
            best = Some((role, collection, argument));
        }
    }
    best
}

/// Ids of a collection's records.
fn ids(state: &Value, place: &[String], member: &str) -> BTreeSet<String> {
    let state = state.to_json();
    let mut json = &state;
    for name in place {
        match json.get(name) {
            Some(inner) => json = inner,
            None => return BTreeSet::new(),
        }
    }
    match json {
        Json::Object(records) => records.keys().cloned().collect(),
        Json::Array(records) => records.iter().filter_map(|r| text(r.get(member)?)).collect(),
        _ => BTreeSet::new(),
    }
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// The id in the type that the argument has.
fn typed(tool: &ToolSpec, name: &str, id: &str) -> Json {
    let properties = schema::properties(&tool.parameters, &tool.parameters);
    let declared = properties
        .iter()
        .find(|p| p.name == name)
        .and_then(|p| schema::primary_type(&tool.parameters, p.schema));
    match (declared, id.parse::<i64>()) {
        (Some("integer" | "number"), Ok(n)) => n.into(),
        _ => id.into(),
    }
}

fn required(tool: &ToolSpec) -> Vec<&str> {
    schema::properties(&tool.parameters, &tool.parameters)
        .into_iter()
        .filter(|p| p.required)
        .map(|p| p.name)
        .collect()
}

/// Arguments that the tool takes: a published example, or invented ones.
fn arguments(tool: &ToolSpec, role: Role, seed: u64) -> Map<String, Json> {
    let fits = |arguments: &Json| {
        let limits = Limits::default();
        Checker::new(&tool.parameters, &limits).is_ok_and(|checker| checker.check(arguments).is_ok())
    };
    let published = tool.examples.iter().filter_map(|e| e.arguments.as_ref()).find(|a| fits(a));
    if let Some(Json::Object(arguments)) = published {
        return arguments.clone();
    }
    let nothing = Value::map();
    let slot = Slot {
        tool: &tool.name,
        path: "",
        schema: &tool.parameters,
        root: &tool.parameters,
        known: None,
        args: &nothing,
        now: 1_735_689_600,
        seed,
        rows: 1,
    };
    let Json::Object(invented) = RuleFiller.fill(&slot).to_json() else { return Map::new() };
    let needed = required(tool);
    let mut optional = if role == Role::Create { OPTIONAL } else { usize::from(role == Role::Update) };
    let plain = |v: &Json| !(v.is_object() || v.is_array() || v.is_null());
    let kept: Map<String, Json> = invented
        .iter()
        .filter(|(name, value)| {
            needed.contains(&name.as_str())
                || (plain(value) && optional > 0 && {
                    optional -= 1;
                    true
                })
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // What was left out may have been needed after all, by a rule other than `required`.
    let all = Json::Object(invented);
    match fits(&Json::Object(kept.clone())) {
        false if fits(&all) => match all {
            Json::Object(all) => all,
            _ => kept,
        },
        _ => kept,
    }
}

/// Makes one argument wrong: a value of another type, or a missing one.
fn spoil(tool: &ToolSpec, arguments: &mut Map<String, Json>) {
    let root = &tool.parameters;
    let properties = schema::properties(root, root);
    let strict = |p: &&schema::Property<'_>| {
        let loose = matches!(schema::primary_type(root, p.schema), None | Some("string"));
        !loose || schema::resolve(root, p.schema).get("enum").is_some()
    };
    // A required one first: it is surely looked at.
    let wrong =
        properties.iter().filter(|p| p.required).find(strict).or_else(|| properties.iter().find(strict));
    match wrong {
        Some(property) => {
            arguments.insert(property.name.to_owned(), "nonsense".into());
        }
        None => match properties.iter().find(|p| p.required) {
            Some(property) => {
                arguments.remove(property.name);
            }
            None => {
                arguments.insert("no_such_argument".into(), true.into());
            }
        },
    }
}
