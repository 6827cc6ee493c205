//! One prediction against one real reply.

use crate::json::{paths, unfolded};
use crate::known::Known;
use crate::metric::class::{self, ErrorClass};
use crate::metric::exact::Comparison;
use crate::metric::{format, leaves, paths as path_metric, state};
use crate::miss::Miss;
use crate::predictor::Prediction;
use crate::session::{Tools, Turn};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// What a turn is scored against.
pub(crate) struct Truth<'a> {
    pub(crate) turn: &'a Turn,
    pub(crate) tools: &'a Tools,
    /// What the session has shown before the turn, and its arguments.
    pub(crate) known: &'a Known,
    /// Whether the turn is a check of state.
    pub(crate) checks_state: bool,
}

/// The scores of one prediction. `None` where a metric does not apply to the turn.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    pub(crate) real_error: bool,
    pub(crate) our_error: bool,
    pub(crate) format: bool,
    pub(crate) paths_f1: Option<f64>,
    pub(crate) types: Option<f64>,
    pub(crate) real_class: Option<ErrorClass>,
    pub(crate) our_class: Option<ErrorClass>,
    pub(crate) determined: Option<f64>,
    pub(crate) leaves: Option<f64>,
    pub(crate) near: Option<f64>,
    pub(crate) exact: Option<bool>,
    pub(crate) state: Option<bool>,
    /// What is wrong, if the reply is not exact.
    pub(crate) miss: Option<Miss>,
}

/// A reply as it is recorded: of a session of HTTP answers `{status, body}`.
pub(crate) fn shown<'a>(content: &'a Json, status: Option<u16>, of_http: bool) -> Cow<'a, Json> {
    match of_http {
        true => Cow::Owned(json!({"status": status, "body": content})),
        false => Cow::Borrowed(content),
    }
}

impl Truth<'_> {
    pub(crate) fn score(&self, ours: &Prediction) -> Score {
        let (turn, http) = (self.turn, self.turn.status.is_some());
        let (real_error, our_error) = (turn.is_error, ours.is_error);
        let real = shown(&turn.response, turn.status, http);
        let predicted = shown(&ours.content, ours.status, http);
        let (real_inner, our_inner) = (unfolded(&real), unfolded(&predicted));
        let returns = self.tools.returns(&turn.tool);
        let known = self.tools.get(&turn.tool).is_some();
        // What was cut off in the record cannot be compared as a whole.
        let whole = !turn.truncated;
        let exact =
            whole && real_error == our_error && Comparison::new(self.known).same(&real_inner, &our_inner, "");
        let (f1, types) = match whole {
            true => {
                let (f1, types) = path_metric::compare(&paths(&real_inner), &paths(&our_inner));
                (Some(f1), types)
            }
            false => (None, None),
        };
        let shares = (whole && !real_error)
            .then(|| leaves::compare(&real_inner, (!our_error).then_some(&*our_inner), self.known));
        let mut score = Score {
            real_error,
            our_error,
            format: format::is_right(&turn.response, real_error, &ours.content, our_error, returns),
            paths_f1: f1,
            types,
            real_class: real_error
                .then(|| class::of_reply(&turn.response, turn.status, turn.mutation.as_deref(), known))
                .flatten(),
            our_class: our_error.then(|| class::of_prediction(ours, http, known)).flatten(),
            determined: shares.and_then(|shares| shares.determined),
            leaves: shares.map(|shares| shares.leaves),
            near: shares.map(|shares| shares.near),
            exact: whole.then_some(exact),
            state: self.checks_state.then(|| state::passes(real_error, our_error, exact)),
            miss: None,
        };
        score.miss = Miss::of(&score);
        score
    }
}
