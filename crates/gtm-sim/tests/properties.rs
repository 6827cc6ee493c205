//! What holds for every sequence of operations.

mod common;

use common::{NOTES, simulator, with_faults};
use gtm_sim::{
    Call, CreateSession, ForkSession, Reply, Session, SessionOptions, Simulator, SnapshotRef, Store,
    StoreConfig, Toolset,
};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use std::path::Path;
use std::sync::{Arc, OnceLock};

fn notes() -> &'static Arc<Simulator> {
    static NOTES_SIMULATOR: OnceLock<Arc<Simulator>> = OnceLock::new();
    NOTES_SIMULATOR.get_or_init(|| Arc::new(simulator(NOTES)))
}

fn faulty_notes() -> &'static Arc<Simulator> {
    static FAULTY: OnceLock<Arc<Simulator>> = OnceLock::new();
    let faults = json!([
        {"tool": "put", "on": {"probability": 0.2}, "error": {"kind": "unavailable"}},
        {"tool": "get", "on": {"every": 4}, "stale": {"versions": 1}},
        {"tool": "*", "rate_limit": {"calls": 7, "per": 10}},
        {"tool": "all", "latency": {"min_ms": 1, "max_ms": 9}, "truncate": {"items": 2}}
    ]);
    FAULTY.get_or_init(|| Arc::new(with_faults(NOTES, faults)))
}

/// A simulator whose behaviors were read from an OpenAPI document.
fn pets() -> &'static Arc<Simulator> {
    static PETS: OnceLock<Arc<Simulator>> = OnceLock::new();
    PETS.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/petstore.yaml");
        Arc::new(Simulator::new(Toolset::load(&path).unwrap()).unwrap())
    })
}

#[derive(Clone, Debug)]
enum Op {
    Put(u8, String),
    Drop(u8),
    Get(u8),
    All(Option<u8>),
    Add(String),
    Roll,
    Bad(u8),
    Snapshot(u8),
    RollbackTurn(u8),
    RollbackName(u8),
    Reset,
}

impl Op {
    fn call(&self) -> Option<Call> {
        let key = |n: &u8| format!("k{n}");
        Some(match self {
            Op::Put(n, text) => Call::new("put", json!({"key": key(n), "text": text})),
            Op::Drop(n) => Call::new("drop", json!({"key": key(n)})),
            Op::Get(n) => Call::new("get", json!({"key": key(n)})),
            Op::All(limit) => Call::new("all", limit.map_or(json!({}), |n| json!({"limit": n}))),
            Op::Add(text) => Call::new("add", json!({"text": text})),
            Op::Roll => Call::new("roll", json!({})),
            Op::Bad(0) => Call::new("nothing", json!({})),
            Op::Bad(1) => Call::new("put", json!({"key": "k1"})),
            Op::Bad(2) => Call::new("put", json!({"key": 7, "text": "x"})),
            Op::Bad(_) => Call::new("get", json!({"key": "k1", "more": true})),
            _ => return None,
        })
    }
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0u8..5, "[a-z]{0,4}").prop_map(|(n, text)| Op::Put(n, text)),
        2 => (0u8..5).prop_map(Op::Drop),
        3 => (0u8..5).prop_map(Op::Get),
        2 => prop::option::of(0u8..6).prop_map(Op::All),
        1 => "[a-z]{1,3}".prop_map(Op::Add),
        1 => Just(Op::Roll),
        2 => (0u8..4).prop_map(Op::Bad),
        1 => (0u8..3).prop_map(Op::Snapshot),
        1 => (0u8..12).prop_map(Op::RollbackTurn),
        1 => (0u8..3).prop_map(Op::RollbackName),
        1 => Just(Op::Reset),
    ]
}

fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 0..most)
}

/// Does to the session what the operation says; gives the reply of a call.
fn perform(simulator: &Simulator, session: &mut Session, op: &Op) -> Option<Reply> {
    if let Some(call) = op.call() {
        return Some(simulator.call(session, &call));
    }
    // Unknown turns and names are errors, which change nothing; the model ignores them likewise.
    let _ = match op {
        Op::Snapshot(n) => session.snapshot(&format!("s{n}")),
        Op::RollbackTurn(n) => session.rollback(&SnapshotRef::Turn(u64::from(*n))),
        Op::RollbackName(n) => session.rollback(&SnapshotRef::Name(format!("s{n}"))),
        Op::Reset => {
            session.reset();
            Ok(())
        }
        _ => Ok(()),
    };
    None
}

/// The notes, modelled by cloned JSON.
#[derive(Clone, Default)]
struct Model {
    notes: Map<String, Json>,
    /// The notes before each turn.
    history: Vec<Map<String, Json>>,
    snapshots: Vec<(u8, Moment)>,
}

/// The notes, and the notes before each turn.
type Moment = (Map<String, Json>, Vec<Map<String, Json>>);

impl Model {
    /// Checks the reply of a call and keeps up with it.
    fn follow(&mut self, op: &Op, reply: Option<&Reply>) {
        if let Some(reply) = reply {
            self.history.push(self.notes.clone());
            self.answer(op, reply);
            return;
        }
        match op {
            Op::Snapshot(n) => {
                self.snapshots.retain(|(name, _)| name != n);
                self.snapshots.push((*n, (self.notes.clone(), self.history.clone())));
            }
            Op::RollbackTurn(n) if usize::from(*n) < self.history.len() => {
                self.notes = self.history[usize::from(*n)].clone();
                self.history.truncate(usize::from(*n));
            }
            Op::RollbackName(n) => {
                if let Some((_, (notes, history))) = self.snapshots.iter().find(|(name, _)| name == n) {
                    (self.notes, self.history) = (notes.clone(), history.clone());
                }
            }
            Op::Reset => *self = Model::default(),
            _ => {}
        }
    }

    fn answer(&mut self, op: &Op, reply: &Reply) {
        let key = |n: &u8| format!("k{n}");
        match op {
            Op::Put(n, text) => {
                let note = self.notes.entry(key(n)).or_insert_with(|| json!({}));
                note["key"] = json!(key(n));
                note["text"] = json!(text);
                note["stars"] = Json::Null;
                assert_eq!(&reply.content["text"], &json!(text));
            }
            Op::Add(text) => {
                assert_eq!(&reply.content["text"], &json!(text));
                let id = reply.content["key"].as_str().unwrap().to_owned();
                assert!(self.notes.insert(id, reply.content.clone()).is_none(), "ids are new");
            }
            Op::Drop(n) => assert_eq!(reply.is_error, self.notes.shift_remove(&key(n)).is_none()),
            Op::Get(n) => match self.notes.get(&key(n)) {
                Some(note) => assert_eq!(&reply.content, note),
                None => assert_eq!(reply.status, 404),
            },
            Op::All(limit) => {
                let rows: Vec<&Json> =
                    self.notes.values().take(limit.map_or(usize::MAX, usize::from)).collect();
                assert_eq!(reply.content, json!({"rows": rows, "total": self.notes.len()}));
            }
            Op::Roll => assert!(!reply.is_error && reply.provenance.valid),
            Op::Bad(_) => assert!(reply.is_error),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_session_does_what_a_plain_model_does(ops in ops(60)) {
        let simulator = notes();
        let mut session = simulator.open(SessionOptions::default()).unwrap();
        let mut model = Model::default();
        for op in &ops {
            let before = session.clone();
            let reply = perform(simulator, &mut session, op);
            model.follow(op, reply.as_ref());
            if reply.as_ref().is_some_and(|r| r.is_error) {
                prop_assert_eq!(session.state().to_json(), before.state().to_json());
                prop_assert_eq!(session.version(), before.version());
            }
            prop_assert_eq!(session.state().to_json(), json!({"notes": model.notes}));
            prop_assert_eq!(session.turns(), model.history.len());
        }
        prop_assert_eq!(simulator.metrics().snapshot().invalid_replies, 0);
    }

    #[test]
    fn a_fork_and_its_parent_do_not_see_each_other(before in ops(20), after in ops(20)) {
        let simulator = faulty_notes();
        let mut parent = simulator.open(SessionOptions::default()).unwrap();
        before.iter().for_each(|op| drop(perform(simulator, &mut parent, op)));
        let saved = parent.to_json();
        let mut child = parent.fork();
        let in_child: Vec<_> = after.iter().map(|op| perform(simulator, &mut child, op)).collect();
        prop_assert_eq!(parent.to_json(), saved);
        let grown = child.to_json();
        let in_parent: Vec<_> = after.iter().map(|op| perform(simulator, &mut parent, op)).collect();
        prop_assert_eq!(in_parent, in_child, "same continuation, same replies");
        prop_assert_eq!(child.to_json().to_string(), grown.to_string());
    }

    #[test]
    fn a_session_written_and_read_back_goes_on_the_same(before in ops(30), after in ops(20)) {
        let simulator = faulty_notes();
        let mut session = simulator.open(SessionOptions::default()).unwrap();
        before.iter().for_each(|op| drop(perform(simulator, &mut session, op)));
        let text = session.to_json().to_string();
        let mut again = Session::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
        prop_assert_eq!(again.to_json().to_string(), text);
        for op in &after {
            prop_assert_eq!(perform(simulator, &mut again, op), perform(simulator, &mut session, op));
        }
        // What can be seen, here and at every snapshot. How a file shares turns between lines of play
        // may differ: equal turns that were made twice are one once they were read back.
        let seen = |session: &Session| {
            let turns: Vec<_> = session.transcript().map(|turn| serde_json::to_value(turn).unwrap()).collect();
            (session.state().to_json(), session.version(), turns)
        };
        prop_assert_eq!(seen(&again), seen(&session));
        for name in (0..8).map(|n| SnapshotRef::Name(format!("s{n}"))) {
            let (mut one, mut other) = (again.fork(), session.fork());
            prop_assert_eq!(one.rollback(&name).is_ok(), other.rollback(&name).is_ok());
            prop_assert_eq!(seen(&one), seen(&other));
        }
    }

    #[test]
    fn rollback_to_any_turn_brings_back_that_moment(ops in ops(30), at in 0usize..30) {
        let simulator = faulty_notes();
        let mut session = simulator.open(SessionOptions::default()).unwrap();
        let mut moments = vec![session.clone()];
        for op in ops.iter().filter(|op| op.call().is_some()) {
            perform(simulator, &mut session, op);
            moments.push(session.clone());
        }
        let at = at.min(moments.len() - 1);
        session.rollback(&SnapshotRef::Turn(at as u64)).unwrap();
        prop_assert_eq!(session.to_json(), moments[at].to_json());
    }

    #[test]
    fn a_repeated_call_has_one_effect(ops in ops(20), text in "[a-z]{1,5}") {
        let simulator = notes();
        let mut session = simulator.open(SessionOptions::default()).unwrap();
        let call = Call::new("add", json!({"text": text})).with_key("once");
        let first = simulator.call(&mut session, &call);
        for op in ops.iter().filter(|op| op.call().is_some()) {
            perform(simulator, &mut session, op);
        }
        let saved = session.to_json();
        let again = simulator.call(&mut session, &call);
        prop_assert!(again.provenance.retried && again.content == first.content);
        prop_assert_eq!(session.to_json(), saved);
        let other = simulator.try_call(&mut session, &Call::new("add", json!({"text": "other!"})).with_key("once"));
        prop_assert_eq!(other.unwrap_err().code(), gtm_error::Code::IdempotencyConflict);
    }
}

/// A scripted agent for any toolset: every tool in turn, with arguments made from its schema.
fn agent(simulator: &Simulator, steps: usize, salt: usize) -> Vec<Call> {
    let value = |name: &str, schema: &Json, n: usize| match schema["type"].as_str() {
        Some("integer" | "number") => json!(n % 4 + 1),
        Some("boolean") => json!(n.is_multiple_of(2)),
        Some("array") => json!([]),
        Some("object") => json!({"name": format!("{name} {n}")}),
        _ => schema["enum"].get(n % 3).cloned().unwrap_or_else(|| json!(format!("{name}{}", n % 5))),
    };
    (0..steps)
        .map(|n| {
            let tool = &simulator.tools()[(n * 7 + salt) % simulator.tools().len()];
            let properties = tool.parameters["properties"].as_object().cloned().unwrap_or_default();
            let arguments = properties
                .iter()
                .map(|(name, schema)| (name.clone(), value(name, schema, n + salt)))
                .collect();
            Call::new(&tool.name, Json::Object(arguments))
        })
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_at_any_concurrency() {
    const SESSIONS: usize = 24;
    for (name, simulator) in [("notes", notes()), ("faulty", faulty_notes()), ("pets", pets())] {
        let run = |threads: usize| -> Vec<String> {
            let store = Store::new(StoreConfig::default()).unwrap();
            store.add_toolset(name, simulator.clone());
            for n in 0..SESSIONS {
                let (id, seed) = (Some(format!("s{n}")), Some(n as u64 % 3));
                store.create(CreateSession { id, seed, ..CreateSession::default() }).unwrap();
            }
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    let store = &store;
                    scope.spawn(move || {
                        // Step by step through all sessions of this thread, so that they interleave.
                        let mut agents: Vec<_> = (thread..SESSIONS)
                            .step_by(threads)
                            .map(|n| (format!("s{n}"), agent(simulator, 40, n).into_iter()))
                            .collect();
                        for _ in 0..40 {
                            for (id, calls) in &mut agents {
                                store.call(id, &calls.next().unwrap()).unwrap();
                            }
                        }
                    });
                }
            });
            (0..SESSIONS).map(|n| store.session(&format!("s{n}")).unwrap().to_json().to_string()).collect()
        };
        let alone = run(1);
        assert_eq!(alone, run(4), "{name}");
        assert_eq!(alone, run(SESSIONS), "{name}");
    }
}

#[test]
fn threads_that_share_a_session_lose_no_call() {
    let store = Store::new(StoreConfig::default()).unwrap();
    store.add_toolset("notes", notes().clone());
    store.create(CreateSession { id: Some("s".into()), ..CreateSession::default() }).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..100 {
                    let call = Call::new("put", json!({"key": format!("{thread}-{n}"), "text": "x"}));
                    assert!(!store.call("s", &call).unwrap().is_error);
                }
            });
        }
    });
    assert_eq!(store.state("s").unwrap()["notes"].as_object().unwrap().len(), 800);
    assert_eq!(store.info("s").unwrap().turns, 800);
}

#[test]
fn what_was_written_is_read_by_every_read_tool() {
    let simulator = pets();
    let mut session = simulator.open(SessionOptions::default()).unwrap();
    for call in agent(simulator, 60, 3) {
        let reply = simulator.call(&mut session, &call);
        let again = simulator.call(&mut session, &call);
        let read_only =
            simulator.tool(&call.tool).and_then(|t| t.http.as_ref()).is_some_and(|h| h.method == "GET");
        if read_only && !reply.is_error {
            assert_eq!(reply.content, again.content, "{call:?}: two reads with nothing in between agree");
        }
    }
    assert_eq!(simulator.metrics().snapshot().panics, 0);
    assert_eq!(simulator.metrics().snapshot().unusable_behaviors, 0);
}

#[test]
fn forks_of_a_store_go_their_own_ways() {
    let store = Store::new(StoreConfig { max_sessions: 12, ..StoreConfig::default() }).unwrap();
    store.add_toolset("notes", notes().clone());
    store.create(CreateSession { id: Some("s".into()), ..CreateSession::default() }).unwrap();
    store.call("s", &Call::new("put", json!({"key": "a", "text": "shared"}))).unwrap();
    let forks = store.fork("s", &ForkSession::count(10)).unwrap();
    for (n, fork) in forks.iter().enumerate() {
        store.call(&fork.id, &Call::new("put", json!({"key": "b", "text": n.to_string()}))).unwrap();
    }
    for (n, fork) in forks.iter().enumerate() {
        let state = store.state(&fork.id).unwrap();
        assert_eq!(
            (&state["notes"]["a"]["text"], &state["notes"]["b"]["text"]),
            (&json!("shared"), &json!(n.to_string()))
        );
    }
    assert_eq!(store.state("s").unwrap()["notes"].as_object().unwrap().len(), 1);
    assert_eq!(store.fork("s", &ForkSession::count(2)).unwrap_err().code(), gtm_error::Code::SessionLimit);
    assert_eq!(store.len(), 11, "a refused fork leaves nothing behind");
    let taken = ForkSession { ids: vec![forks[0].id.clone()], ..ForkSession::default() };
    assert_eq!(store.fork("s", &taken).unwrap_err().code(), gtm_error::Code::SessionExists);
    assert_eq!(store.len(), 11);
}
