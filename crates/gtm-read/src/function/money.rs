//! Amounts in records: deposits, withdrawals and transfers between accounts.

use super::auth;
use super::build::{behavior, reply, require, update};
use super::context::Context;
use super::expr;
use super::found::{About, missing};
use super::match_params::Role;
use super::member::Member;
use super::reply::{self as shape, Sources};
use super::state_shape::{Collection, Kind};
use super::tokens::phrase;
use super::tool::{Param, Returns, Tool};
use super::verbs::Verb;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Get, Op, Step};
use serde_json::json;

/// Changes the balance of the records that the call names.
pub(super) fn read(ctx: &Context<'_>, tool: &Tool<'_>, about: Option<&About<'_, '_>>) -> Option<Behavior> {
    let amount = amount(tool)?;
    match tool.action.verb {
        Verb::Deposit | Verb::Withdraw => change(about?, amount),
        Verb::Transfer | Verb::Create => transfer(ctx, tool, amount),
        _ => None,
    }
}

fn amount<'t>(tool: &'t Tool<'_>) -> Option<&'t Param> {
    let called = |param: &&Param| {
        param.stems.iter().any(|w| matches!(w.as_str(), "amount" | "sum" | "value" | "fund" | "money"))
    };
    let mut numbers = tool.params.iter().filter(|param| param.is_number());
    numbers.clone().find(called).or_else(|| numbers.next().filter(|_| numbers.next().is_none()))
}

/// The one member of a collection that is an amount of money or points.
fn balance(c: &Collection) -> Option<&Member> {
    let amount = |m: &&Member| {
        m.top()
            && (m.first.is_number() || m.count == 0 && m.single)
            && m.stems.iter().any(|w| matches!(w.as_str(), "balance" | "fund" | "cash" | "credit" | "point"))
            && !m.stems.iter().any(|w| matches!(w.as_str(), "limit" | "score" | "id"))
    };
    let mut found = c.members.iter().filter(amount);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn change(about: &About<'_, '_>, amount: &Param) -> Option<Behavior> {
    let (ctx, tool, c) = (about.ctx, about.tool, about.collection());
    let balance = balance(c)?;
    let held = expr::select("it", balance.name());
    let value = amount.expr();
    let mut steps = auth::required(ctx, tool, Some(about.index));
    let found = about.find()?;
    steps.extend(found.steps.clone());
    steps.push(positive(amount));
    let raise = tool.action.verb == Verb::Deposit;
    if !raise {
        steps.push(enough(&held, &value, balance));
    }
    let mut step = found.update();
    let sign = if raise { "+" } else { "-" };
    step.set.insert(balance.name().to_owned(), json!(format!("{held} {sign} {value}")));
    steps.push(Step::from(Op::Update(step)));
    let sources = Sources {
        of: Some(c),
        record: Some("it"),
        id: Some(found.id),
        done: Some(shape::done_message(tool, &phrase(&amount.stems), Some(amount))),
        ..Sources::default()
    };
    steps.push(reply(shape::record(ctx, tool, &sources)));
    Some(behavior(steps))
}

/// From one record of a collection to another.
fn transfer(ctx: &Context<'_>, tool: &Tool<'_>, amount: &Param) -> Option<Behavior> {
    let side = |words: &[&str]| {
        tool.params.iter().find(|param| {
            !param.is_list()
                && !param.is_object()
                && param.name != amount.name
                && param.stems.iter().any(|w| words.contains(&w.as_str()))
        })
    };
    let from = side(&["from", "source", "sender", "payer", "debit"])?;
    let to = side(&["to", "destination", "dest", "recipient", "receiver", "target", "payee", "credit"])?;
    if from.name == to.name {
        return None;
    }
    // The collection with a balance that the two sides name, or the only one.
    let with_balance = || {
        ctx.shape.collections.iter().filter(|c| {
            c.parent.is_none() && matches!(c.kind, Kind::Map | Kind::List) && balance(c).is_some()
        })
    };
    let c = with_balance().find(|c| c.called(&from.stems)).or_else(|| {
        let mut all = with_balance();
        let first = all.next()?;
        all.next().is_none().then_some(first)
    })?;
    let balance = balance(c)?;
    let value = amount.expr();
    let mut steps = auth::required(ctx, tool, None);
    for (param, name) in [(from, "source"), (to, "target")] {
        steps.push(
            Op::Get(Get {
                within: Some(c.name.clone()),
                id: Some(param.expr()),
                bind: Some(name.into()),
                message: Some(missing(c, param)),
                ..Get::default()
            })
            .into(),
        );
    }
    let message = format!("Cannot transfer to the same {}", expr::message(&c.noun()));
    steps.push(require(format!("{} != {}", from.expr(), to.expr()), ErrorKind::InvalidArgument, message));
    steps.push(positive(amount));
    let held = expr::select("source", balance.name());
    steps.push(enough(&held, &value, balance));
    for (param, name, sign) in [(from, "source", "-"), (to, "target", "+")] {
        let mut step = update(&c.name, &param.expr());
        step.set.insert(
            balance.name().to_owned(),
            json!(format!("{} {sign} {value}", expr::select(name, balance.name()))),
        );
        step.bind = Some(name.into());
        steps.push(Step::from(Op::Update(step)));
    }
    let done = format!("Transferred {{{value}}} from {{{}}} to {{{}}}", from.expr(), to.expr());
    let sources = Sources { done: Some(done), ..Sources::default() };
    let template = match &tool.returns {
        Returns::Unknown => json!({ "success": true, "from": "source", "to": "target", "amount": value }),
        _ => shape::done(ctx, tool, &sources),
    };
    steps.push(reply(template));
    Some(behavior(steps))
}

fn positive(amount: &Param) -> Step {
    require(
        format!("{} > 0", amount.expr()),
        ErrorKind::InvalidArgument,
        format!("The {} must be positive", phrase(&amount.stems)),
    )
}

fn enough(held: &str, value: &str, balance: &Member) -> Step {
    require(
        format!("{held} >= {value}"),
        ErrorKind::Conflict,
        format!("Insufficient {}", phrase(&balance.stems)),
    )
}

/// Whether the roles of a tool name a record to change.
pub(super) fn names_record(about: &About<'_, '_>) -> bool {
    about.roles.iter().any(|role| matches!(role, Role::Key | Role::Finds(_)))
}
