//! What sessions cost in memory, as the system sees it.

mod common;

use common::{NOTES, simulator};
use gtm_error::Code;
use gtm_sim::{Call, CreateSession, ForkSession, Store, StoreConfig};
use serde_json::json;
use std::sync::{Arc, Mutex};
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

/// Resident memory in bytes, where the system tells.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4_096)
}

/// One test at a time: memory is the process's.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn a_hundred_thousand_forks_of_a_large_state_fit() {
    let _alone = ALONE.lock();
    let notes: serde_json::Map<_, _> = (0..10_000)
        .map(|n| (format!("k{n}"), json!({"key": format!("k{n}"), "text": "x".repeat(90)})))
        .collect();
    let state = json!({"notes": notes});
    assert!(state.to_string().len() > 1 << 20);
    let store = store(100_001);
    store.create(CreateSession { state: Some(state), ..named("s") }).unwrap();
    let Some(before) = resident() else {
        return println!("skipped: the system does not tell the memory in use");
    };
    let forks = store.fork("s", &ForkSession::count(100_000)).unwrap();
    let names: Vec<String> = forks.into_iter().map(|info| info.id).collect();
    let each = resident().unwrap().saturating_sub(before) / names.len();
    println!("{each} bytes for each fork, its id twice included");
    assert!(each < 1_024, "{each} bytes");
    store.call(&names[77], &Call::new("drop", json!({"key": "k5"}))).unwrap();
    assert_eq!(store.call(&names[78], &Call::new("get", json!({"key": "k5"}))).unwrap().content["key"], "k5");
}

#[test]
fn memory_of_expired_sessions_is_given_back() {
    let _alone = ALONE.lock();
    let store = store(10_000);
    let mut peaks = Vec::new();
    for round in 0..4 {
        for n in 0..1_000 {
            let id = format!("r{round}-{n}");
            store.create(named(&id)).unwrap();
            for step in 0..50 {
                store.call(&id, &put(&format!("k{}", step % 20))).unwrap();
            }
        }
        peaks.push(resident().unwrap_or_default());
        assert_eq!(store.sweep(Instant::now() + Duration::from_secs(1_000)), 1_000);
        assert_eq!(store.call(&format!("r{round}-7"), &put("a")).unwrap_err().code(), Code::SessionExpired);
    }
    println!("resident after each round of 1,000 sessions and 50,000 calls: {peaks:?}");
    assert!(peaks[3] < peaks[0] + peaks[0] / 4, "{peaks:?}");
}
