//! What goes wrong in turns that are not exact, for people who want to mend it.

use crate::score::Score;
use serde_json::Value as Json;

/// Why a reply is not exact: the first of these that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Miss {
    /// The real call failed, ours does not.
    MissedError,
    /// The real call succeeded, ours fails.
    FalseRefusal,
    /// Both fail, in other words.
    ErrorText,
    /// Another JSON type, or not what the tool declares.
    Form,
    /// Members are missing or too many.
    Shape,
    /// The members are right; a value is wrong that could be known.
    KnownValue,
    /// Only values are wrong that the session has never shown.
    NewValue,
}

impl Miss {
    /// Every kind.
    pub const ALL: [Miss; 7] = [
        Miss::MissedError,
        Miss::FalseRefusal,
        Miss::ErrorText,
        Miss::Form,
        Miss::Shape,
        Miss::KnownValue,
        Miss::NewValue,
    ];

    /// A few words for reports.
    pub fn name(self) -> &'static str {
        match self {
            Miss::MissedError => "missed error",
            Miss::FalseRefusal => "false refusal",
            Miss::ErrorText => "error text",
            Miss::Form => "form",
            Miss::Shape => "members",
            Miss::KnownValue => "known value",
            Miss::NewValue => "new value",
        }
    }

    pub(crate) fn of(score: &Score) -> Option<Miss> {
        if score.exact != Some(false) {
            return None;
        }
        Some(match (score.real_error, score.our_error) {
            (true, false) => Miss::MissedError,
            (false, true) => Miss::FalseRefusal,
            (true, true) => Miss::ErrorText,
            _ if !score.format => Miss::Form,
            _ if score.paths_f1.is_some_and(|f1| f1 < 1.0) => Miss::Shape,
            _ if score.determined.is_some_and(|share| share < 1.0) => Miss::KnownValue,
            _ => Miss::NewValue,
        })
    }
}

/// A turn that went wrong.
#[derive(Clone, Debug)]
pub struct Example {
    /// Session and turn, from 0.
    pub session: String,
    /// Number of the turn, from 0.
    pub turn: usize,
    /// The tool called.
    pub tool: String,
    /// How the call was spoilt, if it was.
    pub mutation: Option<String>,
    /// Its arguments.
    pub arguments: Json,
    /// The real reply and whether it was a failure.
    pub real: Json,
    /// Whether the real call failed.
    pub real_error: bool,
    /// Our reply.
    pub ours: Json,
    /// Whether our call failed.
    pub our_error: bool,
}
