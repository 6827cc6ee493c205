//! `gtm call`: replies, errors, arguments, and sessions carried in a file.

use crate::common::{file, folder, petstore, run, run_with};
use serde_json::{Value, json};

#[test]
fn one_call_gives_a_reply_and_says_where_it_came_from() {
    let reply =
        run(&["call", &petstore(), "createPet", r#"{"name":"Rex","category":"dog"}"#, "--json"]).json();
    let keys: Vec<&str> = reply.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["content", "is_error", "error", "provenance", "state_version"]);
    assert_eq!(reply["content"]["name"], "Rex");
    assert_eq!(reply["is_error"], false);
    assert_eq!(reply["error"], Value::Null);
    assert_eq!(reply["provenance"]["rung"], "rules");
    assert_eq!(reply["state_version"], 1);
}

#[test]
fn plain_output_is_the_reply_and_notes_go_to_standard_error() {
    let ran = run(&["call", &petstore(), "createPet", r#"{"name":"Rex","category":"dog"}"#]);
    assert_eq!(ran.code, Some(0));
    let reply: Value = serde_json::from_str(&ran.out).expect("the reply alone");
    assert_eq!(reply["name"], "Rex");
    assert!(
        ran.err.contains("status 201") && ran.err.contains("by rules") && ran.err.contains("state 1"),
        "{}",
        ran.err
    );
    assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "no colours without a terminal");
}

#[test]
fn a_session_file_carries_state_from_call_to_call() {
    let folder = folder();
    let session = folder.path().join("s.json");
    let call = |tool: &str, arguments: &str| {
        run(&["call", &petstore(), tool, arguments, "--session", &session.to_string_lossy(), "--json"]).json()
    };
    let created = call("createPet", r#"{"name":"Rex","category":"dog","price":250}"#);
    let id = created["content"]["id"].as_i64().expect("an id");
    let by_id = json!({ "petId": id }).to_string();
    assert_eq!(call("getPet", &by_id)["content"], created["content"]);
    let updated = call("updatePet", &json!({"petId": id, "status": "sold"}).to_string());
    assert_eq!(updated["content"]["status"], "sold");
    assert_eq!(updated["content"]["price"], created["content"]["price"]);
    assert_eq!(call("deletePet", &by_id)["is_error"], false);
    let gone = call("getPet", &by_id);
    assert_eq!(gone["is_error"], true);
    assert_eq!(gone["error"]["kind"], "not_found");
    assert_eq!(gone["state_version"], 3);
}

#[test]
fn concurrent_calls_on_one_session_file_all_take_effect() {
    let folder = folder();
    let session = folder.path().join("s.json").to_string_lossy().into_owned();
    let threads: Vec<_> = (0..6)
        .map(|n| {
            let session = session.clone();
            std::thread::spawn(move || {
                let arguments = json!({"name": format!("pet {n}"), "category": "cat"}).to_string();
                run(&["call", &petstore(), "createPet", &arguments, "--session", &session, "--json"]).json()
            })
        })
        .collect();
    let mut versions: Vec<u64> =
        threads.into_iter().filter_map(|t| t.join().expect("no panic")["state_version"].as_u64()).collect();
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let list = |seed: &str| run(&["call", &petstore(), "listPets", "--seed", seed, "--json"]).out;
    assert_eq!(list("7"), list("7"));
    assert_ne!(list("7"), list("8"));
}

#[test]
fn a_stored_session_keeps_its_seed() {
    let folder = folder();
    let session = folder.path().join("s.json").to_string_lossy().into_owned();
    let call =
        |seed: &str| run(&["call", &petstore(), "listPets", "{}", "--seed", seed, "--session", &session]);
    assert_eq!(call("7").code, Some(0));
    assert_eq!(call("7").code, Some(0));
    call("8").refused(2, "GTM0601");
}

#[test]
fn a_file_that_is_no_session_is_left_alone() {
    let folder = folder();
    let notes = file(&folder, "notes.json", "{\"mine\": true}");
    run(&["call", &petstore(), "listPets", "--session", &notes]).refused(3, "GTM0502");
    assert_eq!(std::fs::read_to_string(notes).expect("still there"), "{\"mine\": true}");
}

#[test]
fn a_simulated_failure_is_a_reply() {
    let ran = run(&[
        "call",
        &petstore(),
        "createPet",
        r#"{"name":"Rex","category":"dog","price":"much"}"#,
        "--json",
    ]);
    let reply = ran.json();
    assert_eq!(reply["is_error"], true);
    assert_eq!(reply["error"]["kind"], "invalid_argument");
    assert_eq!(reply["error"]["path"], "/price");
    assert_eq!(reply["provenance"]["rung"], "check");
    assert_eq!(reply["state_version"], 0);
    // In the API's own style.
    assert!(reply["content"]["code"].is_number() && reply["content"]["message"].is_string(), "{reply}");
}

#[test]
fn an_unknown_tool_is_answered_and_near_names_are_suggested() {
    let ran = run(&["call", &petstore(), "getpet", r#"{"petId":1}"#]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("unknown_tool") && ran.err.contains("did you mean getPet"), "{}", ran.err);
    let reply = run(&["call", &petstore(), "getpet", "--json"]).json();
    assert_eq!(reply["error"]["kind"], "unknown_tool");
}

#[test]
fn arguments_come_from_the_line_a_file_or_standard_input() {
    let folder = folder();
    let text = r#"{"name":"Rex","category":"dog"}"#;
    let path = format!("@{}", file(&folder, "a.json", text));
    let direct = run(&["call", &petstore(), "createPet", text, "--json"]).json();
    assert_eq!(run(&["call", &petstore(), "createPet", &path, "--json"]).json(), direct);
    assert_eq!(run_with(&["call", &petstore(), "createPet", "-", "--json"], text).json(), direct);
    assert_eq!(run(&["call", &petstore(), "listPets", "--json"]).json()["is_error"], false);
}

#[test]
fn wrong_usage_is_told_apart_from_a_wrong_world() {
    run(&["call", &petstore(), "createPet", "{\"name\": "]).refused(2, "GTM0601");
    run(&["call", &petstore()]).refused(2, "GTM0601");
    run(&["call", "no/such/file.yaml", "x"]).refused(3, "GTM0101");
    run(&["call", "ftp://x.example/a.yaml", "x"]).refused(2, "GTM0601");
    run(&["call", &petstore(), "createPet", "@no/such/file"]).refused(3, "GTM0101");
    let ran = run(&["call"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("Usage: gtm call"), "{}", ran.err);
}

#[test]
fn with_json_an_error_is_json_too() {
    let ran = run(&["call", "no/such/file.yaml", "x", "--json"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""));
    let problem: Value = serde_json::from_str(ran.err.trim()).expect("one line of JSON");
    assert_eq!(problem["code"], "GTM0101");
    assert!(problem["place"].as_str().is_some_and(|p| p.contains("no/such/file.yaml")));
    assert!(problem["hint"].is_string());
}

#[test]
fn an_initial_state_closes_the_world() {
    let folder = folder();
    let state =
        file(&folder, "state.yaml", "pets:\n  \"7\": {id: 7, name: Ada, category: cat, status: sold}\n");
    let get = |id: i64| {
        run(&[
            "call",
            &petstore(),
            "getPet",
            &json!({ "petId": id }).to_string(),
            "--state",
            &state,
            "--json",
        ])
        .json()
    };
    assert_eq!(get(7)["content"]["name"], "Ada");
    assert_eq!(get(8)["error"]["kind"], "not_found");
}

#[test]
fn a_latency_fault_is_waited_for() {
    let folder = folder();
    let spec = petstore();
    let toolset =
        file(&folder, "t.yaml", format!("specs: [{spec}]\nfaults:\n  - {{latency: {{ms: 300}}}}\n"));
    let start = std::time::Instant::now();
    let reply = run(&["call", &toolset, "listPets", "--json"]).json();
    assert!(start.elapsed() >= std::time::Duration::from_millis(300));
    assert_eq!(reply["is_error"], false);
}
