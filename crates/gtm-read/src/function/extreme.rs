//! The first or last of several records, and values under two keys.

use super::build::{behavior, bind, reply, require};
use super::expr;
use super::found::{About, missing};
use super::match_params::Role;
use super::part;
use super::reply::{self as shape, Sources};
use super::state_shape::Kind;
use gtm_world::ErrorKind;
use gtm_world::behavior::Behavior;

const LAST: &[&str] = &["latest", "newest", "recent", "last"];
const FIRST: &[&str] = &["earliest", "oldest", "first"];

/// Whether a word asks for the first or last of several.
pub(super) fn is_superlative(word: &str) -> bool {
    LAST.contains(&word) || FIRST.contains(&word) || word == "most"
}

/// The latest or earliest record: `get_latest_invoice`.
pub(super) fn read(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    let words = &about.tool.action.all_nouns;
    let last = words.iter().any(|word| LAST.contains(&word.as_str()));
    let first = words.iter().any(|word| FIRST.contains(&word.as_str()));
    let keyed = about.params().any(|(_, role)| matches!(role, Role::Key | Role::Finds(_)));
    let kept = matches!(c.kind, Kind::Map | Kind::List) && c.parent.is_none();
    if last == first || keyed || about.tool.action.plural || !kept {
        return None;
    }
    let rows = about.rows()?;
    let own = match c.kind {
        Kind::Map => format!("{rows}.transformList(key, it, {{\"key\": key, \"it\": it}})"),
        _ => {
            let id = c.id.as_ref().map_or_else(|| "null".into(), |id| expr::select("it", id));
            format!("default({rows}, []).map(it, {{\"key\": {id}, \"it\": it}})")
        }
    };
    let timely = c.members.iter().find(|m| m.top() && m.single && super::times::is_time(m));
    let ordered = match timely {
        // Records without a time are neither first nor last.
        Some(member) => {
            let time = expr::below("e.it", &member.path);
            format!("{own}.filter(e, {time} != null).sortBy(e, {time})")
        }
        None => own,
    };
    let mut steps = super::auth::required(about.ctx, about.tool, Some(about.index));
    steps.extend(about.checks());
    steps.push(bind("found", format!("{ordered}[{}]", if last { "-1" } else { "0" })));
    steps.push(require(
        "found != null",
        ErrorKind::NotFound,
        format!("No {} found", expr::message(&c.noun())),
    ));
    steps.push(bind("it", "found.it"));
    steps.push(bind("id", "found.key"));
    let sources = Sources { of: Some(c), record: Some("it"), id: Some("id".into()), ..Sources::default() };
    let template = match part::of(about, "id") {
        Some((value, name)) => part::reply(about.ctx, about.tool, &sources, &value, &name),
        None => shape::record(about.ctx, about.tool, &sources),
    };
    steps.push(reply(template));
    Some(behavior(steps))
}

/// A value under two keys: `prices[code][day]`.
pub(super) fn series(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    let data = |name: &str| name.chars().any(|c| c.is_ascii_digit());
    let dated = !c.members.is_empty() && c.members.iter().all(|m| m.top() && m.single && data(m.name()));
    let mut params = about.tool.params.iter().filter(|param| param.required);
    let (outer, inner) = (params.next()?, params.next()?);
    if c.kind != Kind::Map || !dated || params.next().is_some() {
        return None;
    }
    let rows = about.rows()?;
    let (a, b) = (outer.expr(), inner.expr());
    let nothing = format!("Nothing found for {} {{{b}}}", inner.stems.join(" "));
    let name = about.tool.action.nouns.join("_");
    let steps = vec![
        require(format!("{a} in {rows}"), ErrorKind::NotFound, missing(c, outer)),
        require(format!("{b} in {rows}[{a}]"), ErrorKind::NotFound, nothing),
        bind("it", format!("{rows}[{a}][{b}]")),
        reply(part::reply(about.ctx, about.tool, &Sources::default(), "it", &name)),
    ];
    Some(behavior(steps))
}
