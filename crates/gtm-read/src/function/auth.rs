//! Logging in and out, and tools that need it.

use super::build::{assign, behavior, bind, reply, require};
use super::context::Context;
use super::expr;
use super::found::exists;
use super::reply::{self as shape, Sources};
use super::state_shape::{Collection, Kind, Scalar};
use super::tool::{Param, Returns, Tool};
use super::verbs::Verb;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Step};
use serde_json::{Value as Json, json};

/// Who is logged in: a value that names a user, or is null.
pub(super) fn current_user<'c>(ctx: &'c Context<'_>, group: &[String]) -> Option<&'c Scalar> {
    let names = |s: &&Scalar| {
        let joined = s.stems.join(" ");
        (s.value.is_null() || s.value.is_string())
            && matches!(
                joined.as_str(),
                "current user"
                    | "logged in user"
                    | "current user id"
                    | "active user"
                    | "user name"
                    | "current user name"
                    | "session user"
            )
    };
    let found = ctx.shape.scalars.iter().filter(|s| s.group == group).find(names);
    found.or_else(|| ctx.shape.scalars.iter().filter(|s| s.group.is_empty()).find(names))
}

/// Whether someone is logged in: a flag.
fn flag<'c>(ctx: &'c Context<'_>, group: &[String]) -> Option<&'c Scalar> {
    ctx.shape.scalars.iter().filter(|s| s.group == group).find(|s| s.value.is_boolean() && is_login(&s.stems))
}

fn is_login(stems: &[String]) -> bool {
    let joined = stems.join(" ");
    ["logged in", "authenticated", "login", "signed in", "is authenticated"]
        .iter()
        .any(|words| joined.contains(words))
}

fn is_session(scalar: &Scalar) -> bool {
    (scalar.value.is_null() || scalar.value.is_string())
        && matches!(
            scalar.stems.join(" ").as_str(),
            "current user" | "logged in user" | "current user id" | "active user" | "session user"
        )
}

/// Steps that refuse the call while no one is logged in, for tools that need it.
///
/// A wrong refusal is worse than a missed one. So a tool needs a login only if it says itself that
/// it acts for the current user, or if the whole device has to be logged in.
pub(super) fn required(ctx: &Context<'_>, tool: &Tool<'_>, about: Option<usize>) -> Vec<Step> {
    let group: Vec<String> = match (ctx.group_of(tool), about) {
        (_, Some(index)) => ctx.collection(ctx.shape.root_of(index)).group.clone(),
        (Some(group), None) => group.to_vec(),
        (None, None) => Vec::new(),
    };
    if matches!(tool.action.verb, Verb::Login | Verb::Logout) {
        return Vec::new();
    }
    let text = tool.text.to_lowercase();
    let own = [
        "current user",
        "authenticated user",
        "logged in user",
        "logged-in user",
        "must be logged in",
        "requires login",
        "requires authentication",
    ]
    .iter()
    .any(|words| text.contains(words));
    let logins: Vec<&Tool<'_>> = ctx.tools.iter().filter(|tool| tool.action.verb == Verb::Login).collect();
    if logins.is_empty() {
        return Vec::new();
    }
    let session = ctx.scalars_in(&group).find(|s| is_session(s));
    let flag = flag(ctx, &group);
    // Users that are logged in are listed, and the call says for which user it is.
    let listed = ctx.shape.lists.iter().find(|l| l.group == group && is_login(&l.stems));
    if let (Some(listed), Some(user), false) =
        (listed, tool.params.iter().find(|p| p.required && is_user(p)), tool.action.reads())
    {
        let test = format!("{} in {}", user.expr(), expr::state(&listed.path));
        return vec![require(
            test,
            ErrorKind::Unauthenticated,
            format!("User {{{}}} is not logged in", user.expr()),
        )];
    }
    // Making something in one's own name needs a name.
    let signs = tool.action.verb == Verb::Create
        && session.is_some()
        && about.is_some_and(|index| {
            ctx.collection(index)
                .members
                .iter()
                .any(|m| m.stems.join(" ") == "created by" || m.stems.join(" ") == "sender id")
        });
    let device = about.is_some()
        && flag.is_some()
        && logins.iter().any(|login| login.params.is_empty())
        && !logins.iter().any(|login| !login.params.is_empty() && ctx.group_of(login) == Some(&group));
    if !(own || signs || device) {
        return Vec::new();
    }
    let test = match (flag, session) {
        (Some(flag), _) => expr::state(&flag.path),
        (None, Some(session)) => format!("{} != null", expr::state(&session.path)),
        (None, None) => return Vec::new(),
    };
    let message =
        if device { "Device not logged in" } else { "User not authenticated. Please log in first." };
    vec![require(test, ErrorKind::Unauthenticated, message)]
}

/// Logs a user in.
pub(super) fn login(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    let group = login_group(ctx, tool);
    if tool.params.is_empty() {
        return switch_flags(ctx, tool, &group);
    }
    let Some(user) = tool.params.iter().find(|param| is_user(param)) else {
        return issue_token(ctx, tool, &group);
    };
    let password = tool.params.iter().find(|param| {
        param.stems.iter().any(|s| matches!(s.as_str(), "password" | "pin" | "passcode" | "secret"))
    });
    let mut steps = Vec::new();
    let mut tests: Vec<(String, ErrorKind, String)> = Vec::new();
    let who = user.expr();
    let mut token = None;
    let users = users(ctx, &group, user);
    if let Some(index) = users {
        let c = ctx.collection(index);
        tests.push((known_user(ctx, index, &who), ErrorKind::NotFound, "User does not exist".into()));
        if let Some(param) = password
            && let Some(member) = c.members.iter().find(|m| m.top() && m.stems == param.stems)
        {
            let row = row_of(ctx, index, &who);
            let held = expr::below(&format!("{row}[0]"), &member.path);
            tests.push((
                format!("{held} == {}", param.expr()),
                ErrorKind::PermissionDenied,
                format!("Incorrect {}", param.name),
            ));
        }
        token =
            c.members.iter().find(|m| m.top() && m.stems.iter().any(|s| s == "token")).map(|m| {
                (m.stems.clone(), expr::below(&format!("{}[0]", row_of(ctx, index, &who)), &m.path))
            });
    } else {
        // The state of one user: what it holds must match, where it holds anything.
        for param in [Some(user), password].into_iter().flatten() {
            let held = ctx.scalars_in(&group).find(|s| s.stems == param.stems && s.value.is_string());
            if let Some(held) = held {
                let message = format!("Incorrect {}", param.name);
                tests.push((
                    format!("{} == {}", expr::state(&held.path), param.expr()),
                    ErrorKind::PermissionDenied,
                    message,
                ));
            }
        }
    }
    let soft = shape::tells_failure(tool);
    let mut when = None;
    if soft && !tests.is_empty() {
        let all: Vec<String> = tests.iter().map(|(test, _, _)| format!("({test})")).collect();
        steps.push(bind("ok", all.join(" && ")));
        when = Some("ok".to_owned());
    } else {
        steps.extend(tests.into_iter().map(|(test, kind, message)| require(test, kind, message)));
    }
    let mut changes = Vec::new();
    if let Some(flag) = flag(ctx, &group) {
        changes.push(assign(&expr::state(&flag.path), json!(true)));
    }
    if let Some(session) = ctx.scalars_in(&group).find(|s| is_session(s)) {
        changes.push(assign(&expr::state(&session.path), who.clone()));
    }
    if let Some(list) = ctx.shape.lists.iter().find(|l| l.group == group && is_login(&l.stems)) {
        let place = expr::state(&list.path);
        steps.push(require(
            format!("!({who} in {place})"),
            ErrorKind::Conflict,
            format!("{{{who}}} is already logged in"),
        ));
        changes.push(assign(&place, format!("default({place}, []) + [{who}]")));
    }
    steps.extend(changes.into_iter().map(|step| Step { when: when.clone(), ..step }));
    let mut sources =
        Sources { done: Some(format!("User {{{who}}} logged in successfully")), ..Sources::default() };
    sources.known.extend(token);
    let mut template = match &tool.returns {
        Returns::Unknown => json!({ "success": true, "message": { "$text": sources.done.clone() } }),
        Returns::Object(fields) => shape::object(ctx, tool, fields, &sources),
        _ => shape::done(ctx, tool, &sources),
    };
    if when.is_some() {
        truths(&mut template);
    }
    steps.push(reply(template));
    Some(behavior(steps))
}

/// A login by secrets that the state does not know: it is taken, and gives the token that the state
/// keeps, or a new one.
fn issue_token(ctx: &Context<'_>, tool: &Tool<'_>, group: &[String]) -> Option<Behavior> {
    let Returns::Object(fields) = &tool.returns else { return None };
    let field = fields.iter().find(|field| {
        field.stems.iter().any(|s| s == "token")
            && field.kind == "string"
            && !field.stems.contains(&"type".into())
    })?;
    let held = ctx.scalars_in(group).find(|s| s.stems == field.stems)?;
    let place = expr::state(&held.path);
    let mut steps = vec![Step {
        when: Some(format!("isEmpty({place})")),
        ..assign(&place, json!({"$fill": {"schema": {"type": "string", "pattern": "^[0-9a-f]{24}$"}}}))
    }];
    if let Some(flag) = flag(ctx, group) {
        steps.push(assign(&expr::state(&flag.path), json!(true)));
    }
    let sources = Sources { known: vec![(held.stems.clone(), place)], ..Sources::default() };
    steps.push(reply(shape::object(ctx, tool, fields, &sources)));
    Some(behavior(steps))
}

/// `true` in a reply becomes how the login went.
fn truths(template: &mut Json) {
    if let Json::Object(members) = template {
        members.values_mut().filter(|value| **value == json!(true)).for_each(|value| *value = json!("ok"));
    }
}

/// Logs the user out.
pub(super) fn logout(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    let group = login_group(ctx, tool);
    let mut steps = Vec::new();
    if let Some(flag) = flag(ctx, &group) {
        steps.push(assign(&expr::state(&flag.path), json!(false)));
    }
    if let Some(session) = ctx.scalars_in(&group).find(|s| is_session(s)) {
        steps.push(assign(&expr::state(&session.path), Json::Null));
    }
    if let (Some(list), Some(user)) = (
        ctx.shape.lists.iter().find(|l| l.group == group && is_login(&l.stems)),
        tool.params.iter().find(|param| is_user(param)),
    ) {
        let place = expr::state(&list.path);
        steps.push(assign(&place, format!("{place}.filter(u, u != {})", user.expr())));
    }
    if steps.is_empty() {
        return None;
    }
    let sources = Sources { done: Some("Logged out successfully".into()), ..Sources::default() };
    steps.push(reply(shape::done(ctx, tool, &sources)));
    Some(behavior(steps))
}

/// Says whether someone is logged in.
pub(super) fn status(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    let nouns = tool.action.all_nouns.join(" ");
    if !["login status", "logged in", "authentication status", "auth status", "login state"]
        .iter()
        .any(|words| nouns.contains(words))
    {
        return None;
    }
    let group = login_group(ctx, tool);
    let token = || ctx.scalars_in(&group).find(|s| s.stems.join(" ") == "access token");
    let test = match (flag(ctx, &group), ctx.scalars_in(&group).find(|s| is_session(s)), token()) {
        (Some(flag), _, _) => expr::state(&flag.path),
        (None, Some(session), _) => format!("{} != null", expr::state(&session.path)),
        (None, None, Some(token)) => format!("{} != null", expr::state(&token.path)),
        _ => return None,
    };
    let sources = Sources::default();
    let mut steps = vec![bind("ok", test)];
    let mut template = match &tool.returns {
        Returns::Object(fields) => shape::object(ctx, tool, fields, &sources),
        Returns::Unknown => json!({ "logged_in": true }),
        _ => json!("ok"),
    };
    truths(&mut template);
    steps.push(reply(template));
    Some(behavior(steps))
}

fn login_group(ctx: &Context<'_>, tool: &Tool<'_>) -> Vec<String> {
    if let Some(group) = ctx.group_of(tool) {
        return group.to_vec();
    }
    // One state for all, or the first that knows of logins.
    let first = ctx.shape.scalars.iter().find(|s| is_login(&s.stems) || is_session(s));
    first.map(|s| s.group.clone()).unwrap_or_default()
}

/// A login without a user: sets the flag, wherever it is kept.
fn switch_flags(ctx: &Context<'_>, tool: &Tool<'_>, group: &[String]) -> Option<Behavior> {
    let own = flag(ctx, group)
        .or_else(|| ctx.shape.scalars.iter().find(|s| s.value.is_boolean() && is_login(&s.stems)))?;
    let mut steps: Vec<Step> = ctx
        .shape
        .scalars
        .iter()
        .filter(|s| s.stems == own.stems && s.value.is_boolean())
        .map(|s| assign(&expr::state(&s.path), json!(true)))
        .collect();
    let sources = Sources { done: Some("Logged in successfully".into()), ..Sources::default() };
    steps.push(reply(shape::done(ctx, tool, &sources)));
    Some(behavior(steps))
}

fn is_user(param: &Param) -> bool {
    let joined = param.stems.join(" ");
    matches!(
        joined.as_str(),
        "user name"
            | "user"
            | "user id"
            | "email"
            | "login"
            | "account"
            | "email address"
            | "phone number"
            | "account id"
            | "customer id"
    )
}

/// The collection of users whose key or member the parameter is.
fn users(ctx: &Context<'_>, group: &[String], user: &Param) -> Option<usize> {
    let fits = |c: &Collection| {
        c.parent.is_none()
            && c.rows > 0
            && (c.stems.iter().any(|s| matches!(s.as_str(), "user" | "account" | "customer" | "member"))
                || c.members.iter().any(|m| m.stems == ["password"]))
            && (c.kind != Kind::List || c.member(&user.name).is_some() || c.id.as_deref() == Some(&user.name))
    };
    let with_password = ctx
        .shape
        .collections
        .iter()
        .position(|c| c.group == group && fits(c) && c.member("password").is_some());
    with_password.or_else(|| ctx.shape.collections.iter().position(|c| c.group == group && fits(c))).or_else(
        || ctx.shape.collections.iter().position(|c| c.group.is_empty() && fits(c) && group.is_empty()),
    )
}

/// The rows of a user, as a list of one or none.
fn row_of(ctx: &Context<'_>, index: usize, who: &str) -> String {
    let c = ctx.collection(index);
    let rows = ctx.expr(index);
    let by_member: Vec<String> = c
        .members
        .iter()
        .filter(|m| {
            m.top()
                && m.unique
                && m.single
                && m.stems.iter().any(|s| matches!(s.as_str(), "id" | "email" | "user" | "name"))
        })
        .map(|m| format!("{} == {who}", expr::below("r", &m.path)))
        .collect();
    match c.kind {
        Kind::List => {
            let tests = if by_member.is_empty() { "false".to_owned() } else { by_member.join(" || ") };
            format!("{rows}.filter(r, {tests})")
        }
        _ => {
            let tests: Vec<String> = std::iter::once(format!("k == {who}")).chain(by_member).collect();
            format!("{rows}.transformList(k, r, {}, r)", tests.join(" || "))
        }
    }
}

fn known_user(ctx: &Context<'_>, index: usize, who: &str) -> String {
    let c = ctx.collection(index);
    match c.kind {
        // `user_map: {Alice: USR001}` is asked by name or by id.
        Kind::Index => {
            let rows = ctx.expr(index);
            format!("({who} in {rows} || {who} in values({rows}))")
        }
        _ if c.members.is_empty() => exists(ctx, index, who),
        _ => format!("size({}) > 0", row_of(ctx, index, who)),
    }
}
