//! Real outcomes in a session: what is simulated later agrees with them.

mod common;

use common::{NOTES, simulator};
use gtm_sim::{Call, Observed, Reply, Rung, Session, SessionOptions, Simulator};
use serde_json::{Value as Json, json};

fn open() -> (Simulator, Session) {
    let simulator = simulator(NOTES);
    let session = simulator.open(SessionOptions::default()).unwrap();
    (simulator, session)
}

fn observe(
    simulator: &Simulator,
    session: &mut Session,
    tool: &str,
    args: Json,
    content: Json,
    is_error: bool,
) -> Reply {
    simulator.observe(session, &Call::new(tool, args), Observed { content, is_error }).unwrap()
}

fn call(simulator: &Simulator, session: &mut Session, tool: &str, args: Json) -> Reply {
    simulator.call(session, &Call::new(tool, args))
}

#[test]
fn the_real_id_and_time_of_a_new_record_replace_the_made_up_ones() {
    let (simulator, mut session) = open();
    let real = json!({"key": "n-real", "text": "hello", "at": "2026-01-01T00:00:00Z"});
    let reply = observe(&simulator, &mut session, "add", json!({"text": "hello"}), real.clone(), false);
    assert_eq!(
        (reply.content, reply.provenance.rung, reply.state_version),
        (real.clone(), Rung::Observed, 1)
    );
    assert_eq!(session.state().to_json(), json!({"notes": {"n-real": real}}));
    let read = call(&simulator, &mut session, "get", json!({"key": "n-real"}));
    assert_eq!((read.content, read.is_error), (real, false));
    assert_eq!(call(&simulator, &mut session, "all", json!({})).content["total"], 1);
}

#[test]
fn a_read_brings_the_record_up_to_date_and_is_replayed_until_something_changes() {
    let (simulator, mut session) = open();
    call(&simulator, &mut session, "put", json!({"key": "a", "text": "mine"}));
    let real = json!({"key": "a", "text": "theirs", "stars": 4, "etag": "W/1"});
    observe(&simulator, &mut session, "get", json!({"key": "a"}), real.clone(), false);
    let state = session.state().to_json();
    assert_eq!(state["notes"]["a"], real, "a reply that shows the whole record is the record");
    let mut read = || call(&simulator, &mut session, "get", json!({"key": "a"}));
    assert_eq!(read().content, real);
    assert_eq!((read().content, read().provenance.rung), (real, Rung::Replay));
    let mut session = Session::from_json(&session.to_json()).unwrap();
    assert_eq!(call(&simulator, &mut session, "get", json!({"key": "a"})).provenance.rung, Rung::Replay);
    call(&simulator, &mut session, "put", json!({"key": "b", "text": "x"}));
    let read = call(&simulator, &mut session, "get", json!({"key": "a"}));
    assert_eq!((read.content["text"].as_str(), read.provenance.rung), (Some("theirs"), Rung::User));
}

#[test]
fn what_changes_nothing_is_replayed_word_for_word() {
    let (simulator, mut session) = open();
    let real = json!({"detail": "no such note, really"});
    let reply = observe(&simulator, &mut session, "get", json!({"key": "zz"}), real.clone(), true);
    assert!(reply.is_error && reply.state_version == 0);
    for args in [json!({"key": "zz"}), json!({"key": "zz"})] {
        let again = call(&simulator, &mut session, "get", args);
        assert_eq!(
            (again.content, again.is_error, again.provenance.rung),
            (real.clone(), true, Rung::Replay)
        );
    }
    let other = call(&simulator, &mut session, "get", json!({"key": "yy"}));
    assert_eq!(other.provenance.rung, Rung::User);
    call(&simulator, &mut session, "put", json!({"key": "zz", "text": "now"}));
    let found = call(&simulator, &mut session, "get", json!({"key": "zz"}));
    assert_eq!(found.content["text"], "now");
}

#[test]
fn a_real_failure_changes_nothing_even_if_the_behavior_would() {
    let (simulator, mut session) = open();
    let before = session.state().to_json();
    observe(&simulator, &mut session, "put", json!({"key": "a", "text": "x"}), json!("quota exceeded"), true);
    assert_eq!((session.state().to_json(), session.version()), (before, 0));
}

#[test]
fn rows_of_a_real_list_bring_their_records_up_to_date() {
    let (simulator, mut session) = open();
    for key in ["a", "b", "c"] {
        call(&simulator, &mut session, "put", json!({"key": key, "text": "old"}));
    }
    let rows = json!({"rows": [{"key": "c", "text": "new c"}, {"key": "a", "text": "new a"}, {"key": "x", "text": "?"}], "total": 4});
    observe(&simulator, &mut session, "all", json!({}), rows, false);
    let notes = session.state().to_json()["notes"].clone();
    assert_eq!(
        [&notes["a"]["text"], &notes["b"]["text"], &notes["c"]["text"]],
        [&json!("new a"), &json!("old"), &json!("new c")]
    );
    assert_eq!(notes.as_object().unwrap().len(), 3, "no record is made of what is only mentioned");
}

#[test]
fn odd_outcomes_are_recorded_and_do_no_harm() {
    let (simulator, mut session) = open();
    call(&simulator, &mut session, "put", json!({"key": "a", "text": "x"}));
    let before = session.state().to_json();
    let deep = (0..100).fold(json!({"key": "a", "text": "deep"}), |inner, _| json!([inner]));
    for (tool, args, content) in [
        ("get", json!({"key": "a"}), json!(null)),
        ("get", json!({"key": "a"}), json!("text")),
        ("get", json!({"key": "a"}), deep),
        ("nothing", json!({}), json!({"key": "a", "text": "from a tool nobody knows"})),
        ("get", json!("not even an object"), json!([])),
    ] {
        let reply = observe(&simulator, &mut session, tool, args, content.clone(), false);
        assert_eq!(reply.content, content);
        assert_eq!(session.state().to_json(), before);
    }
    assert_eq!(session.turns(), 6);
    let again = Session::from_json(&session.to_json()).unwrap();
    assert_eq!(again.to_json(), session.to_json());
}
