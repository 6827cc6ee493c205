//! What a simulator counts, over all of its sessions.

use crate::Rung;
use gtm_world::ErrorKind;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const KINDS: [ErrorKind; 10] = [
    ErrorKind::InvalidArgument,
    ErrorKind::UnknownTool,
    ErrorKind::NotFound,
    ErrorKind::Conflict,
    ErrorKind::PermissionDenied,
    ErrorKind::Unauthenticated,
    ErrorKind::RateLimited,
    ErrorKind::Unavailable,
    ErrorKind::Timeout,
    ErrorKind::Internal,
];

/// Counters, updated by every call and read at any time.
#[derive(Debug, Default)]
pub struct Metrics {
    errors: [AtomicU64; KINDS.len()],
    rungs: [AtomicU64; Rung::ALL.len()],
    retried: AtomicU64,
    invalid_replies: AtomicU64,
    panics: AtomicU64,
    unusable: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MetricsSnapshot {
    /// Calls answered, repeated ones included.
    pub calls: u64,
    /// Failed calls by kind; kinds that never occurred are left out.
    pub errors: BTreeMap<&'static str, u64>,
    /// Calls by the rung that answered; rungs that never answered are left out.
    pub rungs: BTreeMap<&'static str, u64>,
    /// Calls repeated under their idempotency key and answered with the stored reply.
    pub retried: u64,
    /// Successful replies that do not match the tool's declared `returns`. Each is a bug.
    pub invalid_replies: u64,
    /// Panics caught in a behavior. Each is a bug.
    pub panics: u64,
    /// Behaviors made by rules that did not compile, so that their tools answer directly. Each is a bug.
    pub unusable_behaviors: u64,
}

impl Metrics {
    pub(crate) fn answered(&self, rung: Rung, error: Option<ErrorKind>) {
        self.rungs[rung as usize].fetch_add(1, Relaxed);
        if let Some(at) = error.and_then(|kind| KINDS.iter().position(|k| *k == kind)) {
            self.errors[at].fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn retried(&self) {
        self.retried.fetch_add(1, Relaxed);
    }

    pub(crate) fn invalid_reply(&self) {
        self.invalid_replies.fetch_add(1, Relaxed);
    }

    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub(crate) fn unusable_behavior(&self) {
        self.unusable.fetch_add(1, Relaxed);
    }

    /// The counters now.
    pub fn snapshot(&self) -> MetricsSnapshot {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        let seen =
            |(name, counter): (&'static str, &AtomicU64)| Some((name, read(counter))).filter(|(_, n)| *n > 0);
        let rungs: BTreeMap<_, _> =
            Rung::ALL.iter().map(|r| r.name()).zip(&self.rungs).filter_map(seen).collect();
        let retried = read(&self.retried);
        MetricsSnapshot {
            calls: rungs.values().sum::<u64>() + retried,
            errors: KINDS.iter().map(|k| k.name()).zip(&self.errors).filter_map(seen).collect(),
            rungs,
            retried,
            invalid_replies: read(&self.invalid_replies),
            panics: read(&self.panics),
            unusable_behaviors: read(&self.unusable),
        }
    }
}
