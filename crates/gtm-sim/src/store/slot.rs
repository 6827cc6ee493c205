//! The place of one session in the store.

use super::config::{SessionInfo, SnapshotInfo};
use super::keep::Log;
use crate::session::Session;
use crate::simulator::Simulator;
use crate::toolset::WorldKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A session and its lock. Small: a hundred thousand forks must fit.
pub(super) struct Slot {
    pub(super) id: Arc<str>,
    ttl_ms: AtomicU64,
    /// Milliseconds since the store's epoch.
    used: AtomicU64,
    pub(super) body: Mutex<Body>,
}

/// What a slot holds.
pub(super) enum Body {
    /// A session in memory.
    Live(Box<Live>),
    /// A session in storage, to be read when it is first used.
    Stored,
    /// Nothing any more: deleted or expired while somebody waited for the lock.
    Gone,
}

/// A session in memory.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) toolset: Arc<str>,
    pub(super) simulator: Arc<Simulator>,
    pub(super) session: Session,
    /// Digest of the options it was created with.
    pub(super) options: u64,
    /// How far its file goes, once it has one.
    pub(super) log: Option<Log>,
}

impl Live {
    pub(super) fn new(toolset: Arc<str>, simulator: Arc<Simulator>, session: Session, options: u64) -> Live {
        Live { toolset, simulator, session, options, log: None }
    }

    pub(super) fn info(&self, slot: &Slot, now: u64) -> SessionInfo {
        let session = &self.session;
        let snapshot = |(name, turn): (&str, u64)| SnapshotInfo { name: name.to_owned(), turn };
        SessionInfo {
            id: slot.id.to_string(),
            toolset: self.toolset.to_string(),
            seed: session.seed(),
            world: if session.world().is_open() { WorldKind::Open } else { WorldKind::Closed },
            state_version: session.version(),
            turns: session.turns(),
            snapshots: session.snapshots().map(snapshot).collect(),
            ttl_s: slot.ttl_ms() / 1_000,
            idle_s: now.saturating_sub(slot.used.load(Ordering::Relaxed)) / 1_000,
        }
    }
}

impl Slot {
    pub(super) fn new(id: &str, body: Body, ttl: Duration, now: u64) -> Slot {
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).into();
        Slot { id: id.into(), ttl_ms, used: AtomicU64::new(now), body: Mutex::new(body) }
    }

    pub(super) fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms())
    }

    pub(super) fn ttl_ms(&self) -> u64 {
        self.ttl_ms.load(Ordering::Relaxed)
    }

    pub(super) fn set_ttl_ms(&self, ttl_ms: u64) {
        self.ttl_ms.store(ttl_ms, Ordering::Relaxed);
    }

    pub(super) fn touch(&self, now: u64) {
        self.used.fetch_max(now, Ordering::Relaxed);
    }

    /// Whether it was idle for its whole time to live.
    pub(super) fn is_due(&self, now: u64) -> bool {
        now.saturating_sub(self.used.load(Ordering::Relaxed)) >= self.ttl_ms()
    }
}
