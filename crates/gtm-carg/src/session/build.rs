//! The toolset and world of one session: domains, a style, a choice of tools, records.

use super::Field;
use crate::domain::Domain;
use crate::rng::Rng;
use crate::stage::Stage;
use crate::style::{Dressed, Names, Style, api_words, dress};
use crate::tools::{Family, Plan, RUNS};
use crate::world::initial_state;
use gtm_error::Result;
use gtm_tool::ToolSpec;
use gtm_world::behavior::{Behavior, Behaviors, Collection, IdStyle};
use gtm_world::{Clock, Map, Value};
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::sync::Arc;

/// A toolset and world.
pub(super) struct Built<'f> {
    pub(super) stage: Stage,
    /// Names of each domain of the stage.
    pub(super) names: Vec<Names<'f>>,
    pub(super) state: Value,
    pub(super) accounts: Vec<Account>,
}

/// Someone who can log in.
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: String,
}

/// The clock of all sessions: one call, half a minute.
pub(super) fn clock() -> Clock {
    Clock { start: "2025-06-02T08:00:00Z".into(), tick_s: 30 }
}

/// Start of the clock, seconds since 1970.
const NOW: i64 = 1_748_851_200;

/// Draws a toolset and a world.
pub(super) fn build<'f>(fields: &'f [Field], rng: &mut Rng) -> Result<Built<'f>> {
    let main = rng.pick(fields);
    let mut chosen = vec![main];
    if fields.len() > 1 && rng.chance(0.2) {
        let other = rng.pick(fields);
        // One name of a constant cannot stand for two values.
        let apart = || other.domain.constants.keys().all(|name| !main.domain.constants.contains_key(name));
        if !std::ptr::eq(other, main) && apart() {
            chosen.push(other);
        }
    }
    let style = Style::draw(rng, &api_words(&main.domain.pack));
    let names: Vec<Names<'f>> = chosen
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let own = Style { prefix: style.prefix.clone().filter(|_| at == 0), ..style.clone() };
            let scope = (at > 0).then_some(field.domain.pack.domain.as_str());
            Names::new(&field.domain, &own, scope, rng)
        })
        .collect();
    let total = match rng.weighted([30.0, 40.0, 22.0, 8.0].into_iter()) {
        0 => rng.between(1, 5),
        1 => rng.between(6, 12),
        2 => rng.between(13, 24),
        _ => rng.between(25, 40),
    } as usize;
    let mut tools: Vec<(Dressed, Option<Plan>, usize)> = Vec::new();
    let mut taken: HashSet<String> = HashSet::new();
    for (domain, field) in chosen.iter().enumerate() {
        let share = match (domain, chosen.len()) {
            (0, 1) => total,
            (0, _) => total.div_ceil(2) + total / 4,
            _ => (total / 4).max(1),
        };
        for plan in choose(&field.plans, share, rng) {
            let mut dressed = dress(plan, &names[domain], rng);
            // Two plans may come to the same name in a style; the second says which it is.
            if taken.contains(&dressed.spec.name) {
                let words: Vec<&str> = plan.key.split([' ', '_']).collect();
                dressed.spec.name = names[domain].style().tool_case.join(&words);
            }
            if taken.insert(dressed.spec.name.clone()) {
                tools.push((dressed, Some(plan.clone()), domain));
            }
        }
    }
    let mut behaviors = Behaviors { envelope: style.envelope_templates(), ..Behaviors::default() };
    let mut state = Map::new();
    for (field, names) in chosen.iter().zip(&names) {
        collections(&field.domain, names, &mut behaviors);
        let inner = initial_state(&field.domain, NOW, rng);
        for (root, records) in inner.as_map().into_iter().flat_map(|map| map.iter()) {
            if let Some(styled) = names.collection(root) {
                let keyed = field.domain.singletons.contains_key(&**root);
                state.insert(
                    styled,
                    if keyed { restyle(records, names) } else { restyle_all(records, names) },
                );
            }
        }
        // Expressions name constants as the pack does, in every style.
        for (name, constant) in &field.domain.constants {
            state.insert(name.as_str(), constant.clone());
        }
        for simulator in field.domain.pack.simulators.keys() {
            if let Some(styled) = names.collection(&format!("{simulator}{RUNS}")) {
                state.insert(styled, Value::map());
            }
        }
    }
    let mut accounts = Vec::new();
    if style.auth {
        accounts = log_in_state(&chosen[0].domain, &mut state, rng);
        let login = log_in_tool(&style);
        if taken.insert(login.spec.name.clone()) {
            tools.push((login, None, 0));
        }
    }
    rng.shuffle(&mut tools);
    for (dressed, ..) in &tools {
        behaviors.behaviors.insert(dressed.spec.name.clone(), dressed.behavior.clone());
    }
    let domains: Vec<Arc<Domain>> = chosen.iter().map(|field| field.domain.clone()).collect();
    Ok(Built { stage: Stage::new(domains, behaviors, tools)?, names, state: Value::Map(state), accounts })
}

/// Tools that belong together: mostly about few things, with a few others.
fn choose<'p>(plans: &'p [Plan], count: usize, rng: &mut Rng) -> Vec<&'p Plan> {
    let about: Vec<&str> =
        (0..1 + rng.below(3)).map(|_| rng.pick(plans).key.rsplit(' ').next().unwrap_or("")).collect();
    let near = |plan: &Plan| about.iter().any(|word| plan.key.split(' ').any(|part| part == *word));
    // Drawing without replacement by weight: the least of exponential variates (Efraimidis, Spirakis).
    let mut drawn: Vec<(f64, &Plan)> = plans
        .iter()
        .map(|plan| {
            let weight = usual(plan.family) * if near(plan) { 8.0 } else { 1.0 };
            (-(1.0 - rng.unit()).ln() / weight, plan)
        })
        .collect();
    drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
    drawn.into_iter().take(count).map(|(_, plan)| plan).collect()
}

/// How usual a kind of tool is in real APIs.
fn usual(family: Family) -> f64 {
    match family {
        Family::Create | Family::Delete | Family::Transition | Family::Operation => 4.0,
        Family::Search | Family::Device | Family::Simulator | Family::Session => 2.5,
        Family::Report | Family::Read | Family::Update => 2.0,
        Family::List | Family::Calculator => 1.2,
        Family::Aggregate => 0.5,
    }
}

fn collections(domain: &Domain, names: &Names<'_>, behaviors: &mut Behaviors) {
    let mut add = |name: &str, ids: IdStyle| {
        if let Some(styled) = names.collection(name) {
            let collection =
                Collection { id: Some(names.member("id")), ids: Some(ids), ..Collection::default() };
            behaviors.collections.insert(styled.to_owned(), collection);
        }
    };
    for kindred in domain.entities.values() {
        let ids = match kindred.entity.id.as_deref() {
            None | Some("integer") => IdStyle::Integer(1),
            Some("uuid") => IdStyle::Uuid(true),
            Some(pattern) => IdStyle::Pattern(pattern.to_owned()),
        };
        add(&kindred.collection, ids);
    }
    for simulator in domain.pack.simulators.keys() {
        add(&format!("{simulator}{RUNS}"), IdStyle::Integer(1));
    }
}

/// Names of members in style, records within records too.
fn restyle(record: &Value, names: &Names<'_>) -> Value {
    match record {
        Value::Map(map) => Value::Map(
            map.iter().map(|(name, value)| (names.member(name).into(), restyle(value, names))).collect(),
        ),
        Value::List(list) => list.iter().map(|item| restyle(item, names)).collect(),
        other => other.clone(),
    }
}

/// A collection: its keys are ids and stay.
fn restyle_all(records: &Value, names: &Names<'_>) -> Value {
    match records {
        Value::Map(map) => {
            Value::Map(map.iter().map(|(id, record)| (id.clone(), restyle(record, names))).collect())
        }
        other => other.clone(),
    }
}

/// One account for each role, and no one logged in.
fn log_in_state(domain: &Domain, state: &mut Map, rng: &mut Rng) -> Vec<Account> {
    let users = ["ada", "bo", "carla", "dmitri", "elif", "femi", "grace", "hugo"];
    let usual = ["user".to_owned()];
    let roles = if domain.pack.roles.is_empty() { &usual[..] } else { &domain.pack.roles[..] };
    let mut accounts = Map::new();
    let mut known = Vec::new();
    for (at, role) in roles.iter().enumerate() {
        let user = format!("{}.{}", users[(at + rng.below(3)) % users.len()], role);
        let password = crate::world::code("??##-??##", rng);
        let members = [
            ("username", Value::from(user.as_str())),
            ("password", Value::from(password.as_str())),
            ("role", Value::from(role.as_str())),
        ];
        accounts.insert(user.as_str(), Value::Map(members.into_iter().map(|(k, v)| (k.into(), v)).collect()));
        known.push(Account { user, password });
    }
    state.insert("accounts", Value::Map(accounts));
    state.insert(
        "session",
        Value::Map([("user".into(), Value::Null), ("role".into(), Value::Null)].into_iter().collect()),
    );
    known
}

fn log_in_tool(style: &Style) -> Dressed {
    let behavior = json!({"steps": [
        {"get": {"in": "accounts", "id": "args.username", "as": "account", "error": "unauthenticated", "message": "Invalid username or password"}},
        {"require": {"that": "account.password == args.password", "error": "unauthenticated", "message": "Invalid username or password"}},
        {"update": {"at": "session", "set": {"user": "account.username", "role": "account.role"}}},
        {"reply": {"user": "it.user", "role": "it.role"}},
    ]});
    let names = ["login", "log_in", "sign_in", "authenticate", "start_session"];
    let name = names[(style.words % names.len() as u64) as usize];
    Dressed {
        spec: ToolSpec {
            name: style.tool_case.join(&name.split('_').collect::<Vec<_>>()),
            description: "Logs in; most other calls need that.".into(),
            parameters: json!({
                "type": "object",
                "properties": {"username": {"type": "string"}, "password": {"type": "string"}},
                "required": ["username", "password"],
            }),
            ..ToolSpec::default()
        },
        behavior: serde_json::from_value::<Behavior>(behavior).unwrap_or_default(),
        params: Vec::new(),
    }
}

/// Arguments for logging in: mostly right ones.
pub(super) fn session_arguments(accounts: &[Account], rng: &mut Rng) -> Json {
    let Some(account) = rng.try_pick(accounts) else { return json!({}) };
    let password =
        if rng.chance(0.85) { account.password.clone() } else { crate::world::code("??##-??##", rng) };
    json!({"username": account.user, "password": password})
}
