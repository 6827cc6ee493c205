//! What a store is asked for, and what it tells.

use super::id;
use crate::digest;
use crate::fault::Fault;
use crate::toolset::WorldKind;
use gtm_error::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::time::Duration;

/// Most forks made in one request.
const MAX_FORKS: usize = 100_000;

/// How a store keeps its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Most live sessions; one more is refused. A forked session costs well under 1 KB, a session
    /// with a state of its own about three times its JSON.
    pub max_sessions: usize,
    /// Idle time after which a session is removed, unless it says otherwise.
    pub ttl: Duration,
    /// Folder in which sessions survive the process. `None`: they do not.
    pub data: Option<PathBuf>,
    /// Whether each call is on the disk itself, not only handed to the system, before its reply is
    /// returned. Without it calls survive the process, but not a loss of power.
    pub fsync: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { max_sessions: 100_000, ttl: Duration::from_secs(900), data: None, fsync: false }
    }
}

/// A request for a new session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateSession {
    /// Id. Default: 128 random bits in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Toolset. Default: the only one there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toolset: Option<String>,
    /// Seed in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Initial state in place of the toolset's, an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Json>,
    /// Kind of world in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<WorldKind>,
    /// Faults in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<Vec<Fault>>,
    /// Names of the tools that the session offers. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// Idle time in seconds after which the session is removed. Default: the store's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
}

impl CreateSession {
    /// Tells requests for different sessions apart, whatever their ids.
    pub(super) fn digest(&self) -> u64 {
        let options = CreateSession { id: None, ttl_s: None, ..self.clone() };
        let json = serde_json::to_value(options).unwrap_or_default();
        digest::value(&gtm_world::Value::from(json))
    }
}

/// A request to fork a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForkSession {
    /// How many forks. Default: as many as there are `ids` or `seeds`, else one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Ids of the forks. Default: random ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Seeds of the forks. A fork without one goes on with the parent's seed: the same calls get
    /// the same replies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
}

impl ForkSession {
    /// So many forks with random ids and the parent's seed.
    pub fn count(count: usize) -> ForkSession {
        ForkSession { count: Some(count), ..ForkSession::default() }
    }

    pub(super) fn ids(&self) -> Result<Vec<String>> {
        let given = self.ids.len().max(self.seeds.len());
        let count = self.count.unwrap_or(given.max(1));
        if count < given || count > MAX_FORKS {
            return Err(Error::new(Code::RequestMalformed, format!("{count} forks are asked for"))
                .at("/count")
                .expected(format!("at least one for each of the ids and seeds, at most {MAX_FORKS}")));
        }
        self.ids.iter().try_for_each(|id| id::check(id))?;
        let chosen = self.ids.iter().cloned().map(Ok);
        let random = std::iter::repeat_with(id::random);
        chosen.chain(random).take(count).collect()
    }
}

/// What is to be known of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Id.
    pub id: String,
    /// Toolset it was opened from.
    pub toolset: String,
    /// Seed.
    pub seed: u64,
    /// Kind of world.
    pub world: WorldKind,
    /// How often the state changed.
    pub state_version: u64,
    /// Calls made, failed ones included.
    pub turns: usize,
    /// Snapshots and the turn each stands before.
    pub snapshots: Vec<SnapshotInfo>,
    /// Idle time after which it is removed, in seconds.
    pub ttl_s: u64,
    /// Time since its last use, in seconds.
    pub idle_s: u64,
}

/// A snapshot of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotInfo {
    /// Name.
    pub name: String,
    /// The turn it stands before.
    pub turn: u64,
}
