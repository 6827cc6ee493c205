//! `kill -9` at any moment: no acknowledged call is lost, and every session comes back whole.

mod common;

use common::{NOTES, simulator};
use gtm_sim::{Call, CreateSession, Reply, SessionOptions, Simulator, Store, StoreConfig};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const FOLDER: &str = "GTM_CRASH_TEST_FOLDER";
const ROUNDS: usize = 50;
const SESSIONS: usize = 4;

fn open(folder: &Path, simulator: &Arc<Simulator>) -> Store {
    let config = StoreConfig { data: Some(folder.to_owned()), fsync: true, ..StoreConfig::default() };
    let store = Store::new(config).unwrap();
    store.add_toolset("notes", simulator.clone());
    for n in 0..SESSIONS {
        store.ensure(CreateSession { id: Some(format!("s{n}")), ..CreateSession::default() }).unwrap();
    }
    store
}

/// The n-th call of a session.
fn nth(n: usize) -> Call {
    match n % 5 {
        0 => Call::new("add", json!({"text": format!("note {n}")})),
        1 => Call::new("put", json!({"key": format!("k{}", n % 7), "text": n.to_string()})),
        2 => Call::new("get", json!({"key": format!("k{}", n % 7)})),
        3 => Call::new("drop", json!({"key": format!("k{}", n % 3)})),
        _ => Call::new("all", json!({"limit": 3})),
    }
}

/// Not a test by itself: what the process to be killed does. It calls in four threads and prints
/// each reply once it has it.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&folder), &Arc::new(simulator(NOTES)));
    println!("ready");
    std::thread::scope(|scope| {
        for session in 0..SESSIONS {
            let store = &store;
            scope.spawn(move || {
                let id = format!("s{session}");
                loop {
                    let turn = store.info(&id).unwrap().turns;
                    let reply = store.call(&id, &nth(turn)).unwrap();
                    let line = format!("ack {id} {turn} {}\n", serde_json::to_string(&reply).unwrap());
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

#[test]
fn no_acknowledged_call_is_lost_by_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Arc::new(simulator(NOTES));
    let mut acknowledged: BTreeMap<String, BTreeMap<usize, Reply>> = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.ends_with("ready")), "the child did not start");
        let mut take = |line: &str| {
            // The last line may be cut off by the kill: that reply did not arrive.
            let mut parts = line.splitn(4, ' ').skip(1);
            let (Some(id), Some(turn), Some(json)) = (parts.next(), parts.next(), parts.next()) else {
                return;
            };
            let (Ok(turn), Ok(reply)) = (turn.parse(), serde_json::from_str(json)) else { return };
            acknowledged.entry(id.to_owned()).or_default().insert(turn, reply);
        };
        lines.by_ref().take(round * 7 % 23).for_each(|line| take(&line));
        // Another moment each round: in the middle of calculating, writing, syncing, printing.
        std::thread::sleep(Duration::from_micros(round as u64 * 137 % 3_000));
        child.kill().unwrap();
        lines.for_each(|line| take(&line));
        child.wait().unwrap();

        let store = open(folder.path(), &simulator);
        for n in 0..SESSIONS {
            let id = format!("s{n}");
            let turns = store.transcript(&id, 0, usize::MAX).unwrap();
            let known = acknowledged.entry(id.clone()).or_default();
            for (turn, reply) in known.iter() {
                let kept =
                    turns.get(*turn).unwrap_or_else(|| panic!("round {round}: turn {turn} of {id} is lost"));
                assert_eq!((&kept.call, &kept.reply), (&nth(*turn), reply));
            }
            // A call that was stored but not answered may be there: one at most.
            assert!(
                turns.len() <= known.len() + 1,
                "round {round}: {} turns, {} known",
                turns.len(),
                known.len()
            );
            known.extend(turns.into_iter().map(|turn| (turn.turn as usize, turn.reply)));
        }
    }
    let store = open(folder.path(), &simulator);
    for (id, known) in &acknowledged {
        assert!(known.len() > ROUNDS, "{id} has only {} turns", known.len());
        let mut session = simulator.open(SessionOptions::default()).unwrap();
        for (turn, reply) in known {
            assert_eq!(&simulator.call(&mut session, &nth(*turn)), reply, "{id} turn {turn}");
        }
        assert_eq!(
            store.session(id).unwrap().to_json(),
            session.to_json(),
            "{id} is as if it had never been killed"
        );
    }
}
