//! Some tools answered by real ones: which calls go out, and what the session makes of the outcome.

mod common;

use common::{NOTES, simulator, with_faults};
use gtm_error::Code;
use gtm_sim::{
    Call, CreateSession, LiveTools, RealFuture, RealReply, Rung, SessionOptions, Simulator, Store,
    StoreConfig, Toolset,
};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;

/// Real tools of these names. Nobody asks them here: tests say what they answered.
struct Real(&'static [&'static str]);

impl LiveTools for Real {
    fn covers(&self, tool: &str) -> bool {
        self.0.contains(&tool)
    }

    fn ask<'a>(&'a self, _: &'a Call) -> RealFuture<'a> {
        Box::pin(async { Ok(RealReply::default()) })
    }
}

fn live(simulator: Simulator) -> Simulator {
    simulator.with_live(Arc::new(Real(&["add", "get"])))
}

fn real(content: Json) -> RealReply {
    RealReply { content, ..RealReply::default() }
}

#[test]
fn calls_of_chosen_tools_go_out_and_the_rest_agrees_with_them() {
    let simulator = live(simulator(NOTES));
    let mut session = simulator.open(SessionOptions::default()).unwrap();
    let add = Call::new("add", json!({"text": "hello"}));
    assert!(simulator.goes_live(&session, &add).is_some());
    assert!(simulator.goes_live(&session, &Call::new("all", json!({}))).is_none());
    let note = json!({"key": "n-real", "text": "hello", "at": "2026-01-01T00:00:00Z"});
    let reply = simulator.settle(&mut session, &add, real(note.clone())).unwrap();
    assert_eq!((reply.content, reply.provenance.rung, reply.state_version), (note, Rung::Live, 1));
    let listed = simulator.call(&mut session, &Call::new("all", json!({})));
    assert_eq!((listed.provenance.rung, &listed.content["rows"][0]["key"]), (Rung::User, &json!("n-real")));
    // The same call is asked again: the real tool may answer otherwise by now.
    let get = Call::new("get", json!({"key": "n-real"}));
    simulator.settle(&mut session, &get, real(json!({"key": "n-real", "text": "hello"}))).unwrap();
    assert!(simulator.goes_live(&session, &get).is_some());
    let failed = RealReply { content: json!({"detail": "gone"}), is_error: true, status: Some(410) };
    let reply = simulator.settle(&mut session, &get, failed).unwrap();
    assert_eq!((reply.status, reply.error.unwrap().kind.name()), (410, "not_found"));
}

#[test]
fn faults_fail_a_call_before_it_goes_out_and_are_counted() {
    let simulator = live(with_faults(
        NOTES,
        json!([{"tool": "get", "on": {"nth": 2}, "error": {"kind": "unavailable"}}]),
    ));
    let mut session = simulator.open(SessionOptions::default()).unwrap();
    let get = Call::new("get", json!({"key": "a"}));
    assert!(simulator.goes_live(&session, &get).is_some());
    simulator.settle(&mut session, &get, real(json!({"key": "a"}))).unwrap();
    assert!(simulator.goes_live(&session, &get).is_none());
    assert_eq!(simulator.call(&mut session, &get).provenance.rung, Rung::Fault);
    assert!(simulator.goes_live(&session, &get).is_some());
}

#[test]
fn a_repeated_key_is_not_asked_twice() {
    let simulator = live(simulator(NOTES));
    let mut session = simulator.open(SessionOptions::default()).unwrap();
    let add = Call::new("add", json!({"text": "hello"})).with_key("k");
    simulator.settle(&mut session, &add, real(json!({"key": "first"}))).unwrap();
    assert!(simulator.goes_live(&session, &add).is_none());
    // Two that were under way at once.
    let second = simulator.settle(&mut session, &add, real(json!({"key": "second"}))).unwrap();
    assert_eq!(
        (&second.content["key"], second.provenance.retried, session.turns()),
        (&json!("first"), true, 1)
    );
}

#[test]
fn sessions_in_a_store() {
    let store = Store::new(StoreConfig::default()).unwrap();
    store.add_toolset("plain", Arc::new(simulator(NOTES)));
    assert!(!store.has_live());
    store.add_toolset("live", Arc::new(live(simulator(NOTES))));
    assert!(store.has_live());
    for (id, goes) in [("plain", false), ("live", true)] {
        let request =
            CreateSession { id: Some(id.into()), toolset: Some(id.into()), ..CreateSession::default() };
        store.create(request).unwrap();
        let call = Call::new("add", json!({"text": "hello"}));
        assert_eq!(store.goes_live(id, &call).unwrap().is_some(), goes);
    }
    let call = Call::new("add", json!({"text": "hello"}));
    store.settle("live", &call, real(json!({"key": "n-real", "text": "hello"}))).unwrap();
    assert!(store.state("live").unwrap()["notes"]["n-real"].is_object());
}

#[test]
fn sources_in_a_toolset_file_are_checked() {
    let parse = |live: &str| Toolset::parse(format!("{NOTES}\nlive:\n{live}"), Path::new(""));
    let toolset = parse("  - {tools: [get, 'a*'], mcp: 'http://127.0.0.1:1/mcp', timeout_s: 5}").unwrap();
    assert!(toolset.live[0].covers("add") && !toolset.live[0].covers("drop"));
    assert_eq!(Toolset::parse(toolset.to_yaml().unwrap(), Path::new("")).unwrap().live, toolset.live);
    for (wrong, place) in [
        ("  - {tools: [get]}", "/live/0"),
        ("  - {mcp: 'http://x', http: 'http://y'}", "/live/0"),
        ("  - {tools: [nothing], mcp: 'http://x'}", "/live/0"),
        ("  - {mpc: 'http://x'}", "/live/0/mpc"),
    ] {
        let error = parse(wrong).unwrap_err();
        assert_eq!((error.code(), error.place()), (Code::ToolsetInvalid, Some(place)), "{wrong}");
    }
}
