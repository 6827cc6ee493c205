//! Replay: an identical call in an identical known state is answered as it was when recorded.
//!
//! A state is known by how it came about: the state that the session started from, and the calls
//! since then that may have changed it, in order. That is its trail, a hash. A call that only reads
//! leaves the trail as it is, and so does one that failed; so a session may read in another order
//! than the recorded one, or not at all, and is still in a known state. After the first change that
//! was not recorded at that point, it is in a state that no recording knows.

use crate::digest;
use crate::live::RealReply;
use crate::recording::{REDACTED, Recording};
use gtm_world::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Deepest level of arguments that is looked at for redacted members.
const MAX_DEPTH: usize = 16;

/// What recordings answer to which call in which state.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    outcomes: HashMap<u64, Vec<Outcome>>,
    /// Arguments that the recorder took out: their values tell no call from another.
    redacted: BTreeSet<String>,
}

/// A recorded answer.
#[derive(Debug)]
pub(crate) struct Outcome {
    trail: u64,
    tool: Arc<str>,
    args: Value,
    content: serde_json::Value,
    is_error: bool,
    status: Option<u16>,
}

impl Outcome {
    pub(crate) fn reply(&self) -> RealReply {
        RealReply { content: self.content.clone(), is_error: self.is_error, status: self.status }
    }
}

impl Replay {
    /// Recorded sessions that say no initial state started from `initial`. Where two recordings
    /// differ in what was answered, the first holds. `reads` says which tools change nothing.
    pub(crate) fn new(recordings: &[Recording], initial: u64, reads: impl Fn(&str) -> bool) -> Replay {
        let mut replay = Replay::default();
        for turn in recordings.iter().flat_map(|recording| &recording.turns) {
            find_redacted(&turn.call.arguments, &mut replay.redacted, 0);
        }
        let mut known = HashMap::new();
        for recording in recordings {
            let mut trail =
                recording.initial_state.as_ref().map_or(initial, |state| start(&Value::from(state)));
            for turn in &recording.turns {
                let tool = turn.call.name.as_str();
                let args = replay.masked(&given(&turn.call.arguments));
                let key = key(trail, tool, &args);
                let outcomes = replay.outcomes.entry(key).or_default();
                let fits = |o: &Outcome| o.trail == trail && &*o.tool == tool && o.args == args;
                if !turn.response_truncated && !outcomes.iter().any(fits) {
                    let tool = known.entry(tool).or_insert_with(|| Arc::<str>::from(tool)).clone();
                    outcomes.push(Outcome {
                        trail,
                        tool,
                        args: args.clone(),
                        content: turn.response.clone(),
                        is_error: turn.is_error,
                        status: turn.status,
                    });
                }
                if !turn.is_error && !reads(tool) {
                    trail = key;
                }
            }
        }
        replay
    }

    /// The recorded answer to this call.
    pub(crate) fn get(&self, trail: u64, tool: &str, args: &Value) -> Option<&Outcome> {
        let args = self.masked(args);
        let fits = |o: &&Outcome| o.trail == trail && &*o.tool == tool && o.args == args;
        self.outcomes.get(&key(trail, tool, &args))?.iter().find(fits)
    }

    /// The trail after a call that may have changed something.
    pub(crate) fn after(&self, trail: u64, tool: &str, args: &Value) -> u64 {
        key(trail, tool, &self.masked(args))
    }

    /// The arguments without the values that recordings do not hold.
    fn masked(&self, args: &Value) -> Value {
        let mut args = args.clone();
        if !self.redacted.is_empty() {
            self.mask(&mut args, 0);
        }
        args
    }

    fn mask(&self, value: &mut Value, depth: usize) {
        match value {
            Value::Map(map) if depth < MAX_DEPTH => {
                let names: Vec<_> = map.keys().cloned().collect();
                for name in names {
                    match map.get_mut(&name) {
                        Some(member @ (Value::Str(_) | Value::Int(_) | Value::Float(_)))
                            if self.redacted.contains(&*name) =>
                        {
                            *member = REDACTED.into();
                        }
                        Some(member) => self.mask(member, depth + 1),
                        None => {}
                    }
                }
            }
            Value::List(items) if depth < MAX_DEPTH => {
                Arc::make_mut(items).iter_mut().for_each(|item| self.mask(item, depth + 1));
            }
            _ => {}
        }
    }
}

/// The trail of a session that starts from this state.
pub(crate) fn start(state: &Value) -> u64 {
    digest::value(state)
}

/// Arguments as a call has them: none count as an empty object.
fn given(arguments: &serde_json::Value) -> Value {
    match arguments {
        serde_json::Value::Null => Value::Map(Map::default()),
        given => Value::from(given),
    }
}

fn key(trail: u64, tool: &str, args: &Value) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&trail.to_le_bytes());
    bytes[8..].copy_from_slice(&digest::call(tool, args).to_le_bytes());
    digest::bytes(&bytes)
}

fn find_redacted(arguments: &serde_json::Value, names: &mut BTreeSet<String>, depth: usize) {
    if depth >= MAX_DEPTH {
        return;
    }
    match arguments {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                match value.as_str() {
                    Some(REDACTED) => drop(names.insert(name.clone())),
                    _ => find_redacted(value, names, depth + 1),
                }
            }
        }
        serde_json::Value::Array(items) => {
            items.iter().for_each(|item| find_redacted(item, names, depth + 1))
        }
        _ => {}
    }
}
