//! What is refused: no more than the recordings are evidence for.

use gtm_learn::{Learned, learn};
use gtm_sim::recording::Recording;
use gtm_sim::{Call, Reply, SessionOptions, Simulator, Toolset};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// A tool whose arguments are all required texts.
fn tool(name: &str, arguments: &[&str]) -> Json {
    let properties: serde_json::Map<String, Json> =
        arguments.iter().map(|a| ((*a).to_owned(), json!({"type": "string"}))).collect();
    json!({"name": name, "description": "", "parameters":
        {"type": "object", "properties": properties, "required": arguments}})
}

/// A session of its own group: state, and calls with what was answered; texts that begin so are errors.
fn session(number: usize, tools: &[Json], state: Json, calls: &[(&str, Json, Json)]) -> Recording {
    let turn = |(tool, arguments, response): &(&str, Json, Json)| {
        let is_error = response.as_str().is_some_and(|text| text.starts_with("Error"));
        json!({"call": {"name": tool, "arguments": arguments}, "response": response, "is_error": is_error})
    };
    let turns: Vec<Json> = calls.iter().map(turn).collect();
    let line = json!({"session_id": format!("s{number}"), "group": format!("g{number}"), "tools": tools,
                      "initial_state": state, "turns": turns});
    serde_json::from_value(line).expect("a session")
}

fn learned(sessions: &[Recording]) -> Learned {
    learn(sessions, &Arc::default())
}

fn answer(learned: &Learned, tools: &[Json], state: Json, name: &str, arguments: Json) -> Reply {
    let text = json!(tools).to_string();
    let specs = gtm_tool::import(text.as_bytes(), &gtm_tool::Limits::default()).expect("imported").tools;
    let toolset = Toolset { learned: learned.behaviors.clone(), ..Toolset::from_tools("t", specs) };
    let simulator = Simulator::new(toolset.with_state(state)).expect("what was learned compiles");
    let mut session = simulator.open(SessionOptions::default()).expect("a session");
    simulator.call(&mut session, &Call::new(name, arguments))
}

#[test]
fn of_two_lookups_that_explain_the_same_errors_neither_refuses_alone() {
    let tools = [tool("pay", &["order", "method"])];
    let state = |n: usize, more: &str| {
        json!({"orders": {format!("o{n}1"): {"user": format!("u{n}1"), "used": {format!("card_{n}1"): {"amount": 5}}},
                          format!("o{n}2"): {"user": format!("u{n}2"), "used": {format!("card_{n}2"): {"amount": 7}}}},
               "users": {format!("u{n}1"): {"name": "A", "methods": {format!("card_{n}1"): {"kind": "c"}, more: {"kind": "g"}}},
                         format!("u{n}2"): {"name": "B", "methods": {format!("card_{n}2"): {"kind": "c"}}}}})
    };
    let sessions: Vec<Recording> = (1..5)
        .map(|n| {
            let pay = |method: &str| json!({"order": format!("o{n}1"), "method": method});
            let calls = [
                ("pay", pay(&format!("card_{n}1")), json!("paid")),
                ("pay", pay(&format!("card_{n}9")), json!("Error: payment method not found")),
            ];
            session(n, &tools, state(n, &format!("gift_{n}")), &calls)
        })
        .collect();
    let learned = learned(&sessions);
    let call = |method: &str| {
        answer(&learned, &tools, state(7, "gift_7"), "pay", json!({"order": "o71", "method": method}))
    };
    assert!(call("card_79").is_error, "nowhere known");
    assert!(!call("card_71").is_error, "known in both places");
    // No recording tells whether the order or the user has to know it.
    assert!(!call("gift_7").is_error, "known in one place");
}

#[test]
fn values_that_were_seen_in_one_group_decide_nothing() {
    let tools = [tool("look_up", &["code"])];
    let look_up = |code: &str, reply: &str| ("look_up", json!({"code": code}), json!(reply));
    let failed = "Error: code not known";
    let sessions = [
        session(
            1,
            &tools,
            json!({}),
            &[look_up("A-1", "one"), look_up("A-1", "one"), look_up("Z-9", failed)],
        ),
        session(2, &tools, json!({}), &[look_up("B-2", "two"), look_up("Z-9", failed)]),
        session(3, &tools, json!({}), &[look_up("C-3", "three"), look_up("Y-8", failed)]),
    ];
    let learned = learned(&sessions);
    let is_error =
        |code: &str| answer(&learned, &tools, json!({}), "look_up", json!({"code": code})).is_error;
    assert!(is_error("Z-9"), "refused in two groups");
    assert!(!is_error("A-1") && !is_error("D-4"), "nothing is known against them");
}

#[test]
fn what_is_done_with_arguments_of_a_wrong_type_is_learned_from_other_tools() {
    let tools = [tool("say", &["text"]), tool("tell", &["text"])];
    let calls = [("say", json!({"text": "a"}), json!("said")), ("say", json!({"text": 5}), json!("said"))];
    let lenient = learned(&[session(1, &tools, json!({}), &calls)]);
    assert!(!answer(&lenient, &tools, json!({}), "tell", json!({"text": 5})).is_error);
    let calls = [
        ("say", json!({"text": "a"}), json!("said")),
        ("say", json!({"text": 5}), json!("Error: text expected")),
    ];
    let strict = learned(&[session(1, &tools, json!({}), &calls)]);
    assert!(answer(&strict, &tools, json!({}), "tell", json!({"text": 5})).is_error);
}
