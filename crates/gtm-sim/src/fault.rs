//! Faults as data: failures that a toolset asks for, as users write them.
//!
//! The reference is `docs/toolset.md`. How they are carried out is in [`crate::inject`].

use gtm_world::ErrorKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A failure to inject. All conditions (`tool`, `match`, `on`) must hold; then every effect given
/// takes place. A call that a fault fails changes nothing, unless the fault says `commit`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// Name shown in the provenance of replies. Default: its place and effect, such as `faults/0 error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tools it concerns: a name, or a pattern in which `*` stands for any text and `?` for one
    /// character. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Arguments that the call must have, by name (or by JSON pointer, with a leading `/`): an
    /// equal value, or `{regex: PATTERN}` for text that matches.
    #[serde(rename = "match", skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, Json>,
    /// Which of the calls that fit are hit. Default: each one.
    #[serde(skip_serializing_if = "When::is_always")]
    pub on: When,
    /// Waits. The face sleeps; the reply itself is as always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Fails the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<FaultError>,
    /// Fails the call once too many were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Answers from an older state. Calls that would change something are not affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<Stale>,
    /// Cuts the reply short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncate: Option<Truncate>,
    /// With `error` or `rate_limit`: the call takes effect all the same; only the answer is lost.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub commit: bool,
}

/// Which of the calls that fit are hit. Calls are counted from 1, per fault and session; forks
/// carry the counts on. All members given must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// This call only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Every so many calls: 3 hits the 3rd, 6th, 9th.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Calls after this many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// With this probability, decided by the session's seed and the count alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub probability: Option<f64>,
    /// At most this many hits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

impl When {
    fn is_always(&self) -> bool {
        *self == When::default()
    }
}

/// `latency: {ms}` or `latency: {min_ms, max_ms}`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Least milliseconds; the seed decides where between the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ms: Option<u64>,
    /// Most milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<u64>,
}

/// `error: {kind?, message?, status?, retry_after_s?}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FaultError {
    /// Kind. Default `unavailable`.
    pub kind: ErrorKind,
    /// What the agent is told. Default: a sentence that suits the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// HTTP status, if other than the kind's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 400, max = 599))]
    pub status: Option<u16>,
    /// Sent as `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl Default for FaultError {
    fn default() -> Self {
        Self { kind: ErrorKind::Unavailable, message: None, status: None, retry_after_s: None }
    }
}

/// `rate_limit: {calls, per, retry_after_s?}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Calls that fit and are let through in each window.
    pub calls: u64,
    /// Length of a window, in calls of the session (of any tool, refused ones included). Time in a
    /// session is logical, so windows are counted in calls.
    #[schemars(range(min = 1))]
    pub per: u64,
    /// Sent as `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// What the agent is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// `stale: {versions}`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// How many changes behind the answer is.
    #[schemars(range(min = 1))]
    pub versions: u64,
}

/// `truncate: {bytes}` or `truncate: {items}`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Truncate {
    /// The reply becomes the first so many bytes of its JSON, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// The reply's list, or each list that is a member of the reply, is cut to so many items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
}
