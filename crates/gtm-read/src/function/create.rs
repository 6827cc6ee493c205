//! Tools that add a record.

use super::auth;
use super::build::{assign, behavior, bind, create, reply, require};
use super::expr;
use super::found::{About, missing};
use super::match_params::Role;
use super::member::Member;
use super::reply::{self as shape, Sources};
use super::state_shape::{Collection, Kind, Scalar, plain};
use super::times;
use super::tool::{Field, Returns};
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, FillMembers, Op, Step};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Adds a record with what the call gives.
pub(super) fn read(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    let (ctx, tool) = (about.ctx, about.tool);
    let mut steps = auth::required(ctx, tool, Some(about.index));
    steps.extend(about.checks());
    let within = match c.kind {
        Kind::Map | Kind::List => about.within()?,
        Kind::Lists => {
            let key = about.param(&Role::Key)?;
            let place = format!("{}[{}]", about.rows()?, key.expr());
            steps.push(require(format!("has({place})"), ErrorKind::NotFound, missing(c, key)));
            place
        }
        Kind::Index => return super::keyed::write(about),
    };
    if c.parent.is_some() {
        return inside(about, steps, &within);
    }
    let mut step = create(&within);
    let (from, mut has) = given(about);
    step.from = Some(from);
    // Writing over what is there is what some verbs mean.
    step.replace = matches!(tool.action.word.as_str(), "write" | "save" | "store" | "upload" | "put");
    let counter = counter(about);
    let mut id = None;
    if let Some(param) = about.param(&Role::Key).filter(|_| c.kind != Kind::Lists) {
        step.id = Some(param.expr());
        id = Some(param.expr());
        let noun = expr::message(&c.title());
        step.message = Some(format!("{noun} {{{}}} already exists", param.expr()));
    } else if let Some((counter, ahead)) = &counter {
        let next =
            if *ahead { format!("{} + 1", expr::state(&counter.path)) } else { expr::state(&counter.path) };
        steps.push(bind("id", next));
        step.id = Some("id".into());
        id = Some("id".into());
    }
    step.set = defaults(about);
    for (name, value) in declared(about) {
        step.set.entry(name).or_insert(value);
    }
    if ctx.open || c.schema.is_some() {
        step.fill = FillMembers::Required;
    }
    let named = |member: &str| c.member(member).is_some();
    has.extend(step.set.keys().cloned());
    has.extend(c.id.clone());
    if ctx.open {
        has.extend(required(c));
    }
    steps.push(Step::from(Op::Create(step)));
    if let Some((counter, _)) = &counter {
        let place = expr::state(&counter.path);
        steps.push(assign(&place, format!("{place} + 1")));
    }
    let id = id.or_else(|| match (&c.id, c.kind) {
        (Some(id), _) => Some(expr::select("it", id)),
        (None, Kind::Map) => Some(format!("keys({})[-1]", about.rows()?)),
        (None, Kind::List) if named("id") => Some("it.id".into()),
        _ => None,
    });
    let sources = Sources {
        of: Some(c),
        record: Some("it"),
        id: id.clone(),
        done: Some(shape::done_message(tool, &c.noun_in(&tool.action.nouns), None)),
        has: Some(has),
        ..Sources::default()
    };
    let template = match &tool.returns {
        Returns::Unknown => match (&c.id, id) {
            (None, Some(id)) if c.kind == Kind::Map => json!(format!("merge({{\"id\": {id}}}, it)")),
            _ => json!("it"),
        },
        _ => shape::record(ctx, tool, &sources),
    };
    steps.push(reply(template));
    Some(behavior(steps))
}

/// Adds a record inside another record.
fn inside(about: &About<'_, '_>, mut steps: Vec<Step>, within: &str) -> Option<Behavior> {
    let c = about.collection();
    let rows = about.rows()?;
    let (from, _) = given(about);
    let mut set = defaults(about);
    for (name, value) in declared(about) {
        set.entry(name).or_insert(value);
    }
    let mut names = Map::new();
    names.insert("more".into(), Json::Object(set));
    steps.push(Step::from(Op::Let(names)));
    // While a place is assigned to, `it` is what was there before.
    steps.push(bind("fresh", format!("merge(compact({from}), more)")));
    steps.push(bind("it", "fresh"));
    let again = about.tool.action.preposition.as_deref() == Some("to");
    match (c.kind, &c.id) {
        (Kind::List, Some(id)) if about.param(&Role::Key).is_some() => {
            let own = format!("{} == {}", expr::select("r", id), expr::select("fresh", id));
            if !again {
                let message = format!("{} already exists", c.title());
                steps.push(require(format!("!{rows}.exists(r, {own})"), ErrorKind::Conflict, message));
            }
            steps.push(assign(within, format!("default({rows}, []).filter(r, !({own})) + [fresh]")));
        }
        (Kind::List, _) => steps.push(assign(within, format!("default({rows}, []) + [fresh]"))),
        _ => {
            let key = about.param(&Role::Key)?.expr();
            if !again {
                let message = format!("{} {{{key}}} already exists", c.title());
                steps.push(require(format!("!({key} in {rows})"), ErrorKind::Conflict, message));
            }
            steps.push(assign(&format!("{within}[{key}]"), "fresh"));
        }
    }
    let id = c.id.as_ref().map(|id| expr::select("it", id));
    let done = shape::done_message(about.tool, &c.noun(), None);
    let sources = Sources { of: Some(c), record: Some("it"), id, done: Some(done), ..Sources::default() };
    steps.push(reply(shape::record(about.ctx, about.tool, &sources)));
    Some(behavior(steps))
}

/// Members that the schema of an inferred collection requires, which are made up if nothing gives them.
fn required(c: &Collection) -> Vec<String> {
    let names = c.schema.as_ref().and_then(|schema| schema.get("required")).and_then(Json::as_array);
    names.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

/// The members that the call gives, as an object expression, and their names; what is not given is
/// null and left out.
fn given(about: &About<'_, '_>) -> (String, Vec<String>) {
    let c = about.collection();
    let mut top: Vec<(String, String)> = Vec::new();
    let mut inner: BTreeMap<Vec<String>, Vec<(String, String)>> = BTreeMap::new();
    let mut payload: Option<String> = None;
    for (param, role) in about.params() {
        let value = shape::or_default(param);
        match role {
            Role::Member(at) | Role::Finds(at) => match c.members[*at].path.split_last() {
                Some((name, [])) => top.push((name.clone(), value)),
                Some((name, path)) => inner.entry(path.to_vec()).or_default().push((name.clone(), value)),
                None => {}
            },
            Role::Named(at, to, stored) => {
                let held = expr::select(&format!("{}[{value}]", about.ctx.expr(*to)), stored);
                top.push((c.members[*at].name().to_owned(), held));
            }
            Role::Key => {
                let dropped = c.kind == Kind::Lists || c.id.is_none() && c.member(&param.name).is_none();
                if !dropped || c.schema.is_some() {
                    top.push((c.id.clone().unwrap_or_else(|| param.name.clone()), value));
                }
            }
            Role::Payload => payload = Some(value),
            Role::Token(..) | Role::Secret(_) | Role::Parent => {}
            _ => top.push((param.name.clone(), value)),
        }
    }
    for (param, role) in about.params() {
        if let Role::Token(holder, _) = role
            && let Some([owner]) = about.owner(*holder).as_deref()
        {
            let _ = param;
            top.push((owner.clone(), "me".into()));
        }
    }
    for (path, members) in inner {
        // One level of objects is built; deeper ones are rare and would only repeat this.
        let object = object(&members);
        let (first, rest) = (path[0].clone(), &path[1..]);
        let value =
            rest.iter().rev().fold(object, |value, name| format!("{{{}: {value}}}", expr::text(name)));
        if !top.iter().any(|(name, _)| *name == first) {
            top.push((first, value));
        }
    }
    let own = object(&top);
    let sure = |name: &&String| {
        about
            .tool
            .params
            .iter()
            .all(|param| param.name != **name || param.required || param.default.is_some())
    };
    let names = top.iter().map(|(name, _)| name).filter(sure).cloned().collect();
    let from = match payload {
        Some(payload) => format!("merge(default({payload}, {{}}), {own})"),
        None => own,
    };
    (from, names)
}

fn object(members: &[(String, String)]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut parts = Vec::new();
    for (name, value) in members {
        if !seen.contains(&name.as_str()) {
            seen.push(name);
            parts.push(format!("{}: {value}", expr::text(name)));
        }
    }
    format!("{{{}}}", parts.join(", "))
}

/// The counter in the state that new ids come from, and whether it holds the last id given rather
/// than the next one.
fn counter<'c>(about: &About<'c, '_>) -> Option<(&'c Scalar, bool)> {
    let c = about.collection();
    if c.parent.is_some() {
        return None;
    }
    let counts = |scalar: &&Scalar| {
        let s = &scalar.stems;
        let has = |word: &str| s.iter().any(|stem| stem == word);
        scalar.value.is_i64()
            && (has("counter")
                || (has("next") && has("id"))
                || (has("last") && has("id"))
                || (has("count") && s.len() == 2))
            && scalar.stems.iter().any(|stem| c.stems.contains(stem))
    };
    let counter = about.ctx.scalars_in(&c.group).find(counts)?;
    let taken = c.keys.contains(&plain(&counter.value))
        || c.members.iter().any(|m| {
            m.top() && m.stems.last().is_some_and(|s| s == "id") && m.values.contains(&plain(&counter.value))
        })
        || counter.stems.iter().any(|s| s == "last");
    Some((counter, taken))
}

/// Members that the reply is said to have, that nothing else determines and that a record would keep:
/// they are made up once and kept, so that later reads agree.
fn declared(about: &About<'_, '_>) -> Vec<(String, Json)> {
    let c = about.collection();
    let fields = match &about.tool.returns {
        Returns::Object(fields) => fields,
        _ => return Vec::new(),
    };
    let wrapped = matches!(fields.as_slice(), [only] if !only.inner.is_empty());
    let fields = if wrapped { &fields[0].inner } else { fields };
    let schema_of = |name: &str| {
        let root = about.tool.spec.returns.as_ref()?;
        let properties = if wrapped {
            root.pointer("/properties")?.as_object()?.values().next()?.get("properties")?
        } else {
            root.get("properties")?
        };
        properties.get(name).cloned()
    };
    let mut out = Vec::new();
    for field in fields {
        let member = c.member(&field.name);
        let id = c.id.as_deref() == Some(&field.name) || super::entity::without_id(&field.stems).0.is_empty();
        let own_id = super::entity::without_id(&field.stems).1 && c.called(&field.stems);
        let given =
            about.tool.params.iter().any(|param| param.name == field.name || param.stems == field.stems);
        if id
            || given
            || (own_id && member.is_none())
            || matches!(field.kind.as_str(), "boolean" | "object" | "array")
        {
            continue;
        }
        if field.stems == ["status"]
            && !field.text.to_lowercase().contains("operation")
            && shape::is_stage(field)
        {
            let status = c.status().cloned().unwrap_or_else(|| Member::named(&field.name));
            if let Some(value) = first_status(about, c, &status) {
                out.push((field.name.clone(), json!({ "$value": value })));
            }
        } else if member.is_some() || !shape::is_outcome(field) && super::entity::without_id(&field.stems).1 {
            let schema = schema_of(&field.name)
                .filter(|s| !s.to_string().contains("$ref"))
                .unwrap_or_else(|| json!({}));
            out.push((field.name.clone(), json!({ "$fill": { "schema": schema } })));
        }
    }
    out
}

/// Members that records have and the call does not give, where the state shows what they start as.
fn defaults(about: &About<'_, '_>) -> Map<String, Json> {
    let c = about.collection();
    let mut set = Map::new();
    for member in c.members.iter().filter(|m| m.top()) {
        let name = member.name();
        let given = about.params().any(|(param, role)| match role {
            Role::Member(at) | Role::Finds(at) | Role::Named(at, ..) => c.members[*at].path[0] == name,
            Role::Token(holder, _) => about.owner(*holder).is_some_and(|owner| owner[0] == name),
            _ => param.name == name,
        });
        if given || c.id.as_deref() == Some(name) {
            continue;
        }
        if let Some(value) = default(about, c, member) {
            set.insert(name.to_owned(), value);
        }
    }
    set
}

fn default(about: &About<'_, '_>, c: &Collection, member: &Member) -> Option<Json> {
    let is = |word: &str| member.stems.iter().any(|stem| stem == word);
    if c.status().is_some_and(|status| status.path == member.path) {
        return Some(json!({ "$value": first_status(about, c, member)? }));
    }
    let user = is("created") && is("by")
        || is("user")
        || is("owner")
        || is("author")
        || is("creator")
        || is("sender");
    if user
        && member.single
        && let Some(who) = auth::current_user(about.ctx, &c.group)
    {
        return Some(json!(expr::state(&who.path)));
    }
    if member.count == 0 {
        return None;
    }
    if let Some(now) = times::now_like(member) {
        return Some(json!(now));
    }
    match &member.first {
        Json::Array(_) if member.always => Some(json!([])),
        Json::Bool(_) if member.values.len() == 1 => Some(member.first.clone()),
        Json::Bool(_) => Some(json!(false)),
        first if member.values.len() == 1 && member.count > 2 && member.always && !first.is_object() => {
            Some(super::build::literal(first.clone()))
        }
        _ => None,
    }
}

/// The status that a new record has.
fn first_status(about: &About<'_, '_>, c: &Collection, member: &Member) -> Option<String> {
    let tool = about.tool;
    const FIRST: &[&str] = &[
        "pending",
        "open",
        "new",
        "active",
        "confirmed",
        "scheduled",
        "created",
        "booked",
        "draft",
        "todo",
        "to do",
        "not started",
        "queued",
        "submitted",
        "placed",
        "processing",
        "received",
        "unread",
        "available",
        "enabled",
    ];
    const BOOKED: &[&str] = &["confirmed", "booked", "reserved", "scheduled"];
    let mut known: Vec<String> = member.values.iter().cloned().collect();
    for tool in about.ctx.tools.iter().filter(|tool| c.called(&tool.action.nouns)) {
        if let Returns::Object(fields) | Returns::List(fields) = &tool.returns {
            let all = fields.iter().chain(fields.iter().flat_map(|field| &field.inner));
            known.extend(
                all.filter(|f| f.stems == member.stems).flat_map(|f: &Field| f.options.iter().cloned()),
            );
        }
    }
    let first = |list: &[&str]| {
        list.iter()
            .find_map(|word| {
                known.iter().find(|value| value.to_lowercase().replace(['_', '-'], " ") == *word)
            })
            .cloned()
    };
    if matches!(tool.action.word.as_str(), "book" | "reserve" | "schedule")
        && let Some(status) = first(BOOKED)
    {
        return Some(status);
    }
    if let Some(status) = first(FIRST) {
        return Some(status);
    }
    const LAST: &[&str] = &[
        "completed",
        "closed",
        "cancelled",
        "canceled",
        "delivered",
        "resolved",
        "done",
        "archived",
        "rejected",
        "failed",
    ];
    if known.len() == 1 && c.rows > 1 && !LAST.contains(&known[0].to_lowercase().as_str()) {
        return known.pop();
    }
    // Nothing known: written as the known ones are, or in lower case.
    let opens =
        c.stems.iter().any(|w| matches!(w.as_str(), "ticket" | "issue" | "incident" | "case" | "bug"));
    let word = match tool.action.word.as_str() {
        "book" | "reserve" => "confirmed",
        _ if opens => "open",
        _ => "pending",
    };
    let upper = known.iter().all(|value| value.chars().all(|ch| !ch.is_lowercase())) && !known.is_empty();
    let capital = known.iter().all(|value| value.starts_with(char::is_uppercase)) && !known.is_empty();
    Some(if upper {
        word.to_uppercase()
    } else if capital {
        super::tokens::sentence(word)
    } else {
        word.to_owned()
    })
}
