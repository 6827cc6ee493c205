//! What a session remembers of its calls: transcript, idempotency keys, observed outcomes.
//!
//! Entries hold values that share their structure with the state, and the world as it was before
//! the call, which costs only what the call changed. JSON is made when somebody reads it.

use crate::digest;
use crate::imitate::Foreseen;
use crate::reply::{Call, Provenance, Reply, Rung, Turn};
use crate::session::Checkpoint;
use gtm_world::{ToolError, Value, World};
use imbl::{OrdMap, Vector};
use std::sync::Arc;

/// Most idempotency keys a session remembers; the oldest are forgotten first.
const MAX_KEYS: usize = 1_000;

/// Heap bytes that an entry costs besides its values, roughly.
const ENTRY_BYTES: usize = 400;
/// Heap bytes of old state that a changing call keeps alive, roughly.
const CHANGE_BYTES: usize = 2_048;

/// A call and its reply.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) tool: Arc<str>,
    pub(crate) args: Value,
    pub(crate) key: Option<Arc<str>>,
    pub(crate) content: Value,
    pub(crate) rung: Rung,
    pub(crate) is_error: bool,
    pub(crate) valid: bool,
    /// A real outcome that holds for as long as the state stays as it is now.
    pub(crate) lasting: bool,
    /// What the simulator would have said to a call that the real tool answered.
    pub(crate) foreseen: Option<Box<Foreseen>>,
    pub(crate) status: u16,
    pub(crate) seed: u64,
    pub(crate) version_before: u64,
    pub(crate) version: u64,
    pub(crate) rare: Option<Box<Rare>>,
}

/// What few replies have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rare {
    pub(crate) error: Option<ToolError>,
    pub(crate) invented: Vec<String>,
    pub(crate) fault: Option<String>,
    pub(crate) delay_ms: u64,
    pub(crate) retry_after_s: Option<u64>,
}

impl Done {
    /// The reply, all but its content.
    pub(crate) fn bare_reply(&self) -> Reply {
        let rare = self.rare.as_deref();
        Reply {
            content: serde_json::Value::Null,
            is_error: self.is_error,
            error: rare.and_then(|r| r.error.clone()),
            status: self.status,
            provenance: Provenance {
                rung: self.rung,
                seed: self.seed,
                state_version: self.version_before,
                invented: rare.map(|r| r.invented.clone()).unwrap_or_default(),
                fault: rare.and_then(|r| r.fault.clone()),
                retried: false,
                valid: self.valid,
            },
            state_version: self.version,
            delay_ms: rare.map_or(0, |r| r.delay_ms),
            retry_after_s: rare.and_then(|r| r.retry_after_s),
        }
    }

    /// The reply.
    pub(crate) fn reply(&self) -> Reply {
        Reply { content: self.content.to_json(), ..self.bare_reply() }
    }

    /// Call and reply, as the transcript shows them.
    pub(crate) fn turn(&self, turn: u64) -> Turn {
        let call = Call {
            tool: self.tool.to_string(),
            arguments: self.args.to_json(),
            idempotency_key: self.key.as_deref().map(str::to_owned),
        };
        Turn { turn, call, reply: self.reply() }
    }

    /// Reads back what [`Done::turn`] wrote.
    pub(crate) fn from_turn(turn: &Turn) -> Done {
        let Turn { call, reply, .. } = turn;
        let rare = Rare {
            error: reply.error.clone(),
            invented: reply.provenance.invented.clone(),
            fault: reply.provenance.fault.clone(),
            delay_ms: reply.delay_ms,
            retry_after_s: reply.retry_after_s,
        };
        Done {
            tool: call.tool.as_str().into(),
            args: Value::from(&call.arguments),
            key: call.idempotency_key.as_deref().map(Arc::from),
            content: Value::from(&reply.content),
            rung: reply.provenance.rung,
            is_error: reply.is_error,
            valid: reply.provenance.valid,
            lasting: false,
            foreseen: None,
            status: reply.status,
            seed: reply.provenance.seed,
            version_before: reply.provenance.state_version,
            version: reply.state_version,
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
        }
    }

    pub(crate) fn is_call(&self, tool: &str, args: &Value) -> bool {
        &*self.tool == tool && self.args == *args
    }
}

/// One turn: what was done, and what there was before.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) done: Arc<Done>,
    pub(crate) before: Checkpoint,
    bytes: usize,
}

impl Entry {
    pub(crate) fn new(done: Arc<Done>, before: Checkpoint) -> Entry {
        let changed = if done.version == done.version_before { 0 } else { CHANGE_BYTES };
        let bytes = ENTRY_BYTES + changed + done.args.size().0 + done.content.size().0;
        Entry { done, before, bytes }
    }
}

/// Turns in order. The oldest are dropped beyond `limits.history` turns or `limits.state_bytes`.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    entries: Vector<Arc<Entry>>,
    dropped: u64,
    bytes: usize,
}

impl History {
    /// A history that begins with a later turn than the first.
    pub(crate) fn starting_at(dropped: u64) -> History {
        History { dropped, ..History::default() }
    }

    /// Number of the oldest turn kept.
    pub(crate) fn start(&self) -> u64 {
        self.dropped
    }

    /// Number that the next turn will have.
    pub(crate) fn end(&self) -> u64 {
        self.dropped + self.entries.len() as u64
    }

    pub(crate) fn get(&self, turn: u64) -> Option<&Arc<Entry>> {
        self.entries.get(usize::try_from(turn.checked_sub(self.dropped)?).ok()?)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    pub(crate) fn turns(&self) -> impl Iterator<Item = Turn> + '_ {
        self.entries.iter().zip(self.dropped..).map(|(entry, turn)| entry.done.turn(turn))
    }

    pub(crate) fn push(&mut self, entry: Entry, limits: &gtm_world::Limits) {
        self.bytes += entry.bytes;
        self.entries.push_back(Arc::new(entry));
        while self.entries.len() > limits.history
            || (self.bytes > limits.state_bytes && self.entries.len() > 1)
        {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.bytes;
            self.dropped += 1;
        }
    }

    /// Keeps the turns before this one.
    pub(crate) fn truncate(&mut self, turn: u64) {
        let keep = usize::try_from(turn.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        while self.entries.len() > keep {
            let Some(last) = self.entries.pop_back() else { break };
            self.bytes -= last.bytes;
        }
    }

    /// The newest world kept whose version is not above this one, else the oldest kept.
    pub(crate) fn world_at(&self, version: u64) -> Option<&World> {
        let after = {
            // Versions never fall from turn to turn.
            let (mut low, mut high) = (0, self.entries.len());
            while low < high {
                let middle = low + (high - low) / 2;
                let at = self.entries.get(middle).map_or(u64::MAX, |e| e.before.world.version());
                if at <= version { low = middle + 1 } else { high = middle }
            }
            low
        };
        self.entries.get(after.saturating_sub(1)).map(|entry| &entry.before.world)
    }

    /// Whether this is the beginning of another history, or all of it.
    pub(crate) fn is_prefix_of(&self, other: &History) -> bool {
        match self.entries.last() {
            _ if self.start() < other.start() || self.end() > other.end() => false,
            Some(last) => {
                self.end().checked_sub(1).and_then(|t| other.get(t)).is_some_and(|e| Arc::ptr_eq(e, last))
            }
            None => self.end() == other.start(),
        }
    }
}

/// Replies by idempotency key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    replies: OrdMap<Arc<str>, Arc<Done>>,
    order: Vector<Arc<str>>,
}

impl Keys {
    pub(crate) fn get(&self, key: &str) -> Option<&Arc<Done>> {
        self.replies.get(key)
    }

    /// All replies, oldest first.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Arc<Done>> {
        self.order.iter().filter_map(|key| self.replies.get(key))
    }

    pub(crate) fn insert(&mut self, key: Arc<str>, done: Arc<Done>) {
        if self.replies.insert(key.clone(), done).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MAX_KEYS {
            let Some(oldest) = self.order.pop_front() else { break };
            self.replies.remove(&oldest);
        }
    }
}

/// Real outcomes that hold as long as the state stays as it was when they were observed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observations {
    version: u64,
    outcomes: OrdMap<u64, Arc<Done>>,
}

impl Observations {
    pub(crate) fn get(&self, version: u64, tool: &str, args: &Value) -> Option<&Arc<Done>> {
        if version != self.version || self.outcomes.is_empty() {
            return None;
        }
        self.outcomes.get(&digest::call(tool, args)).filter(|done| done.is_call(tool, args))
    }

    /// Outcomes that hold at this version.
    pub(crate) fn at(&self, version: u64) -> impl Iterator<Item = &Arc<Done>> {
        self.outcomes.values().filter(move |_| version == self.version)
    }

    pub(crate) fn insert(&mut self, version: u64, done: Arc<Done>) {
        if version != self.version {
            *self = Observations { version, ..Observations::default() };
        }
        self.outcomes.insert(digest::call(&done.tool, &done.args), done);
    }
}
