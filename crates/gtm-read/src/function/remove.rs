//! Tools that remove a record, or call it off.

use super::auth;
use super::build::{behavior, reply};
use super::found::{About, missing};
use super::match_params::Role;
use super::reply::{self as shape, Sources};
use super::state_shape::Kind;
use super::update;
use gtm_world::behavior::Behavior;

/// Removes a record.
pub(super) fn read(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    if !matches!(c.kind, Kind::Map | Kind::List) {
        return keyed(about);
    }
    let (ctx, tool) = (about.ctx, about.tool);
    let found = about.find()?;
    if found.id == "null" && found.place.is_none() {
        return None;
    }
    let mut steps = auth::required(ctx, tool, Some(about.index));
    steps.extend(found.steps.clone());
    steps.extend(update::stage(about));
    let key =
        about.params().find(|(_, role)| matches!(role, Role::Key | Role::Finds(_))).map(|(param, _)| param);
    let message = key.map_or_else(|| format!("{} not found", c.title()), |param| missing(c, param));
    steps.push(found.delete(message));
    let sources = Sources {
        of: Some(c),
        record: Some("it"),
        id: Some(found.id),
        done: Some(shape::done_message(tool, &c.noun_in(&tool.action.nouns), key)),
        ..Sources::default()
    };
    steps.push(reply(shape::done(ctx, tool, &sources)));
    Some(behavior(steps))
}

/// Removes what is kept under a key.
fn keyed(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    let param = about.param(&Role::Key)?;
    let mut steps = auth::required(about.ctx, about.tool, Some(about.index));
    steps.extend(about.checks());
    let place = format!("{}[{}]", about.rows()?, param.expr());
    steps.push(super::build::delete_at(&place, missing(c, param)));
    let sources =
        Sources { done: Some(shape::done_message(about.tool, &c.noun(), Some(param))), ..Sources::default() };
    steps.push(reply(shape::done(about.ctx, about.tool, &sources)));
    Some(behavior(steps))
}
