//! Plain lists in the state, such as a watch list or who is followed.

use super::auth;
use super::build::{assign, behavior, bind, reply, require};
use super::context::Context;
use super::entity::mentions;
use super::expr;
use super::reply::{self as shape, Sources};
use super::state_shape::Scalar;
use super::tokens::{same_root, sentence};
use super::tool::{Field, Param, Returns, Tool};
use super::verbs::Verb;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Step};
use serde_json::{Value as Json, json};

/// The plain list that a tool names, in its name or by its verb (`follow` and `following_list`).
pub(super) fn find<'c>(ctx: &'c Context<'_>, tool: &Tool<'_>) -> Option<&'c Scalar> {
    let group = ctx.group_of(tool);
    let near =
        |list: &&Scalar| group.is_none_or(|group| list.group.starts_with(group) || list.group.is_empty());
    let words: Vec<String> = tool.action.all_nouns.iter().chain(&tool.action.qualifier).cloned().collect();
    let core = |list: &Scalar| -> Vec<String> {
        let core: Vec<String> =
            list.stems.iter().filter(|w| !matches!(w.as_str(), "list" | "all" | "set")).cloned().collect();
        if core.is_empty() { list.stems.clone() } else { core }
    };
    let lists = || ctx.shape.lists.iter().filter(near);
    lists()
        .find(|list| mentions(&words, &list.stems))
        .or_else(|| lists().find(|list| core(list).len() < list.stems.len() && mentions(&words, &core(list))))
        .or_else(|| {
            let verb = tool.spec.name.trim_start_matches("un");
            let first = super::tokens::words(verb);
            lists().find(|list| {
                first
                    .first()
                    .is_some_and(|word| core(list).iter().any(|w| same_root(w, word) && word.len() > 3))
            })
        })
}

/// What a tool does with a plain list.
pub(super) fn read(ctx: &Context<'_>, tool: &Tool<'_>) -> Option<Behavior> {
    let list = find(ctx, tool)?;
    let place = expr::state(&list.path);
    let mut steps = auth::required(ctx, tool, None);
    let name = list.path.last()?.clone();
    let item = item(tool);
    let undo = tool.spec.name.starts_with("un") && tool.action.verb == Verb::Other;
    match (tool.action.verb, item) {
        (Verb::Get | Verb::List, None) => {
            let sources = Sources { rows: Some("rows"), ..Sources::default() };
            steps.push(bind("rows", place));
            steps.push(bind("total", "size(rows)"));
            steps.push(reply(match &tool.returns {
                Returns::Unknown => json!({ name: "rows" }),
                _ => shape::rows(ctx, tool, &sources, None, None),
            }));
            Some(behavior(steps))
        }
        (Verb::Create | Verb::Other | Verb::Mark, Some(item)) if !undo => {
            let value = item.expr();
            let soft = shape::tells_failure(tool);
            steps.push(bind("had", format!("{value} in {place}")));
            let add = assign(&place, format!("default({place}, []) + [{value}]"));
            steps.push(Step { when: Some("!had".into()), ..add });
            finish(ctx, tool, list, item, steps, soft.then_some("!had"))
        }
        (Verb::Delete | Verb::Cancel | Verb::Other, Some(item)) => {
            let value = item.expr();
            let soft = shape::tells_failure(tool);
            steps.push(bind("had", format!("{value} in {place}")));
            if !soft {
                let message =
                    format!("{} '{{{value}}}' not found", sentence(&expr::message(&item.stems.join(" "))));
                steps.push(require("had", ErrorKind::NotFound, message));
            }
            steps.push(assign(&place, format!("default({place}, []).without({value})")));
            finish(ctx, tool, list, item, steps, soft.then_some("had"))
        }
        _ => None,
    }
}

/// The parameter that is an item of the list.
fn item<'t>(tool: &'t Tool<'_>) -> Option<&'t Param> {
    let mut plain =
        tool.params.iter().filter(|p| p.required && !p.is_list() && !p.is_object() && !p.is_bool());
    let first = plain.next()?;
    plain.next().is_none().then_some(first)
}

fn finish(
    ctx: &Context<'_>,
    tool: &Tool<'_>,
    list: &Scalar,
    item: &Param,
    mut steps: Vec<Step>,
    told: Option<&str>,
) -> Option<Behavior> {
    let place = expr::state(&list.path);
    let noun = sentence(&item.stems.join(" "));
    steps.push(bind("rows", place));
    steps.push(bind("total", "size(rows)"));
    let sources = Sources {
        rows: Some("rows"),
        done: Some(shape::done_message(tool, &noun, Some(item))),
        ..Sources::default()
    };
    let mut template = match &tool.returns {
        Returns::Object(fields) if fields.iter().any(|f: &Field| f.kind == "array") => {
            shape::rows(ctx, tool, &sources, None, None)
        }
        _ => shape::done(ctx, tool, &sources),
    };
    if let (Some(told), Json::Object(members)) = (told, &mut template) {
        members.values_mut().filter(|value| **value == json!(true)).for_each(|value| *value = json!(told));
    }
    steps.push(reply(template));
    Some(behavior(steps))
}
