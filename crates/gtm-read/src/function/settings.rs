//! Single values in the state: reading, setting, switching, counting up and down.

use super::auth;
use super::build::{assign, behavior, bind, literal, reply, require};
use super::context::Context;
use super::entity::{self, mentions};
use super::expr;
use super::reply::{self as shape, Sources};
use super::state_shape::Scalar;
use super::tokens::{participle, phrase, same_root};
use super::tool::{Field, Param, Returns, Tool};
use super::verbs::Verb;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Step};
use serde_json::{Value as Json, json};

/// Reads a single value, or the values that a reply is made of.
pub(super) fn read(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    let asked = entity::value(ctx, tool, &ctx.shape.scalars);
    if let Returns::Object(fields) = &tool.returns {
        let inner = fields.iter().flat_map(|field| &field.inner);
        let known =
            fields.iter().chain(inner).filter(|field| held(ctx, tool, field, asked).is_some()).count();
        if known == 0 || tool.params.iter().any(|param| param.required) {
            return None;
        }
        let mut steps = auth::required(ctx, tool, None);
        steps.push(reply(Json::Object(shown(ctx, tool, fields, asked))));
        return Some(behavior(steps));
    }
    if tool.params.iter().any(|param| param.required) {
        return None;
    }
    let mut steps = auth::required(ctx, tool, None);
    if let Some(asked) = asked {
        let value = expr::state(&asked.path);
        let name = asked.path.last()?.clone();
        steps.push(reply(match &tool.returns {
            Returns::Unknown => json!({ name: value }),
            _ => json!(value),
        }));
        return Some(behavior(steps));
    }
    // A group of values, as a whole: `get_account_info`.
    let nouns: Vec<String> = tool.action.nouns.clone();
    let group = ctx.shape.groups.iter().find(|(path, words)| {
        let core: Vec<String> = words
            .iter()
            .filter(|w| !matches!(w.as_str(), "info" | "setting" | "data" | "state"))
            .cloned()
            .collect();
        path.len() > 1 && !nouns.is_empty() && mentions(&nouns, &core)
    })?;
    steps.push(reply(json!(expr::state(&group.0))));
    Some(behavior(steps))
}

/// A declared object, with what the state holds of it.
fn shown(
    ctx: &Context<'_>,
    tool: &Tool<'_>,
    fields: &[Field],
    asked: Option<&Scalar>,
) -> serde_json::Map<String, Json> {
    fields
        .iter()
        .map(|field| {
            let value = match held(ctx, tool, field, asked) {
                Some(held) => json!(held),
                None if field.kind == "object" && !field.inner.is_empty() => {
                    Json::Object(shown(ctx, tool, &field.inner, None))
                }
                None => json!("fill"),
            };
            (field.name.clone(), value)
        })
        .collect()
}

/// Changes of settings that only the reply tells of: `pressPedal` returns `pedalStatus`, which the
/// state holds and which is either pressed or released.
pub(super) fn effects(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    let Returns::Object(fields) = &tool.returns else { return None };
    let group = ctx.group_of(tool);
    let near = |s: &&Scalar| group.is_none_or(|group| s.group.starts_with(group));
    let done = participle(tool.action.word.split(' ').next()?);
    let mut steps = auth::required(ctx, tool, None);
    let mut sources = Sources {
        done: Some(shape::done_message(tool, &phrase(&tool.action.all_nouns), None)),
        ..Sources::default()
    };
    let mut changed = false;
    for field in fields {
        let Some(scalar) = ctx.shape.scalars.iter().filter(near).find(|s| s.stems == field.stems) else {
            continue;
        };
        let place = expr::state(&scalar.path);
        let option = field.options.iter().find(|option| same_root(option, &done));
        if let (Some(option), Json::String(_)) = (option, &scalar.value) {
            steps.push(assign(&place, literal(json!(option))));
            changed = true;
        }
        sources.known.push((scalar.stems.clone(), place));
    }
    if !changed {
        return None;
    }
    steps.push(reply(shape::object(ctx, tool, fields, &sources)));
    Some(behavior(steps))
}

/// The value in the state that a member of a reply shows.
fn held(ctx: &Context<'_>, tool: &Tool<'_>, field: &Field, asked: Option<&Scalar>) -> Option<String> {
    let group = ctx.group_of(tool);
    let near = |s: &&Scalar| group.is_none_or(|group| s.group.starts_with(group));
    let core = |stems: &[String]| -> Vec<String> {
        stems.iter().filter(|w| !matches!(w.as_str(), "current" | "new" | "updated")).cloned().collect()
    };
    let exact = ctx.shape.scalars.iter().filter(near).find(|s| core(&s.stems) == core(&field.stems));
    let found = exact.or_else(|| asked.filter(|s| super::tokens::common(&s.stems, &field.stems) > 0))?;
    let kind = gtm_tool::schema::type_of(&found.value);
    let fits = field.kind.is_empty()
        || kind == field.kind
        || kind == "null"
        || (kind == "integer" && field.kind == "number")
        || (kind == "number" && field.kind == "integer");
    fits.then(|| expr::state(&found.path))
}

/// Sets single values.
pub(super) fn write(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    let mut changes: Vec<(Vec<&Scalar>, Json)> = Vec::new();
    let mut checks: Vec<Step> = Vec::new();
    // Parameters named like values.
    for param in &tool.params {
        if let Some(scalar) = named_like(ctx, tool, param) {
            changes.push((same_elsewhere(ctx, scalar), json!(guarded(param, scalar))));
        }
    }
    let own = entity::value(ctx, tool, &ctx.shape.scalars);
    if changes.is_empty()
        && let Some(scalar) = own
    {
        let value = match (
            tool.action.verb,
            tool.params.iter().filter(|p| !is_credential(p)).collect::<Vec<_>>().as_slice(),
        ) {
            (Verb::TurnOn, _) => switched(scalar, true, tool)?,
            (Verb::TurnOff, _) => switched(scalar, false, tool)?,
            (Verb::Mark, []) => switched(scalar, !tool.action.word.starts_with("dis"), tool)?,
            (Verb::Update | Verb::Mark | Verb::Other, [param, ..]) => {
                match (param.is_bool(), &scalar.value) {
                    (true, Json::Bool(_)) => json!(param.expr()),
                    (true, Json::String(_)) => {
                        let (on, off) = (switched(scalar, true, tool)?, switched(scalar, false, tool)?);
                        json!(format!("{} ? {} : {}", param.expr(), plain_expr(&on), plain_expr(&off)))
                    }
                    _ => value_of(scalar, param, tool)?,
                }
            }
            _ => return None,
        };
        changes.push((same_elsewhere(ctx, scalar), value));
    }
    if changes.is_empty() {
        return None;
    }
    checks.extend(credentials(ctx, tool));
    let mut steps = auth::required(ctx, tool, None);
    steps.append(&mut checks);
    for (scalars, value) in &changes {
        for scalar in scalars {
            steps.push(assign(&expr::state(&scalar.path), value.clone()));
        }
    }
    let what = phrase(&tool.action.all_nouns);
    let done = match tool.action.verb {
        Verb::TurnOn | Verb::TurnOff => format!(
            "{} has been turned {}",
            super::tokens::sentence(&expr::message(&what)),
            if tool.action.verb == Verb::TurnOn { "on" } else { "off" }
        ),
        _ => shape::done_message(tool, &what, None),
    };
    let mut sources = Sources { done: Some(done), ..Sources::default() };
    for (scalars, _) in &changes {
        if let Some(scalar) = scalars.first() {
            sources.known.push((scalar.stems.clone(), expr::state(&scalar.path)));
        }
    }
    steps.push(reply(shape::done(ctx, tool, &sources)));
    Some(behavior(steps))
}

/// Raises or lowers an amount in the state: `deposit(amount)`.
pub(super) fn amount(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    let raise = match tool.action.verb {
        Verb::Deposit => true,
        Verb::Withdraw => false,
        _ => return None,
    };
    let amount = tool.params.iter().find(|param| param.is_number())?;
    let group = ctx.group_of(tool);
    let near = |s: &&Scalar| group.is_none_or(|group| s.group.starts_with(group));
    let mut balances = ctx.shape.scalars.iter().filter(near).filter(|s| {
        s.value.is_number()
            && s.stems.iter().any(|w| matches!(w.as_str(), "balance" | "fund" | "cash" | "money" | "credit"))
    });
    let balance = balances.next()?;
    if balances.next().is_some() {
        return None;
    }
    let place = expr::state(&balance.path);
    let value = amount.expr();
    let mut steps = auth::required(ctx, tool, None);
    steps.extend(credentials(ctx, tool));
    steps.push(require(
        format!("{value} > 0"),
        ErrorKind::InvalidArgument,
        format!("The {} must be positive", phrase(&amount.stems)),
    ));
    if !raise {
        let message = format!("Insufficient {}", phrase(&balance.stems));
        steps.push(require(format!("{place} >= {value}"), ErrorKind::Conflict, message));
    }
    let sign = if raise { "+" } else { "-" };
    steps.push(assign(&place, format!("{place} {sign} {value}")));
    steps.push(bind("after", place));
    let mut sources = Sources {
        done: Some(shape::done_message(tool, &phrase(&tool.action.all_nouns), None)),
        ..Sources::default()
    };
    sources.known.push((balance.stems.clone(), "after".into()));
    steps.push(reply(match &tool.returns {
        Returns::Unknown => json!({ balance.path.last()?.clone(): "after" }),
        _ => shape::done(ctx, tool, &sources),
    }));
    Some(behavior(steps))
}

/// Tokens that the state holds must be given right.
fn credentials(ctx: &Context<'_>, tool: &Tool<'_>) -> Vec<Step> {
    let group = ctx.group_of(tool).map(<[String]>::to_vec).unwrap_or_default();
    tool.params
        .iter()
        .filter(|param| is_credential(param))
        .filter_map(|param| {
            let held = ctx.scalars_in(&group).find(|s| s.stems == param.stems)?;
            let place = expr::state(&held.path);
            let test = format!("{place} == null || {place} == {}", param.expr());
            Some(require(test, ErrorKind::Unauthenticated, format!("Invalid {}", phrase(&param.stems))))
        })
        .collect()
}

fn is_credential(param: &Param) -> bool {
    param.stems.iter().any(|s| matches!(s.as_str(), "token" | "password" | "secret"))
}

/// The value that a parameter is named after.
fn named_like<'c>(ctx: &'c Context<'_>, tool: &Tool<'_>, param: &Param) -> Option<&'c Scalar> {
    if is_credential(param) {
        return None;
    }
    let group = ctx.group_of(tool);
    let near = |s: &&Scalar| group.is_none_or(|group| s.group.starts_with(group));
    let strip = |stems: &[String]| -> Vec<String> {
        stems.iter().filter(|w| !matches!(w.as_str(), "new" | "target" | "current")).cloned().collect()
    };
    let exact = |s: &&Scalar| strip(&s.stems) == strip(&param.stems);
    let verb =
        matches!(tool.action.verb, Verb::Update | Verb::Mark | Verb::TurnOn | Verb::TurnOff | Verb::Other);
    let found = ctx.shape.scalars.iter().filter(near).find(exact)?;
    // A single common word needs the tool's name to speak for it too.
    let specific =
        found.stems.len() > 1 || mentions(&tool.action.all_nouns, &found.stems) || tool.params.len() > 1;
    (verb && specific && type_fits(param, found)).then_some(found)
}

fn type_fits(param: &Param, scalar: &Scalar) -> bool {
    match &scalar.value {
        Json::Bool(_) => param.is_bool(),
        Json::Number(_) => param.is_number(),
        Json::String(_) => matches!(param.kind.as_deref(), Some("string") | None),
        _ => true,
    }
}

/// The parameter's value, or what is there if it is not given.
fn guarded(param: &Param, scalar: &Scalar) -> String {
    let place = expr::state(&scalar.path);
    if param.is_number() && adds(param) {
        return format!("{place} + {}", param.expr());
    }
    if param.required {
        return param.expr();
    }
    match &param.default {
        Some(default) if !shape::is_no_default(default) => format!("default({}, {default})", param.expr()),
        _ => format!("default({}, {place})", param.expr()),
    }
}

/// Whether a number is said to come on top of what is there.
fn adds(param: &Param) -> bool {
    let text = param.text.to_lowercase();
    ["additional", "to add", "amount to increase", "increase by", "increment"]
        .iter()
        .any(|words| text.contains(words))
}

/// The same setting where other groups keep a copy of it: there is only one device.
fn same_elsewhere<'c>(ctx: &'c Context<'_>, scalar: &'c Scalar) -> Vec<&'c Scalar> {
    let mut all = vec![scalar];
    if scalar.value.is_boolean() && scalar.path.len() == 2 {
        all.extend(ctx.shape.scalars.iter().filter(|s| {
            s.path != scalar.path && s.path.len() == 2 && s.path[1] == scalar.path[1] && s.value.is_boolean()
        }));
    }
    all
}

/// What a switch is when on or off, in the way the value is kept.
fn switched(scalar: &Scalar, on: bool, tool: &Tool<'_>) -> Option<Json> {
    match &scalar.value {
        Json::Bool(_) => Some(json!(on)),
        Json::Number(n) if n.as_i64().is_some_and(|n| n == 0 || n == 1) => Some(json!(i32::from(on))),
        Json::String(now) => {
            const PAIRS: &[(&str, &str)] = &[
                ("on", "off"),
                ("enabled", "disabled"),
                ("active", "inactive"),
                ("running", "stopped"),
                ("open", "closed"),
                ("locked", "unlocked"),
                ("pressed", "released"),
                ("engaged", "released"),
            ];
            let lower = now.to_lowercase();
            let done = participle(&tool.action.word);
            if tool.action.verb == Verb::Mark
                && let Some(option) = options(tool, scalar)
                    .into_iter()
                    .find(|o| same_root(o, &done) || same_root(o, &tool.action.word))
            {
                return Some(literal(json!(option)));
            }
            let pair = PAIRS.iter().find(|(a, b)| {
                (*a == lower || *b == lower)
                    && (tool.action.verb != Verb::Mark || same_root(a, &done) || same_root(b, &done))
            });
            match pair {
                Some((a, b)) if tool.action.verb == Verb::Mark => {
                    Some(literal(json!(if same_root(b, &done) && !same_root(a, &done) { b } else { a })))
                }
                Some((a, b)) => Some(literal(json!(if on { a } else { b }))),
                None if tool.action.verb == Verb::Mark => Some(literal(json!(done))),
                None => None,
            }
        }
        _ => None,
    }
}

/// Values that replies list for this setting.
fn options(tool: &Tool<'_>, scalar: &Scalar) -> Vec<String> {
    match &tool.returns {
        Returns::Object(fields) => fields
            .iter()
            .filter(|f| {
                f.stems.concat() == scalar.stems.concat()
                    || super::tokens::common(&f.stems, &scalar.stems) + 1 >= f.stems.len()
            })
            .flat_map(|f| f.options.iter().cloned())
            .collect(),
        _ => Vec::new(),
    }
}

/// A parameter's value as the setting keeps it: `engage` is kept as `engaged`.
fn value_of(scalar: &Scalar, param: &Param, tool: &Tool<'_>) -> Option<Json> {
    let kept = options(tool, scalar);
    if !param.options.is_empty() && !kept.is_empty() && !param.options.iter().all(|o| kept.contains(o)) {
        let pairs: Vec<String> = param
            .options
            .iter()
            .map(|option| {
                let as_kept = kept.iter().find(|k| k.eq_ignore_ascii_case(option)).or_else(|| {
                    kept.iter()
                        .find(|k| same_root(k, option) || same_root(k, &participle(&option.to_lowercase())))
                });
                let value = as_kept
                    .map_or_else(|| opposite(option, &kept).unwrap_or(option.as_str()), String::as_str);
                format!("{}: {}", expr::text(option), expr::text(value))
            })
            .collect();
        return Some(json!(format!("{{{}}}[{}]", pairs.join(", "), param.expr())));
    }
    let sign = match tool.action.word.as_str() {
        _ if !param.is_number() => None,
        "increase" | "raise" | "fill" | "add" => Some("+"),
        "decrease" | "reduce" | "lower" => Some("-"),
        _ if adds(param) => Some("+"),
        _ => None,
    };
    if let (Some(sign), Json::Number(_)) = (sign, &scalar.value) {
        return Some(json!(format!("{} {sign} {}", expr::state(&scalar.path), param.expr())));
    }
    type_fits(param, scalar).then(|| json!(param.expr()))
}

/// `START` runs an engine, `STOP` stops it.
fn opposite<'k>(option: &str, kept: &'k [String]) -> Option<&'k str> {
    const MEANS: &[(&str, &str)] = &[
        ("start", "running"),
        ("stop", "stopped"),
        ("auto", "on"),
        ("on", "enabled"),
        ("off", "disabled"),
        ("open", "opened"),
    ];
    let lower = option.to_lowercase();
    let (_, meant) = MEANS.iter().find(|(word, _)| *word == lower)?;
    kept.iter().find(|k| k.eq_ignore_ascii_case(meant)).map(String::as_str)
}

fn plain_expr(value: &Json) -> String {
    value.get("$value").unwrap_or(value).to_string()
}
