//! Task files of others, in their shapes.

mod support;

use gtm_env::{Environment, load};
use gtm_error::Code;
use gtm_sim::Call;
use serde_json::{Value, json};
use std::path::Path;
use support::make;

const SHOP: &str = r#"
name: shop
state:
  orders:
    "1": {order_id: "1", status: pending, total: 30.0}
    "2": {order_id: "2", status: shipped, total: 1234.5}
tools:
  - {name: get_order, parameters: {type: object, required: [order_id], properties: {order_id: {type: string}}}}
  - {name: cancel_order, parameters: {type: object, required: [order_id], properties: {order_id: {type: string}, reason: {type: string}}}}
collections: {orders: {id: order_id}}
behaviors:
  get_order: {steps: [{get: {in: orders, id: args.order_id, as: it}}, {reply: it}]}
  cancel_order: {steps: [{update: {in: orders, id: args.order_id, set: {status: "'cancelled'"}, as: it}}, {reply: it}]}
"#;

/// An environment over the shop with this file of tasks.
fn shop(folder: &Path, tasks: &str) -> Environment {
    std::fs::write(folder.join("shop.yaml"), SHOP).expect("written");
    std::fs::write(folder.join("tasks.json"), tasks).expect("written");
    let path = folder.join("env.yaml");
    std::fs::write(&path, "toolset: shop.yaml\ntask_files: [tasks.json]\n").expect("written");
    assert!(gtm_env::is_environment(&path) && !gtm_env::is_environment(&folder.join("shop.yaml")));
    load(&path, &make).unwrap_or_else(|e| panic!("{e}"))
}

/// What calls and an answer are worth at the first task.
fn worth(environment: &Environment, calls: &[(&str, Value)], answer: Option<&str>) -> f64 {
    let task = environment.tasks().next().expect("a task");
    let mut session = task.simulator().open(task.opening()).expect("it opens");
    for (tool, arguments) in calls {
        task.simulator().call(&mut session, &Call::new(*tool, arguments.clone()));
    }
    task.score(&session, answer).reward
}

#[test]
fn tasks_with_actions_and_outputs() {
    let folder = tempfile::tempdir().expect("a folder");
    let tasks = json!([{
        "user_id": "ada", "instruction": "You are Ada. Cancel order 1 and ask what order 2 costs.",
        "actions": [
            {"name": "get_order", "kwargs": {"order_id": "2"}},
            {"name": "cancel_order", "kwargs": {"order_id": "1", "reason": "no longer needed"}},
            {"name": "respond", "kwargs": {"content": "1234.5"}}
        ],
        "outputs": ["1234.5"]
    }]);
    let shop = shop(folder.path(), &tasks.to_string());
    let cancel = ("cancel_order", json!({"order_id": "1"}));
    assert_eq!(worth(&shop, &[cancel.clone()], Some("Done; the other costs $1,234.5.")), 1.0);
    assert_eq!(worth(&shop, &[cancel.clone()], Some("Done.")), 0.0);
    assert_eq!(worth(&shop, &[], Some("1234.5")), 0.0);
    let too_much = ("cancel_order", json!({"order_id": "2"}));
    assert_eq!(worth(&shop, &[cancel, too_much], Some("1234.5")), 0.0);
}

#[test]
fn tasks_with_evaluation_criteria() {
    let folder = tempfile::tempdir().expect("a folder");
    let tasks = json!([{
        "id": "t1",
        "user_scenario": {"persona": null, "instructions": {"domain": "shop", "reason_for_call": "Cancel order 1.", "known_info": "You are Ada."}},
        "evaluation_criteria": {
            "actions": [
                {"action_id": "a", "name": "cancel_order", "arguments": {"order_id": "1"}},
                {"action_id": "b", "requestor": "user", "name": "toggle_airplane_mode", "arguments": {}}
            ],
            "communicate_info": [], "nl_assertions": ["The agent is polite"]
        }
    }]);
    let shop = shop(folder.path(), &tasks.to_string());
    let task = shop.task("t1").expect("the task");
    assert_eq!(task.instruction(), "Cancel order 1.\nYou are Ada.");
    assert_eq!(worth(&shop, &[("cancel_order", json!({"order_id": "1"}))], None), 1.0);
    assert_eq!(worth(&shop, &[], None), 0.0);
}

#[test]
fn tasks_with_questions_and_call_strings() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = [
        json!({"id": "m_0", "question": [[{"role": "user", "content": "Look up order 7."}], [{"role": "user", "content": "Cancel it."}]],
            "initial_config": {"orders": {"7": {"order_id": "7", "status": "pending"}}}, "involved_classes": ["Shop"],
            "ground_truth": [["get_order(order_id='7')"], ["cancel_order(order_id='7')"]]}),
        json!({"id": "m_1", "question": [[{"role": "user", "content": "Hm."}]], "ground_truth": [[]]}),
    ];
    let shop = shop(folder.path(), &lines.map(|line| line.to_string()).join("\n"));
    let task = shop.tasks().next().expect("a task");
    assert_eq!(task.instruction(), "Look up order 7.\n\nThen: Cancel it.");
    let seven = json!({"order_id": "7"});
    assert_eq!(worth(&shop, &[("get_order", seven.clone()), ("cancel_order", seven.clone())], None), 1.0);
    // The reading was asked for as well.
    assert_eq!(worth(&shop, &[("cancel_order", seven)], None), 0.0);
    assert_eq!(shop.tasks().len(), 2);
}

#[test]
fn tasks_with_values_that_arguments_may_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = json!({"id": "s_0", "question": [[{"role": "user", "content": "Weather in Bern, in Celsius."}]],
        "function": [{"name": "weather", "description": "Weather", "parameters": {"type": "dict",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]}}]});
    let answers = folder.path().join("possible_answer");
    std::fs::create_dir(&answers).expect("a folder");
    let answer = json!({"id": "s_0", "ground_truth": [{"weather": {"city": ["Bern", "Berne"], "unit": ["celsius", ""]}}]});
    std::fs::write(answers.join("tasks.json"), answer.to_string()).expect("written");
    let shop = shop(folder.path(), &task.to_string());
    assert_eq!(worth(&shop, &[("weather", json!({"city": "Berne"}))], None), 1.0);
    assert_eq!(worth(&shop, &[("weather", json!({"city": "Bern", "unit": "celsius"}))], None), 1.0);
    assert_eq!(worth(&shop, &[("weather", json!({"city": "Bern", "unit": "kelvin"}))], None), 0.0);
    assert_eq!(worth(&shop, &[("weather", json!({"city": "Bern", "days": 3}))], None), 0.0);
}

#[test]
fn what_is_no_task_file_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasks.json");
    for (text, code) in [
        ("[{\"question\": \"x\", \"ground_truth\": [\"f(x=\"]}]", Code::EnvironmentInvalid),
        ("[{\"question\": \"x\"}]", Code::EnvironmentInvalid),
        ("[{\"actions\": []}]", Code::EnvironmentInvalid),
        ("[{\"instruction\": \"x\", \"goals\": {}}]", Code::EnvironmentInvalid),
        ("3", Code::EnvironmentInvalid),
        ("[1, 2]", Code::EnvironmentInvalid),
        ("{", Code::SpecSyntax),
    ] {
        std::fs::write(&path, text).expect("written");
        let error = gtm_env::read_tasks(&path, 10).expect_err(text);
        assert_eq!(error.code(), code, "{text}: {error}");
    }
}
