//! Nothing that an agent is told depends on the goal.

mod support;

use gtm_env::{Answer, CallPattern, Check, EndState, Environment, EnvironmentFile, Goal, RewardKind, Task};
use gtm_sim::{Call, Reply, Simulator, Toolset};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use support::file;

/// The crates that a crate of the workspace depends on, itself among them.
fn reaches(name: &str) -> Vec<String> {
    let mut found = vec![name.to_owned()];
    let mut at = 0;
    while at < found.len() {
        let manifest = file(&format!("crates/{}/Cargo.toml", found[at]));
        let text = std::fs::read_to_string(&manifest).expect("a manifest");
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default();
        let own = dependencies.split("\n[").next().unwrap_or_default().lines();
        for line in own.filter(|line| line.starts_with("gtm-")) {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
            if !found.contains(&dependency) {
                found.push(dependency);
            }
        }
        at += 1;
    }
    found
}

/// The simulator cannot name a goal's type, let alone hold one.
#[test]
fn the_simulator_does_not_know_of_environments() {
    let below = reaches("gtm-sim");
    assert!(below.contains(&"gtm-world".to_owned()), "{below:?}");
    assert!(!below.contains(&"gtm-env".to_owned()), "{below:?}");
}

/// What a session is opened with has no member for a goal, and nothing of the goal in the others.
#[test]
fn an_opening_holds_nothing_of_the_goal() {
    let secret = "a-word-that-is-only-in-the-goal";
    let check = Check { that: Some(format!("flights.LX318.note == '{secret}'")), ..Check::default() };
    let goal = Goal { checks: vec![check], ..Goal::default() };
    let task = Task { instruction: "do it".into(), goal, seed: Some(4), ..Task::default() };
    let environment = environment(task);
    let task = environment.tasks().next().expect("one task");
    assert!(!format!("{:?}", task.opening()).contains(secret));
    let session = task.simulator().open(task.opening()).expect("it opens");
    assert!(!format!("{session:?}").contains(secret));
    // The score does tell, and it is not for agents.
    assert!(format!("{:?}", task.score(&session, None)).contains(secret));
}

fn flights() -> Arc<Simulator> {
    static FLIGHTS: OnceLock<Arc<Simulator>> = OnceLock::new();
    FLIGHTS
        .get_or_init(|| {
            let toolset = Toolset::load(Path::new(&file("examples/flights.yaml"))).expect("the example");
            Arc::new(Simulator::new(toolset).expect("it compiles"))
        })
        .clone()
}

fn environment(task: Task) -> Environment {
    let toolsets = vec![("flights".to_owned(), flights())];
    Environment::new(&EnvironmentFile::default(), "test", toolsets, vec![(task, 0)]).expect("a valid task")
}

/// Calls that succeed, fail, change and read.
fn call() -> impl Strategy<Value = Call> {
    let flight = prop_oneof![Just("LX2084"), Just("TP933"), Just("LX318"), Just("BA709"), Just("NONE")];
    (0..7usize, flight, 1..4usize, any::<bool>()).prop_map(|(tool, flight, people, member)| {
        let passengers: Vec<String> = (0..people).map(|n| format!("P{n}")).collect();
        match tool {
            0 => Call::new("search_flights", json!({"from": "ZRH"})),
            1 => Call::new("get_flight", json!({"flight_id": flight})),
            2 if member => Call::new(
                "book_flight",
                json!({"flight_id": flight, "passengers": passengers, "member": "M100"}),
            ),
            2 | 3 => Call::new("book_flight", json!({"flight_id": flight, "passengers": passengers})),
            4 => Call::new("get_member", json!({"member": "M100"})),
            5 => Call::new("cancel_booking", json!({"booking_id": "BK-000001"})),
            _ => Call::new("no_such_tool", json!({"x": 1})),
        }
    })
}

/// Goals of every kind.
fn goal() -> impl Strategy<Value = Goal> {
    let check = prop_oneof![
        (0..60i64)
            .prop_map(|n| Check { that: Some(format!("flights.LX318.seats == {n}")), ..Check::default() }),
        (0..60i64).prop_map(|n| Check {
            at: Some("/flights/TP933/seats".into()),
            is: n.into(),
            ..Check::default()
        }),
        proptest::collection::vec(call(), 0..3).prop_map(|calls| {
            let calls = calls.into_iter().filter(|call| call.tool != "no_such_tool").collect();
            let after =
                EndState { calls, replies: true, any_id: vec!["/bookings".into()], ..EndState::default() };
            Check { after: Some(after), ..Check::default() }
        }),
        any::<bool>().prop_map(|wanted| {
            let pattern = Some(CallPattern { tool: "book_flight".into(), ..CallPattern::default() });
            match wanted {
                true => Check { called: pattern, ..Check::default() },
                false => Check { not_called: pattern, ..Check::default() },
            }
        }),
        "[a-z]{1,8}".prop_map(|text| {
            Check { answer: Some(Answer { equals: Some(text), ..Answer::default() }), ..Check::default() }
        }),
    ];
    (proptest::collection::vec(check, 0..4), any::<bool>()).prop_map(|(checks, shaped)| {
        let reward = Some(if shaped { RewardKind::Shaped } else { RewardKind::Sparse });
        Goal { reward, checks, ends: None }
    })
}

/// What an agent gets to see of calls, as bytes, with the reward worked out after each of them.
fn seen(goal: Goal, calls: &[Call]) -> Vec<u8> {
    let task = Task { instruction: "do it".into(), goal, ..Task::default() };
    let environment = environment(task);
    let task = environment.tasks().next().expect("one task");
    let mut session = task.simulator().open(task.opening()).expect("it opens");
    let mut episode = task.attempt();
    let mut bytes = Vec::new();
    for call in calls {
        let reply: Reply = task.simulator().call(&mut session, call);
        episode.step(&session);
        serde_json::to_writer(&mut bytes, &reply).expect("JSON");
    }
    let state: Value = session.state().to_json();
    serde_json::to_writer(&mut bytes, &state).expect("JSON");
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn replies_are_the_same_whatever_the_goal(
        one in goal(),
        other in goal(),
        calls in proptest::collection::vec(call(), 1..12),
    ) {
        prop_assert_eq!(seen(one, &calls), seen(other, &calls));
    }

    /// All steps of an attempt together are worth its score.
    #[test]
    fn steps_add_up_to_the_score(goal in goal(), calls in proptest::collection::vec(call(), 1..8)) {
        let task = Task { instruction: "do it".into(), goal, ..Task::default() };
        let environment = environment(task);
        let task = environment.tasks().next().expect("one task");
        let mut session = task.simulator().open(task.opening()).expect("it opens");
        let mut episode = task.attempt();
        let mut sum = 0.0;
        for call in &calls {
            task.simulator().call(&mut session, call);
            sum += episode.step(&session).reward.unwrap_or(0.0);
        }
        let score = episode.score(&session).map_or(0.0, |score| score.reward);
        prop_assert!((sum - score).abs() < 1e-9, "{} {}", sum, score);
        prop_assert!((0.0..=1.0).contains(&score));
    }
}
