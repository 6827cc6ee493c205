//! Tools that change a record: its members, or its stage of life.

use super::auth;
use super::build::{behavior, reply, require, update_at};
use super::expr;
use super::found::{About, Found};
use super::match_params::Role;
use super::member::Member;
use super::reply::{self as shape, Sources};
use super::state_shape::{Collection, Kind};
use super::tokens::{participle, phrase, same_root, sentence, singular};
use super::tool::Tool;
use super::verbs::Verb;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Op, Step};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Sets the members that the call gives.
pub(super) fn members(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    if !matches!(c.kind, Kind::Map | Kind::List) {
        return None;
    }
    let (ctx, tool) = (about.ctx, about.tool);
    let mut found = find_to_change(about)?;
    found.steps.extend(stage(about));
    let mut step = found.update();
    let mut inner: BTreeMap<Vec<String>, Vec<(String, String)>> = BTreeMap::new();
    let mut members: Vec<String> = Vec::new();
    let key =
        about.params().find(|(_, role)| matches!(role, Role::Key | Role::Finds(_))).map(|(param, _)| param);
    for (param, role) in about.params() {
        let value = param.expr();
        match role {
            Role::Member(at) if Some(param.name.as_str()) != key.map(|k| k.name.as_str()) => {
                match c.members[*at].path.split_last() {
                    Some((name, [])) => members.push(format!("{}: {value}", expr::text(name))),
                    Some((name, path)) => inner.entry(path.to_vec()).or_default().push((name.clone(), value)),
                    None => {}
                }
            }
            Role::Named(at, to, stored) => {
                let held = expr::select(&format!("{}[{value}]", ctx.expr(*to)), stored);
                members.push(format!("{}: {held}", expr::text(c.members[*at].name())));
            }
            Role::Payload => step.merge = Some(value),
            Role::FieldValue => {
                if let Some(field) = about.param(&Role::FieldName) {
                    found.steps.push(require(
                        format!("has(it[{}])", field.expr()),
                        ErrorKind::InvalidArgument,
                        format!("Unknown field '{{{}}}'", field.expr()),
                    ));
                    members.push(format!("string({}): {value}", field.expr()));
                }
            }
            Role::Unknown | Role::Refers(_) | Role::Search
                if c.schema.is_some() || tool.action.verb != Verb::Update =>
            {
                members.push(format!("{}: {value}", expr::text(&param.name)));
            }
            _ => {}
        }
    }
    members.sort();
    members.dedup_by(|a, b| a.split(':').next() == b.split(':').next());
    if !members.is_empty() {
        let object = format!("{{{}}}", members.join(", "));
        step.merge = Some(match step.merge.take() {
            Some(payload) => format!("merge(default({payload}, {{}}), {object})"),
            None => object,
        });
    }
    if let Some((name, value)) = told_status(tool, c) {
        step.set.insert(name, super::build::literal(json!(value)));
    } else if tool.text.to_lowercase().contains("only be called once")
        && let (Some(status), [first, ..]) = (c.status(), stage_values(about).as_slice())
    {
        // A second call must find that there was a first one.
        let value = format!("{first} ({})", participle(tool.action.word.split(' ').next().unwrap_or("")));
        step.set.insert(status.name().to_owned(), super::build::literal(json!(value)));
    }
    if let Some((path, value)) = super::nested::replaced(about)
        && let [name] = path.as_slice()
    {
        step.set.insert(name.clone(), json!(value));
    }
    if step.merge.is_none() && step.set.is_empty() && inner.is_empty() {
        return None;
    }
    if !inner.is_empty() {
        place_of(&found, c)?;
    }
    for (path, members) in inner {
        let place = place_of(&found, c)?;
        let object: Vec<String> =
            members.iter().map(|(name, value)| format!("{}: {value}", expr::text(name))).collect();
        let mut inside = update_at(&expr::below(&place, &path));
        inside.merge = Some(format!("{{{}}}", object.join(", ")));
        inside.upsert = true;
        inside.bind = Some("_".into());
        found.steps.push(Step::from(Op::Update(inside)));
    }
    if step.merge.is_some() || !step.set.is_empty() {
        found.steps.push(Step::from(Op::Update(step)));
    } else {
        // What is inside was changed; the record is shown as it is now.
        let now = match &found.place {
            Some(_) => format!("{}[spot]", about.rows()?),
            None => expr::below_state(about.ctx, about.index, &found.id),
        };
        found.steps.push(super::build::bind("it", now));
    }
    finish(about, found)
}

/// Checks that the record is there and fit for the call, and shows it: for changes that go deeper than
/// rules can see.
pub(super) fn look_only(about: &About<'_, '_>) -> Option<Behavior> {
    let mut found = find_to_change(about)?;
    found.steps.extend(stage(about));
    let mut behavior = finish(about, found)?;
    behavior.note = Some("only the checks are known; nothing is changed".into());
    Some(behavior)
}

/// Moves a record into the stage that the verb names, or sets the flag that it names.
pub(super) fn mark(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    if !matches!(c.kind, Kind::Map | Kind::List) {
        return None;
    }
    let tool = about.tool;
    let mut found = find_to_change(about)?;
    found.steps.extend(stage(about));
    let target = change(tool, c, about)?;
    if let Some(message) = &target.refuse_again {
        let held = expr::select("it", &target.member);
        let test = format!("{held} != {}", json_expr(&target.value));
        found.steps.push(require(test, ErrorKind::Conflict, message.clone()));
    }
    let mut step = found.update();
    step.set.insert(target.member.clone(), super::build::literal(target.value.clone()));
    let extra: Vec<String> = about
        .params()
        .filter(|(_, role)| matches!(role, Role::Unknown | Role::Member(_) | Role::Refers(_) | Role::Search))
        .filter(|(param, _)| {
            !param.is_list() && param.name != target.member && !super::nested::names_inner(about, param)
        })
        .map(|(param, _)| format!("{}: {}", expr::text(&param.name), param.expr()))
        .collect();
    if !extra.is_empty() {
        step.merge = Some(format!("{{{}}}", extra.join(", ")));
    }
    found.steps.push(Step::from(Op::Update(step)));
    finish(about, found)
}

/// What a verb changes in a record.
struct Change {
    member: String,
    value: Json,
    /// Said when it is so already; `None` where doing it twice is no failure.
    refuse_again: Option<String>,
}

fn change(tool: &Tool<'_>, c: &Collection, about: &About<'_, '_>) -> Option<Change> {
    let word = tool.action.word.split(' ').next().unwrap_or("");
    let undo = word.strip_prefix("un").filter(|rest| rest.len() > 2);
    // A flag of the verb's name: `archive` sets `archived`.
    let flag = c.members.iter().find(|m| {
        m.top()
            && (m.first.is_boolean() || c.schema.is_some() && m.count == 0)
            && m.stems.iter().any(|s| same_root(s, undo.unwrap_or(word)))
    });
    if let Some(flag) = flag {
        return Some(Change {
            member: flag.name().to_owned(),
            value: json!(undo.is_none()),
            refuse_again: None,
        });
    }
    if let Some((member, value)) = told_status(tool, c) {
        return Some(Change { member, value: json!(value), refuse_again: None });
    }
    let status = c.status();
    let done = match tool.action.verb {
        Verb::TurnOn => "on".to_owned(),
        Verb::TurnOff => "off".to_owned(),
        _ => participle(word),
    };
    let known: Vec<&String> = status.map(|s| s.values.iter().collect()).unwrap_or_default();
    let declared = declared(about);
    // `enable` and `disable` have flags named after the state.
    if status.is_none_or(|status| !known.iter().any(|v| same_root(v, &done)) && status.count == 0)
        && let Some((name, on)) = switch(c, word)
    {
        return Some(Change { member: name, value: json!(on), refuse_again: None });
    }
    let status = status?;
    let value = known
        .iter()
        .map(|v| v.as_str())
        .chain(declared.iter().map(String::as_str))
        .find(|v| same_root(v, &done) || same_root(v, word))
        .map_or_else(|| styled(&done, &known), str::to_owned);
    const FINAL: &[&str] = &[
        "cancel",
        "close",
        "resolve",
        "complete",
        "finish",
        "approve",
        "reject",
        "activate",
        "deactivate",
        "archive",
    ];
    let refuse = FINAL.contains(&word).then(|| {
        let noun = expr::message(&c.title());
        let which = about.param(&Role::Key).map(|param| format!(" {{{}}}", param.expr())).unwrap_or_default();
        format!("{noun}{which} is already {}", value.to_lowercase())
    });
    Some(Change { member: status.name().to_owned(), value: json!(value), refuse_again: refuse })
}

/// A flag that `enable` and `disable`, `lock` and `unlock` and the like switch.
fn switch(c: &Collection, word: &str) -> Option<(String, bool)> {
    const PAIRS: &[(&str, &str)] = &[
        ("enable", "disable"),
        ("activate", "deactivate"),
        ("lock", "unlock"),
        ("open", "close"),
        ("start", "stop"),
        ("mute", "unmute"),
        ("complete", "reopen"),
    ];
    let (on, positive) = PAIRS.iter().find_map(|(on, off)| match word {
        w if w == *on => Some((*on, true)),
        w if w == *off => Some((*on, false)),
        _ => None,
    })?;
    let member = c
        .members
        .iter()
        .find(|m| m.top() && m.first.is_boolean() && m.stems.iter().any(|s| same_root(s, on)))?;
    Some((member.name().to_owned(), positive))
}

/// Values that returns of this toolset's tools list for the status.
fn declared(about: &About<'_, '_>) -> Vec<String> {
    let Some(status) = about.collection().status() else { return Vec::new() };
    let mut out = Vec::new();
    for tool in &about.ctx.tools {
        if let super::tool::Returns::Object(fields) | super::tool::Returns::List(fields) = &tool.returns {
            let fields = fields.iter().chain(fields.iter().flat_map(|f| &f.inner));
            out.extend(fields.filter(|f| f.stems == status.stems).flat_map(|f| f.options.iter().cloned()));
        }
    }
    out
}

/// A word written as the known values are.
fn styled(word: &str, known: &[&String]) -> String {
    if known.is_empty() {
        return word.to_owned();
    }
    if known.iter().all(|v| v.chars().all(|c| !c.is_lowercase())) {
        word.to_uppercase()
    } else if known.iter().all(|v| v.starts_with(char::is_uppercase)) {
        sentence(word)
    } else {
        word.to_owned()
    }
}

/// "The order status will be changed to 'return requested'."
fn told_status(tool: &Tool<'_>, c: &Collection) -> Option<(String, String)> {
    let status = c.status()?;
    let lower = tool.text.to_lowercase();
    let at =
        lower.find(&format!("{} will be", phrase(&status.stems))).or_else(|| lower.find("status will be"))?;
    let rest = tool.text.get(at..)?;
    let end = rest.find('.').unwrap_or(rest.len());
    let clause = &rest[..end.max(1).min(rest.len())];
    let mark = clause.chars().find(|c| matches!(c, '\'' | '"' | '`'))?;
    let value = clause.split(mark).nth(1)?;
    Some((status.name().to_owned(), value.to_owned()))
}

/// Reaches the record; in a way that says who may.
fn find_to_change(about: &About<'_, '_>) -> Option<Found> {
    let mut found = about.find()?;
    // Without a key, members that are to be set must not be what the record is found by.
    let keyed =
        found.id == "me" || about.params().any(|(_, role)| matches!(role, Role::Key | Role::Finds(_)));
    if !keyed && about.tool.action.verb == Verb::Update {
        found = by_first_members(about)?;
    }
    let mut steps = auth::required(about.ctx, about.tool, Some(about.index));
    steps.append(&mut found.steps);
    steps.extend(super::nested::checks(about));
    Some(Found { steps, ..found })
}

/// Finds a record by the first member that the call gives, where it gives no key: what comes first
/// in a signature says what is meant.
fn by_first_members(about: &About<'_, '_>) -> Option<Found> {
    let first = about.roles.iter().position(|role| matches!(role, Role::Member(_)))?;
    let roles = about
        .roles
        .iter()
        .enumerate()
        .map(|(at, role)| match role {
            Role::Member(m) if at == first => Role::Finds(*m),
            Role::Member(_) | Role::Named(..) => Role::Unknown,
            other => other.clone(),
        })
        .collect();
    About { ctx: about.ctx, tool: about.tool, index: about.index, roles }.find()
}

/// The place of the record found.
fn place_of(found: &Found, c: &Collection) -> Option<String> {
    found.place.clone().or_else(|| (c.kind == Kind::Map).then(|| format!("{}[{}]", found.within, found.id)))
}

/// What the tool's name and description say a record must be for the call: `cancel_pending_order`,
/// "only pending orders can be cancelled".
pub(super) fn stage(about: &About<'_, '_>) -> Vec<Step> {
    let c = about.collection();
    let Some(status) = c.status() else { return Vec::new() };
    let Some(wanted) = wanted_stage(about.tool, c, status) else { return Vec::new() };
    let held = expr::select("it", status.name());
    let list = expr::texts(wanted.iter().map(String::as_str));
    let verb = participle(about.tool.action.word.split(' ').next().unwrap_or(""));
    let verb = if verb.is_empty() { "changed".to_owned() } else { verb };
    let noun = expr::message(&c.noun());
    let message = format!("Non-{} {noun} cannot be {verb}", expr::message(&wanted.join("/")));
    let mut test = format!("{held} == null || {held} in {list}");
    let once = about.tool.text.to_lowercase().contains("once");
    if about.tool.action.verb == Verb::Update && !once {
        // `pending (item modified)` is still pending.
        test = format!("{test} || {list}.exists(s, startsWith(string({held}), s))");
    }
    vec![require(test, ErrorKind::Conflict, message)]
}

/// The stages that the tool's name and description ask for.
fn stage_values(about: &About<'_, '_>) -> Vec<String> {
    let c = about.collection();
    c.status().and_then(|status| wanted_stage(about.tool, c, status)).unwrap_or_default()
}

/// The stages in which a record may be for the call to succeed.
fn wanted_stage(tool: &Tool<'_>, c: &Collection, status: &Member) -> Option<Vec<String>> {
    let word_of = |value: &str| value.to_lowercase().replace(['_', '-'], " ");
    let name: Vec<String> = tool.action.nouns.clone();
    let in_name: Vec<String> =
        status.values.iter().filter(|v| name.contains(&singular(&word_of(v)))).cloned().collect();
    if !in_name.is_empty() {
        return Some(in_name);
    }
    // A stage that no record happens to be in: the word right before the noun.
    const STAGES: &[&str] = &[
        "pending",
        "delivered",
        "processed",
        "shipped",
        "cancelled",
        "active",
        "open",
        "closed",
        "completed",
        "confirmed",
        "paid",
        "unpaid",
        "scheduled",
        "draft",
        "published",
        "archived",
        "overdue",
        "approved",
        "rejected",
        "expired",
    ];
    let before =
        name.windows(2).find(|pair| STAGES.contains(&pair[0].as_str()) && c.stems.first() == Some(&pair[1]));
    if let Some(pair) = before {
        let known: Vec<&String> = status.values.iter().collect();
        return Some(vec![styled(&pair[0], &known)]);
    }
    let text = tool.text.to_lowercase();
    let nouns = [phrase(&c.stems), format!("{}s", phrase(&c.stems))];
    let said = |value: &&String| {
        let value = word_of(value);
        nouns.iter().any(|noun| text.contains(&format!("only {value} {noun}")))
            || [
                format!("status is '{value}'"),
                format!("status must be '{value}'"),
                format!("must be {value}"),
                format!("must be '{value}'"),
                format!("only if {value}"),
                format!("if it is {value}"),
                format!("in {value} status"),
            ]
            .iter()
            .any(|words| text.contains(words.as_str()))
    };
    let found: Vec<String> = status.values.iter().filter(said).cloned().collect();
    (!found.is_empty()).then_some(found)
}

/// The reply of a change: what is declared, else the record as it is now.
fn finish(about: &About<'_, '_>, mut found: Found) -> Option<Behavior> {
    let c = about.collection();
    let (ctx, tool) = (about.ctx, about.tool);
    let key =
        about.params().find(|(_, role)| matches!(role, Role::Key | Role::Finds(_))).map(|(param, _)| param);
    let sources = Sources {
        of: Some(c),
        record: Some("it"),
        id: Some(found.id.clone()),
        done: Some(shape::done_message(tool, &c.noun_in(&tool.action.nouns), key)),
        ..Sources::default()
    };
    found.steps.push(reply(shape::record(ctx, tool, &sources)));
    Some(behavior(found.steps))
}

fn json_expr(value: &Json) -> String {
    value.to_string()
}
