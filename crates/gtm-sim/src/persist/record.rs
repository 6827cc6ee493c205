//! What is in a session's file.

use crate::session::SnapshotRef;
use crate::session_file::{SavedSession, SavedTurn};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Version of the file format.
pub(crate) const FORMAT: u32 = 1;

/// One record.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record<'a> {
    /// The session as a whole: always first, and only there.
    Session(Box<Header<'a>>),
    /// Calls that were made, with all that they changed.
    Turns(Vec<SavedTurn>),
    /// A snapshot was taken.
    Snapshot(Cow<'a, str>),
    /// The session was rolled back.
    Rollback(SnapshotRef),
    /// The session was reset.
    Reset,
}

/// The first record of a file.
#[derive(Serialize, Deserialize)]
pub(crate) struct Header<'a> {
    /// [`FORMAT`].
    pub(crate) format: u32,
    /// Id, to notice files that were renamed.
    pub(crate) id: Cow<'a, str>,
    /// Name of the toolset.
    pub(crate) toolset: Cow<'a, str>,
    /// Idle time in milliseconds after which the session is removed.
    pub(crate) ttl_ms: u64,
    /// Digest of the options that it was created with.
    pub(crate) options: u64,
    /// The session.
    pub(crate) session: SavedSession,
}
