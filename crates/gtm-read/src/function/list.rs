//! Tools that read many records: filters, search, sorting, paging, counting.

use super::build::{behavior, bind, list, reply};
use super::expr;
use super::found::About;
use super::match_params::Role;
use super::part;
use super::reply::{self as shape, Sources};
use super::state_shape::Kind;
use super::verbs::Verb;
use gtm_world::behavior::{Behavior, Op, Sort, Step};
use serde_json::json;

/// Reads the records that fit.
pub(super) fn read(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    let ctx = about.ctx;
    // Figures about records are not the records.
    const FIGURES: &[&str] =
        &["stat", "statistic", "summary", "report", "analytic", "metric", "insight", "trend", "stats"];
    if about.tool.action.nouns.iter().any(|word| FIGURES.contains(&word.as_str()) && !c.stems.contains(word))
    {
        return None;
    }
    let mut steps = super::auth::required(ctx, about.tool, Some(about.index));
    steps.extend(about.checks());
    steps.extend(any_given(about));
    if matches!(c.kind, Kind::Index) {
        return index(about, steps);
    }
    if c.kind == Kind::Lists {
        return None;
    }
    let within = about.within()?;
    let rows = about.rows()?;
    let mut step = list(&within);
    let mut tests: Vec<String> = Vec::new();
    let mut size: Option<String> = None;
    let mut page: Option<String> = None;
    for (param, role) in about.params() {
        let value = param.expr();
        let given = if param.required { String::new() } else { format!("{value} == null || ") };
        match role {
            // Equality with a member is what `match` does, and it leaves out what is not given.
            Role::Member(at) | Role::Finds(at)
                if c.members[*at].top() && !is_text_search(about, *at, param) =>
            {
                let value = match &param.default {
                    // Defaults such as "None" stand for not filtering.
                    Some(default) if default.is_string() && shape::is_no_default(default) => {
                        format!("{value} == {default} ? null : {value}")
                    }
                    _ => value,
                };
                step.equal.insert(c.members[*at].name().to_owned(), json!(value));
            }
            Role::Member(at) | Role::Finds(at) => {
                let held = expr::below("it", &c.members[*at].path);
                tests.push(format!("({given}contains(lower(string({held})), lower(string({value}))))"));
            }
            Role::Key => match (&c.id, c.kind) {
                (Some(id), _) => {
                    step.equal.insert(id.clone(), json!(value));
                }
                (None, Kind::Map) => tests.push(format!("({given}key == string({value}))")),
                _ => {}
            },
            Role::Named(..) => {}
            Role::Search => step.search = Some(value),
            Role::Limit => size = Some(value),
            Role::Offset => step.offset = Some(value),
            Role::Page => page = Some(value),
            Role::Sort => {
                step.sort = Some(Sort { by: value, descending: step.sort.take().and_then(|s| s.descending) })
            }
            Role::Direction => {
                let by = step.sort.take().map_or_else(|| "null".to_owned(), |sort| sort.by);
                step.sort = Some(Sort { by, descending: Some(value) });
            }
            Role::From(at) | Role::To(at) => {
                let sign = if matches!(role, Role::From(_)) { ">=" } else { "<=" };
                let held = expr::below("it", &c.members[*at].path);
                tests.push(format!(
                    "({given}({held} != null && type({held}) == type({value}) && {held} {sign} {value}))"
                ));
            }
            Role::Refers(to) => {
                if let Some(owner) = about.owner(*to).filter(|path| path.len() == 1) {
                    step.equal.insert(owner[0].clone(), json!(value));
                }
            }
            _ => {}
        }
    }
    for (param, role) in about.params() {
        if let Role::Named(at, to, stored) = role {
            let held = expr::below("it", &c.members[*at].path);
            let value = param.expr();
            tests.push(format!("{held} == {}", expr::select(&format!("{}[{value}]", ctx.expr(*to)), stored)));
        }
        if let Role::Token(holder, _) = role
            && let Some(owner) = about.owner(*holder)
        {
            tests.push(format!("{} == me", expr::below("it", &owner)));
        }
    }
    if let Some((place, member)) = mine(about) {
        tests.push(format!("({place} == null || {member} == {place})"));
    }
    step.offset = match (step.offset, &page) {
        (None, Some(page)) => {
            let size = size.clone().unwrap_or_else(|| "10".into());
            Some(format!("(default({page}, 1) - 1) * default({size}, 10)"))
        }
        (offset, _) => offset,
    };
    step.limit = size;
    if !tests.is_empty() {
        step.filter = Some(tests.join(" && "));
    }
    let plain = tests.is_empty() && step.equal.is_empty() && step.search.is_none();
    let filter = step.filter.clone();
    steps.push(Step::from(Op::List(step)));
    let sources = Sources { of: Some(c), rows: Some("rows"), ..Sources::default() };
    if about.tool.action.verb == Verb::Count {
        steps.push(reply(match &about.tool.returns {
            super::tool::Returns::Object(fields) => shape::object(ctx, about.tool, fields, &sources),
            _ => json!("total"),
        }));
        return Some(behavior(steps));
    }
    // An object of records is shown as such where the reply is said to be one.
    let as_map = match (c.kind, plain, filter) {
        (Kind::Map, true, _) => Some(format!("default({rows}, {{}})")),
        (Kind::Map, false, Some(test)) => Some(format!("{rows}.transformMap(key, it, {test}, it)")),
        _ => None,
    };
    let as_keys = match (c.kind, &c.id, plain) {
        (_, Some(id), _) => Some(format!("rows.map(r, {})", expr::select("r", id))),
        (Kind::Map, None, true) if wants_numbers(about.tool) => {
            Some(format!("keys({rows}).filter(k, isDigits(k)).map(k, int(k))"))
        }
        (Kind::Map, None, true) => Some(format!("keys({rows})")),
        _ => None,
    };
    let template = match wanted_part(about) {
        Some(member) => {
            let value = format!("rows.map(r, {})", expr::below("r", &member));
            part::reply(ctx, about.tool, &sources, &value, member.last()?)
        }
        None => shape::rows(ctx, about.tool, &sources, as_map.as_deref(), as_keys.as_deref()),
    };
    steps.push(reply(template));
    Some(behavior(steps))
}

/// A tool for one record that names it in several optional ways needs one of them.
fn any_given(about: &About<'_, '_>) -> Option<Step> {
    let tool = about.tool;
    if tool.action.plural || tool.action.verb != Verb::Get || tool.params.iter().any(|param| param.required) {
        return None;
    }
    let ids: Vec<&super::tool::Param> =
        tool.params.iter().filter(|param| super::entity::without_id(&param.stems).1).collect();
    if ids.len() < 2 || ids.len() != tool.params.len() {
        return None;
    }
    let tests: Vec<String> = ids.iter().map(|param| format!("{} != null", param.expr())).collect();
    let names: Vec<&str> = ids.iter().map(|param| param.name.as_str()).collect();
    let message = format!("Please provide {}", expr::message(&names.join(" or ")));
    Some(super::build::require(tests.join(" || "), gtm_world::ErrorKind::InvalidArgument, message))
}

/// Whether the reply is a list of whole numbers, which as keys of an object are text.
fn wants_numbers(tool: &super::tool::Tool<'_>) -> bool {
    let items = |schema: &serde_json::Value| {
        schema.pointer("/items/type").and_then(serde_json::Value::as_str) == Some("integer")
    };
    let Some(returns) = &tool.spec.returns else { return false };
    let properties = returns.get("properties").and_then(serde_json::Value::as_object);
    items(returns) || properties.is_some_and(|properties| properties.values().any(items))
}

/// A parameter that finds by part of a text, as a search does.
fn is_text_search(about: &About<'_, '_>, at: usize, param: &super::tool::Param) -> bool {
    let c = about.collection();
    let searches = matches!(about.tool.action.word.as_str(), "search" | "find" | "browse");
    let long = c.members[at].values.iter().any(|value| value.contains(' '));
    searches
        && long
        && param.options.is_empty()
        && matches!(param.kind.as_deref(), Some("string") | None)
        && !c.members[at]
            .stems
            .iter()
            .any(|w| matches!(w.as_str(), "id" | "status" | "type" | "category" | "date"))
}

/// Who is logged in, and the member that says whose a record is, for tools that speak of the
/// current user's own records.
fn mine(about: &About<'_, '_>) -> Option<(String, String)> {
    let text = about.tool.text.to_lowercase();
    let own = ["current user", "logged in user", "logged-in user", "authenticated user", "your "];
    if !own.iter().any(|words| text.contains(words)) {
        return None;
    }
    let c = about.collection();
    let who = super::auth::current_user(about.ctx, &c.group)?;
    let member = c.members.iter().find(|m| {
        m.top()
            && m.single
            && m.stems
                .iter()
                .any(|w| matches!(w.as_str(), "user" | "owner" | "created" | "author" | "sender"))
    })?;
    Some((expr::state(&who.path), expr::below("it", &member.path)))
}

/// The member of each row that the tool asks for: `list_user_emails`.
fn wanted_part(about: &About<'_, '_>) -> Option<Vec<String>> {
    let c = about.collection();
    let asked: Vec<&String> = about.tool.action.nouns.iter().filter(|w| !c.names_word(w)).collect();
    let last = asked.last()?;
    let member = c.members.iter().find(|m| m.top() && m.single && m.stems.last() == Some(last))?;
    (about.tool.action.nouns.last() == Some(last) && last.as_str() != "status").then(|| member.path.clone())
}

/// Keys with single values: all of them, or the keys.
fn index(about: &About<'_, '_>, mut steps: Vec<Step>) -> Option<Behavior> {
    let rows = about.rows()?;
    steps.push(bind("rows", format!("keys({rows})")));
    steps.push(bind("total", "size(rows)"));
    let sources = Sources { of: Some(about.collection()), rows: Some("rows"), ..Sources::default() };
    steps.push(reply(shape::rows(about.ctx, about.tool, &sources, Some(&rows), Some("rows"))));
    Some(behavior(steps))
}
