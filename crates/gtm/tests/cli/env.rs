//! Environments on the command line.

use crate::common::{Server, file, folder, root, run};
use serde_json::json;

fn travel() -> String {
    root().join("examples/travel.yaml").to_string_lossy().into_owned()
}

#[test]
fn the_tasks_of_the_example_are_sound() {
    let checked = run(&["env", "check", &travel()]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
    assert!(checked.out.ends_with("4 tasks: 4 sound, 0 not\n"), "{}", checked.out);
    let lines = run(&["env", "check", &travel(), "--json"]).lines();
    assert_eq!((lines.len(), &lines[1]["reference"]["reward"]), (4, &json!(1.0)), "{}", lines[1]);
}

#[test]
fn a_task_that_pays_for_nothing_or_cannot_be_done_is_found() {
    let folder = folder();
    let tools = "[{name: t, parameters: {type: object}}]";
    let text = format!(
        "toolset: {{tools: {tools}, state: {{a: 1}}}}\ntasks:\n  - {{instruction: x, goal: {{checks: [{{at: /a, is: 1}}]}}}}\n  \
         - {{instruction: y, goal: {{checks: [{{at: /a, is: 2}}]}}, reference: [{{tool: u}}]}}\n"
    );
    let path = file(&folder, "bad.yaml", text);
    let checked = run(&["env", "check", &path]);
    assert_eq!(checked.code, Some(1), "{}", checked.err);
    for told in
        ["doing nothing earns something", "call 1 of the reference fails: unknown tool", "/a is 2: it is 1"]
    {
        assert!(checked.out.contains(told), "{told}: {}", checked.out);
    }
    let path = file(&folder, "worse.yaml", "toolset: {tools: []}\ntasks: [{instructions: x}]\n");
    run(&["env", "check", &path]).refused(2, "GTM0207");
}

#[test]
fn a_dataset_of_made_sessions_is_an_environment() {
    let folder = folder();
    let out = folder.path().join("dataset").to_string_lossy().into_owned();
    let packs = root().join("packs/media").to_string_lossy().into_owned();
    let made = run(&["carg", "run", "--out", &out, "--sessions", "12", "--packs", &packs]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let checked = run(&["env", "check", &out, "--json"]).lines();
    assert!(checked.len() >= 2, "{} tasks", checked.len());
    for line in &checked {
        assert_eq!(line["sound"], true, "{line}");
    }
    let server = Server::start(&[&out]);
    let (_, tasks) = server.json("GET", "/v1/environments/dataset/tasks", "");
    let first = &tasks["tasks"][0];
    assert!(first["instruction"].as_str().is_some_and(|text| !text.is_empty()), "{tasks}");
    let session = json!({"id": "s", "environment": "dataset", "task": first["id"]}).to_string();
    assert_eq!(server.json("POST", "/v1/sessions", &session).0, 201);
    let (_, score) = server.json("POST", "/v1/sessions/s/reward", "{}");
    assert_eq!(score["reward"], 0.0, "{score}");
}
