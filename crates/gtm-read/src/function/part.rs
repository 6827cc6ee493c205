//! Replies that show a part of a record only.

use super::context::{Context, GENERIC, ID_WORDS};
use super::expr;
use super::found::About;
use super::match_params::Role;
use super::reply::{self as shape, Sources};
use super::tokens::common;
use super::tool::{Returns, Tool};
use serde_json::{Value as Json, json};

/// The part of a record that a tool asks for by name: `get_user_email`, `find_user_id_by_name`.
/// Gives the expression and the name of the part.
pub(super) fn of(about: &About<'_, '_>, id: &str) -> Option<(String, String)> {
    let c = about.collection();
    let action = &about.tool.action;
    // `id` is a filler in names, so the full noun is looked at.
    let asked: Vec<String> = action
        .all_nouns
        .iter()
        .filter(|w| !c.names_word(w) && !GENERIC.contains(&w.as_str()) && !super::extreme::is_superlative(w))
        .cloned()
        .collect();
    if asked.is_empty() {
        return None;
    }
    if asked.iter().all(|w| ID_WORDS.contains(&w.as_str())) {
        // An id beside the key is the more likely one where the call gives the key.
        let given_key = about.param(&Role::Key).is_some();
        let other =
            c.other_ids.iter().find(|other| given_key && super::tokens::stems(other).ends_with(&asked));
        return Some(match other {
            Some(other) => (expr::select("it", other), other.clone()),
            None => (id.to_owned(), format!("{}_id", c.stems.join("_"))),
        });
    }
    const VAGUE: &[&str] = &[
        "detail",
        "information",
        "info",
        "status",
        "data",
        "profile",
        "summary",
        "record",
        "by",
        "list",
        "stat",
    ];
    let exact = c.members.iter().find(|m| {
        m.stems == asked
            || (m.top()
                && m.stems.iter().all(|w| asked.contains(w) || c.stems.contains(w))
                && asked.iter().all(|w| m.stems.contains(w)))
    });
    let member = exact.filter(|_| !asked.iter().all(|w| VAGUE.contains(&w.as_str()) && w != "status"))?;
    // A member that the call itself gives is not what it asks for.
    let given = about.params().any(
        |(_, role)| matches!(role, Role::Finds(at) | Role::Member(at) if c.members[*at].path == member.path),
    );
    (!given).then(|| (expr::below("it", &member.path), member.name().to_owned()))
}

/// The reply of a tool that asks for a part of a record.
pub(super) fn reply(
    ctx: &Context<'_>,
    tool: &Tool<'_>,
    sources: &Sources<'_>,
    value: &str,
    name: &str,
) -> Json {
    match &tool.returns {
        Returns::Object(fields) => {
            let stems = super::tokens::stems(name);
            let chosen = fields
                .iter()
                .find(|field| field.name == name)
                .or_else(|| fields.iter().find(|field| common(&field.stems, &stems) > 0))
                .or_else(|| (fields.len() == 1).then(|| &fields[0]));
            match chosen {
                Some(chosen) => {
                    let mut out = shape::object(ctx, tool, fields, sources);
                    if let Some(out) = out.as_object_mut() {
                        out.insert(chosen.name.clone(), json!(value));
                    }
                    out
                }
                None => shape::record(ctx, tool, sources),
            }
        }
        _ => json!(value),
    }
}
