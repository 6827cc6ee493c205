//! Sessions as JSON: for session files, and for storage.
//!
//! A timeline is the point it begins with, its turns, and what each of them changed. That gives
//! every point in between exactly, so that a session read back can be rolled back as before, and it
//! does not depend on the toolset, which may have been edited since.

use crate::delta::{self, Change};
use crate::fault::Fault;
use crate::history::{Done, History, Keys, Observations};
use crate::imitate::{Foreseen, Memory};
use crate::inject::{Count, Counts, Injector};
use crate::reply::{Turn, optional_tool_error};
use crate::session::{Checkpoint, Session, Snapshot};
use gtm_error::{Code, Error, Result};
use gtm_world::{ToolError, Value, World};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name and version of the format.
const FORMAT: &str = "gtm-session/1";

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedSession {
    format: String,
    start: SavedPoint,
    line: SavedLine,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    snapshots: BTreeMap<String, SavedSnapshot>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    faults: Option<Vec<Fault>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tools: Option<Vec<String>>,
}

/// A timeline: where it begins, and its turns.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedLine {
    /// Number of the first turn.
    #[serde(default, skip_serializing_if = "is_zero")]
    first: u64,
    /// The point before the first turn; none if that is the session's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<SavedPoint>,
    turns: Vec<SavedTurn>,
    /// Seed at the end, which a fork may have changed.
    seed: u64,
}

/// A snapshot: on the session's own timeline, or with a timeline of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum SavedSnapshot {
    Turn { turn: u64, seed: u64 },
    Line(SavedLine),
}

/// A checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedPoint {
    world: Json,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counts: Vec<Count>,
    /// Replies stored under idempotency keys, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<Turn>,
    /// Real outcomes that hold at this point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    observed: Vec<Turn>,
    /// Real replies that later ones are modelled on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lessons: Vec<SavedLesson>,
    #[serde(default, skip_serializing_if = "is_zero")]
    trail: u64,
}

/// A turn and what it changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedTurn {
    #[serde(flatten)]
    turn: Turn,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    state: Vec<Change>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    books: Vec<Change>,
    /// The turn is a real outcome that holds for as long as the state stays as it is then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    lasting: bool,
    /// What the simulator would have said where the real tool answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    foreseen: Option<SavedForeseen>,
    /// Fault counts afterwards, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counts: Option<Vec<Count>>,
    /// The trail afterwards, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trail: Option<u64>,
}

/// What was foreseen of a real reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedForeseen {
    content: Json,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_tool_error")]
    error: Option<ToolError>,
}

/// A real reply that later ones are modelled on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedLesson {
    #[serde(flatten)]
    turn: Turn,
    foreseen: SavedForeseen,
}

impl SavedForeseen {
    fn new(foreseen: &Foreseen) -> SavedForeseen {
        SavedForeseen { content: foreseen.content.to_json(), error: foreseen.error.clone() }
    }

    fn restore(&self) -> Box<Foreseen> {
        Box::new(Foreseen { content: Value::from(&self.content), error: self.error.clone() })
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn corrupt(what: &str) -> Error {
    Error::new(Code::StorageCorrupt, format!("not a saved session: {what}"))
}

impl Session {
    /// Everything, as JSON. [`Session::from_json`] reads it back.
    pub fn to_json(&self) -> Json {
        serde_json::to_value(self.save()).unwrap_or_default()
    }

    /// Reads back what [`Session::to_json`] wrote: same state, history, snapshots, seed, and the
    /// same replies to the same calls.
    ///
    /// # Errors
    /// [`Code::StorageCorrupt`] if it is anything else.
    pub fn from_json(json: &Json) -> Result<Session> {
        let saved = SavedSession::deserialize(json).map_err(|e| corrupt(&e.to_string()))?;
        Session::restore(&saved)
    }

    pub(crate) fn save(&self) -> SavedSession {
        let snapshot = |(name, snapshot): (&Arc<str>, &Snapshot)| {
            let saved = match snapshot.history.is_prefix_of(&self.history) {
                true => SavedSnapshot::Turn { turn: snapshot.history.end(), seed: snapshot.at.world.seed() },
                false => SavedSnapshot::Line(self.save_line(&snapshot.history, &snapshot.at)),
            };
            (name.to_string(), saved)
        };
        SavedSession {
            format: FORMAT.into(),
            start: SavedPoint::new(&self.start),
            line: self.save_line(&self.history, &self.now),
            snapshots: self.snapshots.iter().flat_map(|all| all.iter()).map(snapshot).collect(),
            faults: self.faults.as_ref().map(|injector| injector.faults().cloned().collect()),
            tools: self.tools.as_ref().map(|tools| tools.iter().map(|name| name.to_string()).collect()),
        }
    }

    fn save_line(&self, history: &History, end: &Checkpoint) -> SavedLine {
        let first = history.entries().next().map_or(end, |entry| &entry.before);
        // The start is at the beginning of most timelines, and may be large.
        let at_start = first.world.version() == self.start.world.version()
            && delta::diff(self.start.world.state(), first.world.state()).is_empty()
            && history.start() == 0
            && first.keys.is_none()
            && first.observed.is_none()
            && first.memory.is_none()
            && first.counts.is_empty()
            && first.trail == self.start.trail
            && first.world.seed() == self.start.world.seed();
        SavedLine {
            first: history.start(),
            base: (!at_start).then(|| SavedPoint::new(first)),
            turns: saved_turns(history, history.start(), end),
            seed: end.world.seed(),
        }
    }

    /// The turns from this number on, as they are stored.
    pub(crate) fn saved_turns(&self, from: u64) -> Vec<SavedTurn> {
        saved_turns(&self.history, from, &self.now)
    }

    pub(crate) fn restore(saved: &SavedSession) -> Result<Session> {
        if saved.format != FORMAT {
            return Err(corrupt(&format!("its format is `{}`, not `{FORMAT}`", saved.format)));
        }
        let start = Arc::new(saved.start.restore()?);
        let faults = saved.faults.as_deref().map(Injector::new).transpose()?.map(Arc::new);
        let names = saved.tools.as_ref();
        let tools = names.map(|names| Arc::new(names.iter().map(|name| Arc::from(name.as_str())).collect()));
        let line = |line: &SavedLine| -> Result<Session> {
            let now = line.base.as_ref().map_or_else(|| Ok((*start).clone()), SavedPoint::restore)?;
            let history = History::starting_at(line.first);
            let (faults, tools) = (faults.clone(), tools.clone());
            let mut session = Session { now, start: start.clone(), history, snapshots: None, faults, tools };
            session.redo(&line.turns)?;
            session.now.world.reseed(line.seed);
            Ok(session)
        };
        let mut session = line(&saved.line)?;
        let mut snapshots = BTreeMap::new();
        for (name, snapshot) in &saved.snapshots {
            let (there, seed) = match snapshot {
                SavedSnapshot::Line(saved) => (line(saved)?, saved.seed),
                SavedSnapshot::Turn { turn, seed } => {
                    let mut there = session.clone();
                    there
                        .rollback(&(*turn).into())
                        .map_err(|_| corrupt("a snapshot is of a turn that is not there"))?;
                    (there, *seed)
                }
            };
            let mut at = there.now;
            at.world.reseed(seed);
            snapshots.insert(Arc::from(name.as_str()), Snapshot { at, history: there.history });
        }
        session.snapshots = (!snapshots.is_empty()).then(|| Arc::new(snapshots));
        Ok(session)
    }

    /// Makes stored turns happen again.
    pub(crate) fn redo(&mut self, turns: &[SavedTurn]) -> Result<()> {
        // Nothing is dropped on the way: what was kept when it was stored is kept now.
        let limits = gtm_world::Limits { history: usize::MAX, state_bytes: usize::MAX, ..Default::default() };
        for saved in turns {
            if saved.turn.turn != self.history.end() {
                return Err(corrupt("its turns are not in order"));
            }
            let foreseen = saved.foreseen.as_ref().map(SavedForeseen::restore);
            let done = Arc::new(Done { lasting: saved.lasting, foreseen, ..Done::from_turn(&saved.turn) });
            let mut next = self.now.clone();
            next.world.reseed(done.seed);
            if done.version != next.world.version() || !saved.state.is_empty() || !saved.books.is_empty() {
                let (mut state, mut books) = (next.world.state().clone(), next.world.books());
                if !delta::apply(&mut state, &saved.state) || !delta::apply(&mut books, &saved.books) {
                    return Err(corrupt("a change does not fit the state"));
                }
                let grown = saved.state.iter().chain(&saved.books).map(Change::bytes).sum();
                let world = next.world.with_contents(state, books, done.version, grown);
                next.world = world.ok_or_else(|| corrupt("the state is not an object"))?;
            }
            if let Some(counts) = &saved.counts {
                next.counts = Counts::new(counts.clone());
            }
            next.trail = saved.trail.unwrap_or(next.trail);
            next.remember(&done);
            // The world before the turn had the turn's seed too.
            self.now.world.reseed(done.seed);
            self.apply(done, next, &limits);
        }
        Ok(())
    }
}

fn saved_turns(history: &History, from: u64, end: &Checkpoint) -> Vec<SavedTurn> {
    let skip = usize::try_from(from.saturating_sub(history.start())).unwrap_or(usize::MAX);
    let before = history.entries().skip(skip);
    let after = history.entries().skip(skip).skip(1).map(|entry| &entry.before).chain([end]);
    let numbers = history.start().max(from)..;
    before
        .zip(after)
        .zip(numbers)
        .map(|((entry, after), number)| SavedTurn {
            turn: entry.done.turn(number),
            lasting: entry.done.lasting,
            foreseen: entry.done.foreseen.as_deref().map(SavedForeseen::new),
            state: delta::diff(entry.before.world.state(), after.world.state()),
            books: delta::diff(&entry.before.world.books(), &after.world.books()),
            counts: (entry.before.counts != after.counts).then(|| after.counts.to_vec()),
            trail: (entry.before.trail != after.trail).then_some(after.trail),
        })
        .collect()
}

impl SavedPoint {
    fn new(point: &Checkpoint) -> SavedPoint {
        let version = point.world.version();
        SavedPoint {
            world: point.world.save(),
            counts: point.counts.to_vec(),
            keys: point.keys.iter().flat_map(|keys| keys.in_order()).map(|done| done.turn(0)).collect(),
            observed: point.observed.iter().flat_map(|o| o.at(version)).map(|done| done.turn(0)).collect(),
            lessons: point
                .memory
                .iter()
                .flat_map(|memory| memory.lessons())
                .filter_map(saved_lesson)
                .collect(),
            trail: point.trail,
        }
    }

    fn restore(&self) -> Result<Checkpoint> {
        let world = World::restore(&self.world)?;
        let mut keys = Keys::default();
        for turn in &self.keys {
            let done = Arc::new(Done::from_turn(turn));
            keys.insert(done.key.clone().ok_or_else(|| corrupt("a stored reply has no key"))?, done);
        }
        let mut observed = Observations::default();
        for turn in &self.observed {
            observed.insert(world.version(), Arc::new(Done::from_turn(turn)));
        }
        let mut memory = Memory::default();
        for SavedLesson { turn, foreseen } in &self.lessons {
            let foreseen = Some(foreseen.restore());
            memory.learn(&Arc::new(Done { foreseen, ..Done::from_turn(turn) }));
        }
        Ok(Checkpoint {
            world,
            counts: Counts::new(self.counts.clone()),
            keys: (!self.keys.is_empty()).then(|| Arc::new(keys)),
            observed: (!self.observed.is_empty()).then(|| Arc::new(observed)),
            memory: (!self.lessons.is_empty()).then(|| Arc::new(memory)),
            trail: self.trail,
        })
    }
}

fn saved_lesson(done: &Arc<Done>) -> Option<SavedLesson> {
    Some(SavedLesson { turn: done.turn(0), foreseen: SavedForeseen::new(done.foreseen.as_deref()?) })
}

impl Checkpoint {
    /// Remembers a call under its key, a real outcome for as long as nothing changes, and what it teaches.
    pub(crate) fn remember(&mut self, done: &Arc<Done>) {
        if let Some(key) = &done.key {
            Arc::make_mut(self.keys.get_or_insert_default()).insert(key.clone(), done.clone());
        }
        if done.foreseen.is_some() {
            Arc::make_mut(self.memory.get_or_insert_default()).learn(done);
        }
        if done.lasting {
            Arc::make_mut(self.observed.get_or_insert_default()).insert(done.version, done.clone());
        }
    }
}
