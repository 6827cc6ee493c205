//! The simulator: toolsets, sessions, faults, provenance, many sessions at once, and their storage.
//!
//! A [`Toolset`] is what a user configures; a [`Simulator`] is one that is ready to answer; a
//! [`Session`] is one agent's copy of its world, a plain value whose clone is a fork; a [`Store`]
//! holds many sessions for many threads and, if asked, keeps them on disk.
//!
//! Invariants:
//! - Same toolset, same seed, same calls, same replies, to the byte, at any concurrency.
//! - A failing call changes nothing but the history, unless a fault says `commit`.
//! - A session never sees another's state.
//! - With a data folder, a call is on disk before its reply is returned.

mod answer;
mod arguments;
mod delta;
mod digest;
mod errors;
pub mod fault;
mod history;
mod imitate;
mod inject;
mod live;
pub mod load;
mod metrics;
mod names;
mod observe;
mod persist;
pub mod recording;
mod replay;
mod reply;
mod role;
mod session;
mod session_file;
mod simulator;
mod store;
mod tool;
mod toolset;

pub use fault::Fault;
pub use live::{LiveSource, LiveTools, RealFuture, RealReply};
pub use metrics::{Metrics, MetricsSnapshot};
pub use persist::{FolderStorage, Storage};
pub use reply::{Call, Observed, Provenance, Reply, Rung, Turn};
pub use session::{MAX_SNAPSHOT_NAME, MAX_SNAPSHOTS, Session, SnapshotRef};
pub use simulator::{SessionOptions, Simulator};
pub use store::{CreateSession, ForkSession, SessionInfo, SnapshotInfo, Store, StoreConfig, random_id};
pub use toolset::{ArgumentPolicy, Limits, Toolset, ToolsetFile, WorldKind};
