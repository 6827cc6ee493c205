//! Reading of tools that are plain functions: names, schemas and the shape of the state.
//!
//! First the state is analysed ([`state_shape`]): which parts are collections, which are single
//! values, what refers to what. Then each tool is read ([`tool`], [`verbs`]): what it does, to which
//! thing, what its parameters are ([`match_params`]). Where both fit together there is a behavior;
//! where they do not, the tool is `direct`, and says so.
//!
//! Invariants:
//! - No name of a particular tool or API occurs here, only words that many tools use.
//! - A wrong refusal is worse than a missed one: a check is written only where spec and state speak
//!   for it.
//! - Every behavior that leaves here compiles.

mod auth;
mod build;
mod context;
mod create;
mod dispatch;
mod entity;
mod expr;
mod extreme;
mod files;
mod found;
mod infer;
mod keyed;
mod limits;
mod list;
mod lookup;
mod match_params;
mod maths;
mod member;
mod money;
mod nested;
pub(crate) mod outline;
mod part;
mod remove;
mod reply;
mod settings;
mod state_shape;
mod times;
mod tokens;
mod tool;
mod tree;
mod update;
mod values;
mod verbs;

use crate::{Reading, Rung};
use context::Context;
use found::About;
use gtm_tool::ToolSpec;
use gtm_world::behavior::{Behavior, Collection as Declared, CollectionKind, IdStyle};
use gtm_world::{Behaviors, Library, Limits, Program};
use match_params::Role;
use serde_json::Value as Json;
use state_shape::{Collection, Kind};
use std::sync::Arc;
use tool::Tool;
use verbs::Verb;

/// Whether a tool looks something up and changes nothing, by the verb of its name or description.
/// `None` if there is no verb that tells.
pub fn reads(tool: &ToolSpec) -> Option<bool> {
    let action = verbs::action(tool, &tool.description);
    (action.verb != Verb::Other).then(|| action.reads())
}

/// Reads tools that have no HTTP path, adding what was found to `out`.
pub fn read(tools: &[&ToolSpec], initial_state: &Json, out: &mut Reading) {
    if tools.is_empty() {
        return;
    }
    let mut ctx = Context::new(tool::tools(tools), initial_state);
    infer::extend(&mut ctx);
    let mut own = Behaviors::default();
    for collection in ctx.shape.collections.iter().filter(|c| c.parent.is_none()) {
        if matches!(collection.kind, Kind::Map | Kind::List) {
            own.collections.insert(collection.name.clone(), declare(&ctx, collection));
        }
    }
    // A collection that cannot be declared (its path is odd) must not spoil the rest.
    own.collections.retain(|name, collection| {
        let one =
            Behaviors { collections: [(name.clone(), collection.clone())].into(), ..Behaviors::default() };
        Library::new(&one, Limits::default()).is_ok()
    });
    let Ok(library) = Library::new(&own, Limits::default()).map(Arc::new) else { return };
    for tool in &ctx.tools {
        let name = &tool.spec.name;
        let compiles = |behavior: &Behavior| {
            Program::compile(name, behavior, tool.spec.returns.as_ref(), &library).is_ok()
        };
        let mut behavior = of_tool(&ctx, tool).map(|behavior| guarded(tool, behavior)).filter(compiles);
        let rung = if behavior.is_some() { Rung::Rules } else { Rung::Direct };
        if behavior.is_none() {
            let mut steps = limits::checks(tool);
            steps.extend(auth::required(&ctx, tool, None));
            steps.extend(dispatch::checks(&ctx, tool));
            if !steps.is_empty() {
                steps.push(build::reply(Json::from("fill")));
                behavior =
                    Some(Behavior { note: Some("the reply is generated".into()), ..build::behavior(steps) })
                        .filter(compiles);
            }
        }
        match behavior {
            Some(behavior) => out.add(name, behavior, rung),
            None => out.add_direct(name, None),
        }
    }
    for (name, collection) in own.collections {
        out.behaviors.collections.entry(name).or_insert(collection);
    }
}

/// A collection as behaviors declare it.
fn declare(ctx: &Context<'_>, c: &Collection) -> Declared {
    let kind = if c.kind == Kind::List { CollectionKind::List } else { CollectionKind::Map };
    let inferred = c.schema.is_some();
    let path = expr::state(&c.path);
    Declared {
        path: (path != c.name).then_some(path),
        id: c.id.clone(),
        ids: if inferred && c.rows == 0 { id_style(ctx, c) } else { None },
        schema: c.schema.clone(),
        kind,
    }
}

/// How ids of a collection are made of which no record is known.
fn id_style(ctx: &Context<'_>, c: &Collection) -> Option<IdStyle> {
    let id = c.id.as_deref()?;
    let schema = c.schema.as_ref()?.pointer("/properties")?.get(id)?;
    match gtm_tool::schema::primary_type(schema, schema) {
        Some("integer" | "number") => return Some(IdStyle::Integer(1)),
        Some("string") | None => {}
        _ => return None,
    }
    let text = schema.get("description").and_then(Json::as_str).unwrap_or_default();
    if schema.get("format").and_then(Json::as_str) == Some("uuid") || text.to_lowercase().contains("uuid") {
        return Some(IdStyle::Uuid(true));
    }
    // Ids that callers choose need no style.
    let chosen = ctx.tools.iter().any(|tool| {
        tool.action.verb == Verb::Create && tool.params.iter().any(|p| p.name == id && p.required)
    });
    let idish = tokens::stems(id).last().is_some_and(|w| context::ID_WORDS.contains(&w.as_str()));
    if chosen || !idish {
        return None;
    }
    let noun: String = c.stems.last()?.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    Some(IdStyle::Pattern(format!("{noun}_????????")))
}

/// The behavior of a tool, if rules find one.
fn of_tool(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    if let Some(behavior) = ctx.tree.as_ref().and_then(|tree| files::read(ctx, tree, tool)) {
        return Some(behavior);
    }
    // Many at once is more than these rules see.
    if tokens::words(&tool.spec.name).iter().any(|word| matches!(word.as_str(), "batch" | "bulk")) {
        return None;
    }
    if let Some(behavior) = maths::read(tool) {
        return Some(behavior);
    }
    if let Some(behavior) = times::clock(tool) {
        return Some(behavior);
    }
    match tool.action.verb {
        Verb::Login => return auth::login(ctx, tool),
        Verb::Logout => return auth::logout(ctx, tool),
        _ => {}
    }
    if let Some(behavior) = auth::status(ctx, tool) {
        return Some(behavior);
    }
    let about = entity::collection(ctx, tool).map(|index| About {
        ctx,
        tool,
        index,
        roles: match_params::roles(ctx, tool, index),
    });
    let about = about.as_ref();
    // What only may be given does not say which record is meant; what is given then filters.
    let named = about.is_some_and(|a| {
        a.params().any(|(param, role)| {
            let sure = param.required || tool.params.len() == 1 || !tool.action.reads();
            matches!(role, Role::Key) && sure
                || matches!(role, Role::Finds(_)) && sure && !(tool.action.plural && tool.action.reads())
        })
    });
    match tool.action.verb {
        Verb::Get | Verb::Check => {
            if let Some(behavior) = about.and_then(extreme::read) {
                return Some(behavior);
            }
            let one = || about.filter(|_| named).and_then(lookup::read);
            one().or_else(|| settings::read(ctx, tool)).or_else(|| values::read(ctx, tool)).or_else(|| {
                about.and_then(|a| {
                    if many(a) {
                        list::read(a).or_else(|| lookup::read(a))
                    } else {
                        lookup::read(a).or_else(|| list::read(a))
                    }
                })
            })
        }
        Verb::List | Verb::Count => {
            let one = about.filter(|a| !tool.action.plural && (named || part_of_one(a)));
            one.and_then(lookup::read)
                .or_else(|| about.and_then(list::read))
                .or_else(|| values::read(ctx, tool))
                .or_else(|| settings::read(ctx, tool))
        }
        Verb::Create => {
            let to_list = values::find(ctx, tool).is_some_and(|list| {
                !list.value.as_array().is_some_and(Vec::is_empty)
                    || tool.action.preposition.as_deref() == Some("to")
            });
            let listed = || values::read(ctx, tool).filter(|_| to_list);
            listed()
                .or_else(|| money::read(ctx, tool, about).filter(|_| tool.action.word == "send"))
                .or_else(|| about.and_then(create::read))
                .or_else(|| values::read(ctx, tool))
        }
        Verb::Update => {
            let record = || {
                about.filter(|_| named).and_then(|a| {
                    if a.collection().kind == Kind::Index { keyed::write(a) } else { update::members(a) }
                })
            };
            record()
                .or_else(|| settings::write(ctx, tool))
                .or_else(|| about.and_then(update::members))
                .or_else(|| about.filter(|_| named).and_then(update::look_only))
        }
        Verb::Delete => {
            let listed = || values::read(ctx, tool);
            if values::find(ctx, tool).is_some_and(|list| !list.value.as_array().is_some_and(Vec::is_empty)) {
                return listed().or_else(|| about.and_then(remove::read));
            }
            about.and_then(remove::read).or_else(listed)
        }
        Verb::Cancel => about
            .and_then(|a| a.collection().status().and_then(|_| update::mark(a)).or_else(|| remove::read(a)))
            .or_else(|| values::read(ctx, tool)),
        Verb::Mark | Verb::TurnOn | Verb::TurnOff => about
            .filter(|_| named)
            .and_then(|a| update::mark(a).or_else(|| update::members(a)))
            .or_else(|| settings::write(ctx, tool))
            .or_else(|| settings::effects(ctx, tool))
            .or_else(|| values::read(ctx, tool))
            .or_else(|| about.filter(|_| named).and_then(update::look_only)),
        Verb::Deposit | Verb::Withdraw => about
            .filter(|a| money::names_record(a))
            .and_then(|a| money::read(ctx, tool, Some(a)))
            .or_else(|| settings::amount(ctx, tool)),
        Verb::Transfer => money::read(ctx, tool, about),
        Verb::Compute => None,
        Verb::Login | Verb::Logout => None,
        Verb::Other => values::read(ctx, tool)
            .or_else(|| settings::write(ctx, tool))
            .or_else(|| about.filter(|a| named_after(a)).and_then(create::read)),
    }
}

/// Whether a tool without a verb is called after what it makes: `comment(post_id, text)`.
fn named_after(about: &About<'_, '_>) -> bool {
    let given = about.params().filter(|(_, role)| !matches!(role, Role::Key)).count();
    about.collection().stems == about.tool.action.nouns && given > 0
}

/// Whether a tool means many records.
fn many(about: &About<'_, '_>) -> bool {
    let returned = matches!(&about.tool.returns, tool::Returns::List(_));
    let action = &about.tool.action;
    returned
        || action.plural
        || about.tool.params.iter().all(|param| !param.required)
        || !about.roles.iter().any(|role| matches!(role, Role::Key | Role::Finds(_)))
            && action.preposition.is_some()
}

/// `find_user_id_by_email`: one part of one record.
fn part_of_one(about: &About<'_, '_>) -> bool {
    part::of(about, "id").is_some() && !about.tests().is_empty()
}

/// The behavior, with the checks that the parameters' descriptions ask for in front.
fn guarded(tool: &Tool<'_>, mut behavior: Behavior) -> Behavior {
    let mut steps = limits::checks(tool);
    steps.append(&mut behavior.steps);
    Behavior { steps, ..behavior }
}
