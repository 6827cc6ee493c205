//! The life of sessions in a store: limits, idle time, ids, batches, and bugs that stay contained.

mod common;

use common::{NOTES, simulator};
use gtm_error::Code;
use gtm_read::RuleReader;
use gtm_sim::{Call, CreateSession, ForkSession, Rung, Simulator, SnapshotRef, Store, StoreConfig, Toolset};
use gtm_world::{ErrorKind, Filler, Slot, Value};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn store(max_sessions: usize) -> Store {
    let store = Store::new(StoreConfig { max_sessions, ..StoreConfig::default() }).unwrap();
    store.add_toolset("notes", Arc::new(simulator(NOTES)));
    store
}

fn named(id: &str) -> CreateSession {
    CreateSession { id: Some(id.into()), ..CreateSession::default() }
}

fn put(key: &str) -> Call {
    Call::new("put", json!({"key": key, "text": "x"}))
}

/// So many seconds from now.
fn later(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[test]
fn idle_sessions_expire_and_late_clients_are_told_so() {
    let store = store(10);
    store.create(named("short")).unwrap();
    store.create(CreateSession { ttl_s: Some(10_000), ..named("long") }).unwrap();
    assert_eq!(store.sweep(later(800)), 0);
    assert_eq!(store.sweep(later(901)), 1);
    for error in [store.call("short", &put("a")).unwrap_err(), store.ensure(named("short")).unwrap_err()] {
        assert_eq!(error.code(), Code::SessionExpired);
    }
    assert_eq!(store.call("never", &put("a")).unwrap_err().code(), Code::SessionUnknown);
    assert!(store.call("long", &put("a")).is_ok());
    assert!(store.create(named("short")).is_ok(), "the id may be used again when asked for by name");
    assert!(store.call("short", &put("a")).is_ok());
    store.delete("short").unwrap();
    assert_eq!(store.call("short", &put("a")).unwrap_err().code(), Code::SessionUnknown);
    assert_eq!(store.len(), 1);
}

#[test]
fn a_session_that_is_due_expires_at_its_next_use_even_unswept() {
    let store = store(10);
    store.create(CreateSession { ttl_s: Some(0), ..named("s") }).unwrap();
    assert_eq!(store.call("s", &put("a")).unwrap_err().code(), Code::SessionExpired);
    assert!(store.is_empty());
}

#[test]
fn a_full_store_refuses_and_never_pushes_out_a_live_session() {
    let store = store(3);
    for id in ["a", "b", "c"] {
        store.create(named(id)).unwrap();
    }
    let error = store.create(named("d")).unwrap_err();
    assert_eq!((error.code(), error.code().http_status()), (Code::SessionLimit, 429));
    assert!(["a", "b", "c"].iter().all(|id| store.info(id).is_ok()));
    store.create(CreateSession { ttl_s: Some(0), ..named("d") }).unwrap_err();
    store.delete("a").unwrap();
    store.create(CreateSession { ttl_s: Some(0), ..named("d") }).unwrap();
    assert!(store.create(named("e")).is_ok(), "the one whose time is up makes room");
    assert_eq!(store.len(), 3);
}

#[test]
fn ids_are_chosen_or_random() {
    let store = store(100);
    let ids: Vec<String> = (0..20).map(|_| store.create(CreateSession::default()).unwrap().id).collect();
    assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())));
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 20);
    assert_eq!(store.create(named("../x")).unwrap_err().code(), Code::RequestMalformed);
    store.create(named("mine")).unwrap();
    assert!(store.create(named("mine")).is_ok());
    let other = CreateSession { state: Some(json!({"notes": {}, "x": 1})), ..named("mine") };
    assert_eq!(store.create(other).unwrap_err().code(), Code::SessionExists);
    let unknown = CreateSession { toolset: Some("note".into()), ..CreateSession::default() };
    let error = store.create(unknown).unwrap_err();
    assert_eq!(error.code(), Code::ToolsetUnknown);
    assert!(error.to_string().contains("perhaps `notes`"), "{error}");
    let page: Vec<String> = store.list(None, 5).into_iter().map(|info| info.id).collect();
    let next: Vec<String> =
        store.list(page.last().map(String::as_str), 100).into_iter().map(|info| info.id).collect();
    assert_eq!((page.len(), next.len()), (5, 16));
    assert!(page.last() < next.first());
}

#[test]
fn a_batch_is_one_step() {
    let store = store(10);
    store.create(named("s")).unwrap();
    let missing = Call::new("get", json!({"key": "zzz"}));
    let replies = store.call_batch("s", &[put("a"), missing, put("b")]).unwrap();
    assert_eq!(replies.iter().map(|r| r.is_error).collect::<Vec<_>>(), [false, true, false]);
    let clash = [put("c").with_key("k"), put("d").with_key("k")];
    assert_eq!(store.call_batch("s", &clash).unwrap_err().code(), Code::IdempotencyConflict);
    assert_eq!(store.info("s").unwrap().turns, 3, "nothing of a refused batch took effect");
}

#[test]
fn session_operations_are_reported() {
    let store = store(10);
    store.create(named("s")).unwrap();
    store.call("s", &put("a")).unwrap();
    let info = store.snapshot("s", "one").unwrap();
    assert_eq!(
        (info.turns, info.state_version, info.snapshots[0].name.as_str(), info.snapshots[0].turn),
        (1, 1, "one", 1)
    );
    store.call("s", &put("b")).unwrap();
    assert_eq!(store.rollback("s", &SnapshotRef::from("one")).unwrap().turns, 1);
    assert_eq!(store.rollback("s", &SnapshotRef::from("7")).unwrap_err().code(), Code::SnapshotUnknown);
    assert_eq!(store.rollback("s", &SnapshotRef::from("two")).unwrap_err().code(), Code::SnapshotUnknown);
    assert_eq!(store.snapshot("s", "7").unwrap_err().code(), Code::RequestMalformed);
    let info = store.reset("s").unwrap();
    assert_eq!((info.turns, info.state_version, info.snapshots.len()), (0, 0, 0));
    assert_eq!(
        store.fork("s", &ForkSession { seeds: vec![5], ..ForkSession::default() }).unwrap()[0].seed,
        5
    );
}

/// Fills with a fixed word, and panics when it sees a slot named so.
struct Explosive;

impl Filler for Explosive {
    fn fill(&self, slot: &Slot<'_>) -> Value {
        assert!(!slot.tool.contains("boom"), "a bug in the filler");
        Value::from("word")
    }
}

#[test]
fn a_panic_in_one_call_is_that_calls_failure_and_nobody_elses() {
    let text = "tools: [{name: boom, parameters: {type: object, properties: {}}, returns: {type: string}}, \
                {name: fine, parameters: {type: object, properties: {}}, returns: {type: string}}]";
    let toolset = Toolset::parse(text, Path::new("")).unwrap();
    let simulator = Arc::new(Simulator::with(toolset, &RuleReader, Arc::new(Explosive)).unwrap());
    let store = Store::new(StoreConfig::default()).unwrap();
    store.add_toolset("t", simulator.clone());
    store.create(named("s")).unwrap();
    let reply = store.call("s", &Call::new("boom", json!({}))).unwrap();
    assert_eq!((reply.status, reply.error.unwrap().kind), (500, ErrorKind::Internal));
    let reply = store.call("s", &Call::new("fine", json!({}))).unwrap();
    assert_eq!((reply.content, reply.provenance.rung), (json!("word"), Rung::Direct));
    let counted = simulator.metrics().snapshot();
    assert_eq!((counted.panics, counted.calls, counted.errors["internal"]), (1, 2, 1));
    assert_eq!(store.info("s").unwrap().turns, 2);
}

#[test]
fn replies_that_break_their_schema_are_given_marked_and_counted() {
    let text = "tools: [{name: t, parameters: {type: object, properties: {}}, returns: {type: integer}}]\n\
                behaviors: {t: {steps: [{reply: \"'text'\"}]}}";
    let simulator = simulator(text);
    let mut session = simulator.open(gtm_sim::SessionOptions::default()).unwrap();
    let reply = simulator.call(&mut session, &Call::new("t", json!({})));
    assert_eq!((reply.content, reply.is_error, reply.provenance.valid), (json!("text"), false, false));
    assert_eq!(simulator.metrics().snapshot().invalid_replies, 1);
}

#[test]
fn a_tool_whose_schema_is_not_admitted_says_so_and_harms_no_other() {
    let mut toolset = Toolset::parse(NOTES, Path::new("")).unwrap();
    let deep = (0..200).fold(json!({}), |inner, _| json!({"properties": {"x": inner}}));
    toolset.tools[0].parameters = deep;
    let simulator = Simulator::new(toolset).unwrap();
    let mut session = simulator.open(gtm_sim::SessionOptions::default()).unwrap();
    let reply = simulator.call(&mut session, &put("a"));
    let error = reply.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert!(error.message.contains("GTM0104"), "{error}");
    assert!(!simulator.call(&mut session, &Call::new("add", json!({"text": "x"}))).is_error);
}
