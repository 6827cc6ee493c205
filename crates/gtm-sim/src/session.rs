//! A session: one agent's copy of a world, with its history.
//!
//! A plain value. Everything in it is persistent, so a clone is a fork: it copies a few pointers
//! whatever the size of the state, and neither side sees what the other does afterwards.

use crate::history::{Done, Entry, History, Keys, Observations};
use crate::imitate::Memory;
use crate::inject::{Counts, Injector};
use crate::reply::Turn;
use gtm_error::{Code, Error, Result, printable};
use gtm_world::{Value, World};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most named snapshots of one session.
pub const MAX_SNAPSHOTS: usize = 256;
/// Longest name of a snapshot, in bytes.
pub const MAX_SNAPSHOT_NAME: usize = 128;

/// One agent's copy of a world. Clone is fork.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) now: Checkpoint,
    pub(crate) start: Arc<Checkpoint>,
    pub(crate) history: History,
    pub(crate) snapshots: Option<Arc<BTreeMap<Arc<str>, Snapshot>>>,
    /// Faults in place of the toolset's.
    pub(crate) faults: Option<Arc<Injector>>,
    /// The tools that this session offers; all of them if none are named.
    pub(crate) tools: Option<Arc<BTreeSet<Arc<str>>>>,
}

/// All that a reply depends on besides the call: what a rollback brings back.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) world: World,
    pub(crate) counts: Counts,
    pub(crate) keys: Option<Arc<Keys>>,
    pub(crate) observed: Option<Arc<Observations>>,
    /// Real replies that later ones are modelled on.
    pub(crate) memory: Option<Arc<Memory>>,
    /// How the state came about, where recordings can tell what follows; see [`crate::replay`].
    pub(crate) trail: u64,
}

/// A named point to return to. It has its own copy of the history, since the session may have
/// been rolled back past it.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) at: Checkpoint,
    pub(crate) history: History,
}

/// A point to roll back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SnapshotRef {
    /// Just before the turn of this number: 0 is the start, [`Session::turns`] is now.
    Turn(u64),
    /// A snapshot of this name.
    Name(String),
}

/// Digits are a turn, anything else is a name.
impl From<&str> for SnapshotRef {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| SnapshotRef::Name(text.to_owned()), SnapshotRef::Turn)
    }
}

impl From<u64> for SnapshotRef {
    fn from(turn: u64) -> Self {
        SnapshotRef::Turn(turn)
    }
}

impl Session {
    pub(crate) fn new(world: World, trail: u64, faults: Option<Arc<Injector>>) -> Session {
        let now =
            Checkpoint { world, counts: Counts::default(), keys: None, observed: None, memory: None, trail };
        let start = Arc::new(now.clone());
        Session { start, now, history: History::default(), snapshots: None, faults, tools: None }
    }

    /// Whether this session offers a tool of its toolset.
    pub fn offers(&self, tool: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.contains(tool))
    }

    /// An independent copy. Both go on with the same seed: the same calls get the same replies.
    pub fn fork(&self) -> Session {
        self.clone()
    }

    /// An independent copy in which everything invented from now on differs.
    pub fn fork_with_seed(&self, seed: u64) -> Session {
        let mut fork = self.clone();
        fork.now.world.reseed(seed);
        fork
    }

    /// Forgets the manner of the real replies observed so far: from now on the simulator answers in its
    /// own, until it observes others. The state and exact repetitions stay as they are.
    pub fn forget_manner(&mut self) {
        self.now.memory = None;
    }

    /// The visible state, an object.
    pub fn state(&self) -> &Value {
        self.now.world.state()
    }

    /// The world: state, version, seed and logical time.
    pub fn world(&self) -> &World {
        &self.now.world
    }

    /// How often the state changed.
    pub fn version(&self) -> u64 {
        self.now.world.version()
    }

    /// The seed of everything that varies.
    pub fn seed(&self) -> u64 {
        self.now.world.seed()
    }

    /// Number of calls made, failed ones included.
    pub fn turns(&self) -> usize {
        self.history.end() as usize
    }

    /// The turns still kept (`limits.world.history`), oldest first.
    pub fn transcript(&self) -> impl Iterator<Item = Turn> + '_ {
        self.history.turns()
    }

    /// Number of the oldest turn still kept.
    pub fn first_turn(&self) -> usize {
        self.history.start() as usize
    }

    /// One turn, if it is still kept.
    pub fn turn(&self, turn: usize) -> Option<Turn> {
        self.history.get(turn as u64).map(|entry| entry.done.turn(turn as u64))
    }

    /// Names this point, to come back to it. A name used before now means this point.
    ///
    /// # Errors
    /// [`Code::StateLimit`] beyond [`MAX_SNAPSHOTS`], [`Code::RequestMalformed`] for a name that
    /// is empty, all digits, or too long.
    pub fn snapshot(&mut self, name: &str) -> Result<()> {
        if name.is_empty() || name.len() > MAX_SNAPSHOT_NAME || name.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::new(
                Code::RequestMalformed,
                format!("`{}` cannot name a snapshot", printable(name)),
            )
            .expected(format!("1 to {MAX_SNAPSHOT_NAME} bytes, not only digits")));
        }
        let snapshots = Arc::make_mut(self.snapshots.get_or_insert_default());
        if snapshots.len() >= MAX_SNAPSHOTS && !snapshots.contains_key(name) {
            return Err(Error::new(
                Code::StateLimit,
                format!("the session has {MAX_SNAPSHOTS} snapshots already"),
            )
            .hint("use a name again: it then means the new point"));
        }
        snapshots.insert(name.into(), Snapshot { at: self.now.clone(), history: self.history.clone() });
        Ok(())
    }

    /// Names of the snapshots and the turn each stands before.
    pub fn snapshots(&self) -> impl Iterator<Item = (&str, u64)> {
        self.snapshots.iter().flat_map(|all| all.iter()).map(|(name, s)| (&**name, s.history.end()))
    }

    /// Goes back to a snapshot, or to just before a turn. State, history, idempotency keys, fault
    /// counts and logical time are as they were then; snapshots stay.
    ///
    /// # Errors
    /// [`Code::SnapshotUnknown`].
    pub fn rollback(&mut self, to: &SnapshotRef) -> Result<()> {
        match to {
            SnapshotRef::Name(name) => {
                let known = self.snapshots.as_ref().and_then(|all| all.get(name.as_str()));
                let Some(snapshot) = known else { return Err(self.unknown_snapshot(name)) };
                (self.now, self.history) = (snapshot.at.clone(), snapshot.history.clone());
            }
            SnapshotRef::Turn(turn) => {
                if *turn == self.history.end() {
                    return Ok(());
                }
                let Some(entry) = self.history.get(*turn) else {
                    let (start, end) = (self.history.start(), self.history.end());
                    return Err(Error::new(Code::SnapshotUnknown, format!("the session has no turn {turn}"))
                        .expected(format!("{start} to {end}")));
                };
                self.now = entry.before.clone();
                self.history.truncate(*turn);
            }
        }
        Ok(())
    }

    fn unknown_snapshot(&self, name: &str) -> Error {
        let names: Vec<&str> = self.snapshots().map(|(name, _)| name).take(12).collect();
        let expected = match names.is_empty() {
            true => "a turn number: the session has no snapshots".to_owned(),
            false => format!("a turn number, or one of `{}`", names.join("`, `")),
        };
        Error::new(Code::SnapshotUnknown, format!("the session has no snapshot `{}`", printable(name)))
            .expected(expected)
    }

    /// Back to the state it was opened with. History and snapshots are gone.
    pub fn reset(&mut self) {
        self.now = (*self.start).clone();
        self.history = History::default();
        self.snapshots = None;
    }

    /// Puts a call into effect: the reply goes into the history, the state changes.
    pub(crate) fn apply(&mut self, done: Arc<Done>, next: Checkpoint, limits: &gtm_world::Limits) {
        let before = std::mem::replace(&mut self.now, next);
        self.history.push(Entry::new(done, before), limits);
    }

    /// The world as it was `versions` changes ago, or the oldest one known.
    pub(crate) fn world_before(&self, versions: u64) -> &World {
        let wanted = self.version().saturating_sub(versions);
        self.history.world_at(wanted).unwrap_or(&self.now.world)
    }

    /// Whether this very call has succeeded before, as far as is remembered.
    pub(crate) fn has_done(&self, tool: &str, args: &Value) -> bool {
        let mut turns = self.history.start()..self.history.end();
        turns.any(|turn| {
            self.history.get(turn).is_some_and(|entry| !entry.done.is_error && entry.done.is_call(tool, args))
        })
    }

    /// The stored reply of a call that was made under this key.
    pub(crate) fn stored(&self, key: &str) -> Option<&Arc<Done>> {
        self.now.keys.as_ref()?.get(key)
    }
}
