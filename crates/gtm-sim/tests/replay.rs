//! Recordings named by a toolset: the same call in the same known state has the recorded answer.

mod common;

use common::NOTES;
use gtm_error::Code;
use gtm_sim::recording::{Journal, JournalSession, RecordedCall, RecordedTurn, Recording};
use gtm_sim::{Call, Observed, Reply, Rung, Session, SessionOptions, Simulator, Toolset};
use serde_json::{Value as Json, json};
use std::path::Path;

fn turn(tool: &str, arguments: Json, response: Json, is_error: bool) -> RecordedTurn {
    let call = RecordedCall { name: tool.into(), arguments };
    RecordedTurn { call, response, is_error, ..RecordedTurn::default() }
}

/// A session of the real note keeper: a note is added, looked at, dropped, and missed.
fn recorded() -> Recording {
    let note = json!({"key": "n-real", "text": "hello", "at": "2026-01-01T00:00:00Z", "owner": "ada"});
    Recording {
        session_id: "a".into(),
        turns: vec![
            turn("all", json!({}), json!({"rows": [], "total": 0, "page": 1}), false),
            turn("add", json!({"text": "hello"}), note.clone(), false),
            turn("get", json!({"key": "n-real"}), note.clone(), false),
            turn("get", json!({"key": 7}), json!("key must be text"), true),
            turn("drop", json!({"key": "n-real"}), json!({"dropped": "n-real"}), false),
            turn("get", json!({"key": "n-real"}), json!({"oops": "no such note"}), true),
        ],
        ..Recording::default()
    }
}

fn simulator(recordings: Vec<Recording>) -> Simulator {
    let mut toolset = Toolset::parse(NOTES, Path::new("")).unwrap();
    toolset.recordings = recordings;
    Simulator::new(toolset).unwrap()
}

fn open(simulator: &Simulator) -> Session {
    simulator.open(SessionOptions::default()).unwrap()
}

fn call(simulator: &Simulator, session: &mut Session, tool: &str, args: Json) -> Reply {
    simulator.call(session, &Call::new(tool, args))
}

#[test]
fn a_recorded_session_happens_again_as_it_was() {
    let simulator = simulator(vec![recorded()]);
    let mut session = open(&simulator);
    for turn in recorded().turns {
        let reply = call(&simulator, &mut session, &turn.call.name, turn.call.arguments);
        assert_eq!((reply.content, reply.is_error), (turn.response, turn.is_error), "{}", turn.call.name);
        assert_eq!(reply.provenance.rung, Rung::Replay);
    }
}

#[test]
fn reads_may_come_in_another_order_or_not_at_all() {
    let simulator = simulator(vec![recorded()]);
    let mut session = open(&simulator);
    let added = call(&simulator, &mut session, "add", json!({"text": "hello"}));
    assert_eq!((added.provenance.rung, &added.content["owner"]), (Rung::Replay, &json!("ada")));
    for _ in 0..2 {
        let wrong = call(&simulator, &mut session, "get", json!({"key": 7}));
        assert_eq!((wrong.content, wrong.is_error), (json!("key must be text"), true));
        let read = call(&simulator, &mut session, "get", json!({"key": "n-real"}));
        assert_eq!((read.provenance.rung, &read.content["owner"]), (Rung::Replay, &json!("ada")));
    }
}

#[test]
fn what_is_simulated_agrees_with_what_was_replayed() {
    let simulator = simulator(vec![recorded()]);
    let mut session = open(&simulator);
    call(&simulator, &mut session, "add", json!({"text": "hello"}));
    // Nobody recorded this list after the note was added, so it is simulated: with the real note.
    let listed = call(&simulator, &mut session, "all", json!({}));
    assert_eq!(listed.provenance.rung, Rung::User);
    assert_eq!((&listed.content["total"], &listed.content["rows"][0]["key"]), (&json!(1), &json!("n-real")));
}

#[test]
fn another_state_is_not_taken_for_the_recorded_one() {
    let simulator = simulator(vec![recorded()]);
    let mut session = open(&simulator);
    call(&simulator, &mut session, "put", json!({"key": "mine", "text": "x"}));
    let listed = call(&simulator, &mut session, "all", json!({}));
    assert_eq!((listed.provenance.rung, &listed.content["total"]), (Rung::User, &json!(1)));
    let missing = call(&simulator, &mut session, "get", json!({"key": "n-real"}));
    assert_eq!((missing.provenance.rung, missing.is_error), (Rung::User, true));

    // A session that starts elsewhere is in another state from the beginning.
    let state = json!({"notes": {"b": {"key": "b", "text": "other"}}});
    let mut other =
        simulator.open(SessionOptions { state: Some(state.clone()), ..Default::default() }).unwrap();
    assert_eq!(call(&simulator, &mut other, "all", json!({})).provenance.rung, Rung::User);

    // Unless that is where the recording started.
    let elsewhere = self::simulator(vec![Recording { initial_state: Some(state.clone()), ..recorded() }]);
    let mut same = elsewhere.open(SessionOptions { state: Some(state), ..Default::default() }).unwrap();
    assert_eq!(call(&elsewhere, &mut same, "all", json!({})).provenance.rung, Rung::Replay);
    assert_eq!(call(&elsewhere, &mut open(&elsewhere), "all", json!({})).provenance.rung, Rung::User);
}

#[test]
fn forks_rollbacks_and_stored_sessions_know_their_state() {
    let simulator = simulator(vec![recorded()]);
    let mut session = open(&simulator);
    call(&simulator, &mut session, "add", json!({"text": "hello"}));
    let mut stored = Session::from_json(&session.to_json()).unwrap();
    let mut fork = session.fork();
    call(&simulator, &mut fork, "put", json!({"key": "mine", "text": "x"}));
    let get =
        |session: &mut Session| call(&simulator, session, "get", json!({"key": "n-real"})).provenance.rung;
    assert_eq!(
        (get(&mut session), get(&mut stored), get(&mut fork)),
        (Rung::Replay, Rung::Replay, Rung::User)
    );
    fork.rollback(&1.into()).unwrap();
    assert_eq!(get(&mut fork), Rung::Replay);
    fork.rollback(&0.into()).unwrap();
    assert_eq!(call(&simulator, &mut fork, "all", json!({})).provenance.rung, Rung::Replay);
    session.reset();
    assert_eq!(call(&simulator, &mut session, "all", json!({})).provenance.rung, Rung::Replay);
}

#[test]
fn a_real_outcome_that_is_fed_in_leads_into_the_recording() {
    let simulator = simulator(vec![recorded()]);
    let mut session = open(&simulator);
    let note = recorded().turns[1].response.clone();
    let observed = Observed { content: note, is_error: false };
    simulator.observe(&mut session, &Call::new("add", json!({"text": "hello"})), observed).unwrap();
    let dropped = call(&simulator, &mut session, "drop", json!({"key": "n-real"}));
    assert_eq!((dropped.provenance.rung, dropped.content), (Rung::Replay, json!({"dropped": "n-real"})));
}

#[test]
fn of_two_recordings_that_differ_the_first_holds_and_cut_answers_do_not() {
    let mut cut = recorded();
    cut.turns[0].response_truncated = true;
    let other = Recording {
        session_id: "b".into(),
        turns: vec![turn("all", json!({}), json!({"rows": [], "total": 0, "page": 2}), false)],
        ..Recording::default()
    };
    for (recordings, page) in [(vec![recorded(), other.clone()], 1), (vec![cut, other], 2)] {
        let simulator = simulator(recordings);
        let reply = call(&simulator, &mut open(&simulator), "all", json!({}));
        assert_eq!((reply.provenance.rung, &reply.content["page"]), (Rung::Replay, &json!(page)));
    }
}

#[test]
fn arguments_that_were_redacted_are_not_compared() {
    let login = turn("put", json!({"key": "[redacted]", "text": "t"}), json!({"ok": true}), false);
    let simulator = simulator(vec![Recording { turns: vec![login], ..Recording::default() }]);
    let reply = call(&simulator, &mut open(&simulator), "put", json!({"key": "any secret", "text": "t"}));
    assert_eq!((reply.provenance.rung, reply.content), (Rung::Replay, json!({"ok": true})));
    let reply = call(&simulator, &mut open(&simulator), "put", json!({"key": "any secret", "text": "u"}));
    assert_eq!(reply.provenance.rung, Rung::User);
}

#[test]
fn faults_hit_recorded_calls_too() {
    let mut toolset = Toolset::parse(NOTES, Path::new("")).unwrap();
    toolset.recordings = vec![recorded()];
    toolset.faults =
        serde_json::from_value(json!([{"tool": "all", "on": {"nth": 1}, "error": {"kind": "unavailable"}}]))
            .unwrap();
    let simulator = Simulator::new(toolset).unwrap();
    let mut session = open(&simulator);
    assert_eq!(call(&simulator, &mut session, "all", json!({})).provenance.rung, Rung::Fault);
    assert_eq!(call(&simulator, &mut session, "all", json!({})).provenance.rung, Rung::Replay);
}

#[test]
fn a_toolset_file_names_recordings_and_may_take_its_tools_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&folder.path().join("notes.jsonl")).unwrap();
    let mut session = JournalSession::new("notes", "a");
    let tools = Toolset::parse(NOTES, Path::new("")).unwrap().tools;
    session.set_tools(tools.iter().map(|tool| serde_json::to_value(tool).unwrap()).collect());
    for turn in recorded().turns {
        journal.append(&mut session, &turn).unwrap();
    }
    let toolset = Toolset::parse("recordings: [notes.jsonl]", folder.path()).unwrap();
    assert_eq!(toolset.tools.len(), tools.len());
    assert_eq!(toolset.to_file().recordings, ["notes.jsonl"]);
    let simulator = Simulator::new(toolset).unwrap();
    let mut session = open(&simulator);
    for turn in recorded().turns {
        let reply = call(&simulator, &mut session, &turn.call.name, turn.call.arguments);
        assert_eq!(
            (reply.content, reply.provenance.rung),
            (turn.response, Rung::Replay),
            "{}",
            turn.call.name
        );
    }
    let missing = Toolset::parse("recordings: [none.jsonl]", folder.path()).unwrap_err();
    assert_eq!(missing.code(), Code::FileUnreadable);
    std::fs::write(folder.path().join("bad.jsonl"), "{}\n").unwrap();
    let bad = Toolset::parse("recordings: [bad.jsonl]", folder.path()).unwrap_err();
    assert_eq!(bad.code(), Code::SpecSyntax);
    assert!(bad.place().unwrap().contains("line 1"), "{bad}");
}

/// Real sessions of tools that nobody here wrote: each answers again as it did, call by call.
#[test]
fn real_sessions_happen_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let suites = ["api_bank", "acebench_agent", "http_github_logs"];
    let files = suites.map(|suite| folder.join(format!("sessions.{suite}.jsonl.zst")));
    if let Some(missing) = files.iter().find(|file| !file.exists()) {
        println!("skipped: {} is not here", missing.display());
        return;
    }
    for (suite, file) in suites.into_iter().zip(files) {
        let (mut turns, mut same) = (0, 0);
        for recording in gtm_sim::recording::read_recordings(&file).unwrap() {
            let list = serde_json::to_vec(&json!({ "tools": recording.tools })).unwrap();
            let tools = gtm_tool::import(&list, &gtm_tool::Limits::default()).unwrap().tools;
            let mut toolset = Toolset::from_tools(suite, tools);
            toolset.state = recording.initial_state.clone().unwrap_or_else(|| json!({}));
            toolset.recordings = vec![recording.clone()];
            let simulator = Simulator::new(toolset).unwrap();
            let mut session = open(&simulator);
            for (at, turn) in recording.turns.iter().enumerate() {
                let reply = call(&simulator, &mut session, &turn.call.name, turn.call.arguments.clone());
                // A service that others use too may answer the same question anew: the first answer stays.
                let moved = recording.turns[..at]
                    .iter()
                    .any(|before| before.call == turn.call && before.response != turn.response);
                if !turn.response_truncated && !(moved && suite.ends_with("_logs")) {
                    turns += 1;
                    same += usize::from((&reply.content, reply.is_error) == (&turn.response, turn.is_error));
                }
            }
        }
        println!("{suite}: {same} of {turns} replies as they were");
        assert_eq!(same, turns, "{suite}");
    }
}
