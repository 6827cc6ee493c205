//! What is acknowledged is kept: cut files, damaged files, full disks.

mod common;

use common::{Flaky, NOTES, simulator, with_faults};
use gtm_error::Code;
use gtm_sim::{
    Call, CreateSession, ForkSession, Observed, Simulator, SnapshotRef, Storage, Store, StoreConfig, Turn,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

fn store(storage: Arc<dyn Storage>) -> Store {
    static NOTES_WITH_FAULTS: OnceLock<Arc<Simulator>> = OnceLock::new();
    let faults = json!([{"tool": "get", "on": {"every": 3}, "error": {}}]);
    let simulator = NOTES_WITH_FAULTS.get_or_init(|| Arc::new(with_faults(NOTES, faults)));
    let store = Store::with_storage(StoreConfig::default(), Some(storage)).unwrap();
    store.add_toolset("notes", simulator.clone());
    store
}

fn create(id: &str) -> CreateSession {
    CreateSession { id: Some(id.into()), ..CreateSession::default() }
}

/// All that a client can see of a session.
fn view(store: &Store, id: &str) -> (Json, Vec<Turn>, u64, Vec<(String, u64)>) {
    let info = store.info(id).unwrap();
    let snapshots = info.snapshots.into_iter().map(|s| (s.name, s.turn)).collect();
    (store.state(id).unwrap(), store.transcript(id, 0, usize::MAX).unwrap(), info.state_version, snapshots)
}

/// A session with a bit of everything. Gives what was seen after each step.
fn script(store: &Store, id: &str, mut seen: impl FnMut(&Store)) {
    store.create(create(id)).unwrap();
    seen(store);
    let steps: Vec<Box<dyn Fn()>> = vec![
        Box::new(|| drop(store.call(id, &Call::new("put", json!({"key": "a", "text": "1"}))).unwrap())),
        Box::new(|| drop(store.call(id, &Call::new("add", json!({"text": "made"})).with_key("k1")).unwrap())),
        Box::new(|| drop(store.snapshot(id, "early").unwrap())),
        Box::new(|| drop(store.call(id, &Call::new("get", json!({"key": "nothing"}))).unwrap())),
        Box::new(|| drop(store.call(id, &Call::new("roll", json!({}))).unwrap())),
        Box::new(|| {
            let calls =
                [Call::new("put", json!({"key": "b", "text": "ü"})), Call::new("drop", json!({"key": "a"}))];
            store.call_batch(id, &calls).unwrap();
        }),
        Box::new(|| {
            let real = Observed { content: json!({"key": "b", "text": "real", "stars": 5}), is_error: false };
            store.observe(id, &Call::new("get", json!({"key": "b"})), real).unwrap();
        }),
        Box::new(|| drop(store.rollback(id, &SnapshotRef::Turn(4)).unwrap())),
        Box::new(|| drop(store.call(id, &Call::new("put", json!({"key": "c", "text": "after"}))).unwrap())),
        Box::new(|| drop(store.snapshot(id, "late").unwrap())),
        Box::new(|| drop(store.rollback(id, &SnapshotRef::Name("early".into())).unwrap())),
        Box::new(|| drop(store.call(id, &Call::new("get", json!({"key": "a"}))).unwrap())),
    ];
    for step in steps {
        step();
        seen(store);
    }
}

#[test]
fn a_file_cut_at_any_byte_gives_the_session_as_of_its_last_whole_record() {
    let disk = Flaky::failing(usize::MAX / 2, 0);
    let mut views = Vec::new();
    script(&store(disk.clone()), "s", |store| {
        let length = disk.files.lock().unwrap()["s"].len();
        views.push((length, view(store, "s")));
    });
    let whole = disk.files.lock().unwrap()["s"].clone();
    assert_eq!(views.last().unwrap().0, whole.len());
    for cut in 0..=whole.len() {
        let reopened = store(Flaky::holding(BTreeMap::from([("s".into(), whole[..cut].to_vec())])));
        match views.iter().rev().find(|(length, _)| *length <= cut) {
            Some((_, expected)) => assert_eq!(&view(&reopened, "s"), expected, "cut at {cut}"),
            None => assert_eq!(reopened.info("s").unwrap_err().code(), Code::SessionUnknown, "cut at {cut}"),
        }
    }
}

#[test]
fn a_session_read_back_goes_on_as_if_nothing_had_happened() {
    let disk = Flaky::failing(usize::MAX / 2, 0);
    let first = store(disk.clone());
    script(&first, "s", |_| {});
    let copy = disk.files.lock().unwrap().clone();
    let second = store(Flaky::holding(copy));
    for store in [&first, &second] {
        store.rollback("s", &SnapshotRef::Name("late".into())).unwrap();
    }
    let calls = [
        Call::new("add", json!({"text": "another"})),
        Call::new("add", json!({"text": "made"})).with_key("k1"),
        Call::new("get", json!({"key": "c"})),
        Call::new("get", json!({"key": "c"})),
        Call::new("get", json!({"key": "c"})),
        Call::new("roll", json!({})),
        Call::new("all", json!({})),
    ];
    for call in &calls {
        assert_eq!(first.call("s", call).unwrap(), second.call("s", call).unwrap());
    }
    assert_eq!(view(&first, "s"), view(&second, "s"));
    for store in [&first, &second] {
        store.reset("s").unwrap();
    }
    assert_eq!(view(&first, "s"), view(&second, "s"));
    let conflict = second.create(CreateSession { seed: Some(9), ..create("s") }).unwrap_err();
    assert_eq!(conflict.code(), Code::SessionExists);
    assert!(second.create(create("s")).is_ok(), "the same options give the same session");
}

#[test]
fn any_flipped_bit_is_reported_with_the_file_and_harms_no_other_session() {
    let disk = Flaky::failing(usize::MAX / 2, 0);
    let first = store(disk.clone());
    script(&first, "s", |_| {});
    script(&first, "t", |_| {});
    let expected = view(&first, "t");
    let files = disk.files.lock().unwrap().clone();
    let whole = &files["s"];
    // Every byte, one bit of it, another one for each byte.
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        let reopened =
            store(Flaky::holding(BTreeMap::from([("s".into(), flipped), ("t".into(), files["t"].clone())])));
        let error = reopened.call("s", &Call::new("all", json!({}))).unwrap_err();
        assert_eq!(error.code(), Code::StorageCorrupt, "byte {at}: {error}");
        assert!(error.place().unwrap().contains("memory/s"), "{error}");
        if at % 50 == 0 {
            assert_eq!(view(&reopened, "t"), expected);
            reopened.delete("s").unwrap();
            assert!(reopened.create(create("s")).is_ok(), "a damaged session can be dropped");
        }
    }
}

#[test]
fn a_write_that_fails_means_that_nothing_happened() {
    let calls: Vec<Call> = (0..6).map(|n| Call::new("add", json!({"text": format!("note {n}")}))).collect();
    for broken in 0..8 {
        for count in [1, 2, 100] {
            let disk = Flaky::failing(broken, count);
            let flaky = store(disk.clone());
            let sound = store(Flaky::failing(usize::MAX / 2, 0));
            sound.create(create("s")).unwrap();
            let mut acknowledged = Vec::new();
            if flaky.create(create("s")).is_err() {
                assert_eq!(flaky.info("s").unwrap_err().code(), Code::SessionUnknown);
                if flaky.create(create("s")).is_err() {
                    continue;
                }
            }
            for call in &calls {
                let before = view(&flaky, "s");
                match flaky.call("s", call) {
                    Ok(reply) => {
                        assert_eq!(reply, sound.call("s", call).unwrap(), "as if no write had failed");
                        acknowledged.push(reply);
                    }
                    Err(error) => {
                        assert_eq!(error.code(), Code::StorageFailed);
                        assert_eq!(view(&flaky, "s"), before, "reads go on, and see no part of it");
                    }
                }
            }
            let left = disk.files.lock().unwrap().clone();
            let reopened = store(Flaky::holding(left));
            let kept: Vec<_> =
                reopened.transcript("s", 0, 99).unwrap().into_iter().map(|t| t.reply).collect();
            assert_eq!(kept, acknowledged, "write {broken}, {count} failures");
        }
    }
}

#[test]
fn long_files_are_rewritten_and_stay_right() {
    let disk = Flaky::failing(usize::MAX / 2, 0);
    let first = store(disk.clone());
    first.create(create("s")).unwrap();
    let text = "x".repeat(50_000);
    for n in 0..100 {
        first.call("s", &Call::new("put", json!({"key": "same", "text": format!("{text}{n}")}))).unwrap();
        first.rollback("s", &SnapshotRef::Turn(u64::from(n % 2 == 1))).unwrap();
    }
    let length = disk.files.lock().unwrap()["s"].len();
    assert!(length < 3 << 20, "10 MB were written, {length} bytes are kept");
    let copy = disk.files.lock().unwrap().clone();
    assert_eq!(view(&store(Flaky::holding(copy)), "s"), view(&first, "s"));
}

#[test]
fn forks_have_files_of_their_own() {
    let disk = Flaky::failing(usize::MAX / 2, 0);
    let first = store(disk.clone());
    script(&first, "s", |_| {});
    let request =
        ForkSession { ids: vec!["f1".into(), "f2".into()], seeds: vec![1, 2], ..ForkSession::default() };
    first.fork("s", &request).unwrap();
    first.delete("s").unwrap();
    for id in ["f1", "f2"] {
        first.call(id, &Call::new("add", json!({"text": id}))).unwrap();
    }
    let copy = disk.files.lock().unwrap().clone();
    let second = store(Flaky::holding(copy));
    for id in ["f1", "f2"] {
        assert_eq!(view(&second, id), view(&first, id));
    }
    assert_eq!(second.info("s").unwrap_err().code(), Code::SessionUnknown);
    assert_ne!(view(&second, "f1").0, view(&second, "f2").0, "seeds tell forks apart");
}

#[test]
fn a_session_survives_a_change_of_its_toolset() {
    let disk = Flaky::failing(usize::MAX / 2, 0);
    let first = store(disk.clone());
    script(&first, "s", |_| {});
    let expected = view(&first, "s");
    let copy = disk.files.lock().unwrap().clone();
    let second = Store::with_storage(StoreConfig::default(), Some(Flaky::holding(copy))).unwrap();
    assert_eq!(second.info("s").unwrap_err().code(), Code::ToolsetUnknown, "not served yet");
    second.add_toolset("notes", Arc::new(simulator(&NOTES.replace("reply: note", "reply: {note: note}"))));
    assert_eq!(view(&second, "s"), expected);
    assert_eq!(
        second.call("s", &Call::new("get", json!({"key": "a"}))).unwrap().content["note"]["text"],
        "1"
    );
}
