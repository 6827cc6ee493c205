//! A session answers in the manner of the real tools that it has seen.

use gtm_sim::{Call, Observed, Reply, Session, SessionOptions, Simulator, SnapshotRef, Toolset};
use serde_json::{Value as Json, json};
use std::path::Path;

fn function(name: &str, required: &[&str]) -> Json {
    let properties: serde_json::Map<String, Json> =
        required.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    let parameters = json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false});
    json!({"name": name, "description": name.replace('_', " "), "parameters": parameters})
}

struct Bench {
    simulator: Simulator,
    session: Session,
}

impl Bench {
    fn new(tools: &[Json], state: Json) -> Bench {
        let limits = json!({"world": {"history": 500}});
        let file = json!({"name": "bench", "tools": tools, "state": state, "limits": limits}).to_string();
        let toolset = Toolset::parse(&file, Path::new("")).unwrap();
        let simulator = Simulator::new(toolset).unwrap();
        let session = simulator.open(SessionOptions::default()).unwrap();
        Bench { simulator, session }
    }

    fn shop() -> Bench {
        let tools = [
            function("get_user_details", &["user_id"]),
            function("get_order_details", &["order_id"]),
            function("cancel_order", &["order_id", "reason"]),
        ];
        let order = |id: &str| json!({"order_id": id, "user_id": "u1", "status": "pending", "total": 12.5});
        Bench::new(
            &tools,
            json!({
                "users": {"u1": {"user_id": "u1", "name": "Ann", "email": "ann@example.com"}},
                "orders": {"W1": order("W1"), "W2": order("W2")}
            }),
        )
    }

    fn observe(&mut self, tool: &str, args: Json, content: Json, is_error: bool) {
        let call = Call::new(tool, args);
        self.simulator.observe(&mut self.session, &call, Observed { content, is_error }).unwrap();
    }

    fn call(&self, tool: &str, args: Json) -> Reply {
        self.simulator.call(&mut self.session.fork(), &Call::new(tool, args))
    }

    fn says(&self, tool: &str, args: Json, content: Json) {
        assert_eq!(self.call(tool, args).content, content);
    }
}

#[test]
fn a_failure_is_told_as_the_same_failure_was() {
    let mut bench = Bench::shop();
    bench.observe("get_user_details", json!({"user_id": "zoe"}), json!("Error: user not found"), true);
    bench.says("get_user_details", json!({"user_id": "max"}), json!("Error: user not found"));
    bench.says("get_order_details", json!({"order_id": "W9"}), json!("Error: order not found"));
    let missing = |class: &str, name: &str| json!(format!("Error: {class}.run() lacks '{name}'"));
    bench.observe("get_user_details", json!({}), missing("GetUserDetails", "user_id"), true);
    bench.says("get_order_details", json!({}), missing("GetOrderDetails", "order_id"));
    assert!(bench.call("get_order_details", json!({})).is_error);
}

#[test]
fn a_failure_of_another_cause_has_the_form_of_those_seen() {
    let mut bench = Bench::shop();
    let body = json!({"ok": false, "message": "Error: no such user"});
    bench.observe("get_user_details", json!({"user_id": "zoe"}), body, true);
    let reply = bench.call("cancel_order", json!({"order_id": "W1"}));
    let text = reply.content["message"].as_str().unwrap();
    assert!(text.starts_with("Error: missing required argument"), "{text}");
    assert_eq!(reply.content["ok"], false);
}

#[test]
fn what_the_real_tool_takes_is_not_refused_again() {
    let mut bench = Bench::shop();
    bench.observe("cancel_order", json!({"order_id": "W1"}), json!("W1 is cancelled"), false);
    let reply = bench.call("cancel_order", json!({"order_id": "W2"}));
    assert_eq!((reply.content, reply.is_error), (json!("W2 is cancelled"), false));
}

#[test]
fn a_text_is_about_the_new_call() {
    let mut bench = Bench::new(&[function("send_note", &["to", "text"])], json!({}));
    let real = json!("Sent to ann: see you at 5. (ann has 'see' muted)");
    bench.observe("send_note", json!({"to": "ann", "text": "see you at 5"}), real, false);
    let new = json!("Sent to bob: hello. (bob has 'see' muted)");
    bench.says("send_note", json!({"to": "bob", "text": "hello"}), new);
}

#[test]
fn other_tools_get_the_envelope_that_all_replies_have() {
    let declared = |name: &str, id: &str, member: &str| {
        let mut tool = function(name, &[id]);
        tool["returns"] = json!({"type": "object", "properties": {member: {"type": "string"}}});
        tool
    };
    let tools = [
        declared("get_user_email", "user_id", "email"),
        declared("get_order_status", "order_id", "status"),
        declared("get_order_total", "order_id", "total"),
    ];
    let state = json!({
        "users": {"u1": {"user_id": "u1", "email": "ann@example.com"}},
        "orders": {"W1": {"order_id": "W1", "status": "open", "total": "12"}}
    });
    let mut bench = Bench::new(&tools, state);
    bench.observe(
        "get_user_email",
        json!({"user_id": "zz"}),
        json!({"output": null, "exception": "No such user."}),
        true,
    );
    bench.observe(
        "get_user_email",
        json!({"user_id": "u1"}),
        json!({"output": "ann@example.com", "exception": null}),
        false,
    );
    let reply = bench.call("get_order_status", json!({"order_id": "W1"}));
    assert_eq!(reply.content, json!({"output": "open", "exception": null}));
    let failed = bench.call("get_order_total", json!({"order_id": "W7"}));
    assert!(failed.is_error);
    assert_eq!(failed.content["output"], Json::Null);
}

#[test]
fn tools_that_change_things_say_nothing_where_others_said_nothing() {
    let tools = [function("create_folder", &["name"]), function("create_file", &["name"])];
    let mut bench = Bench::new(&tools, json!({}));
    assert!(!bench.call("create_file", json!({"name": "a"})).content.is_null());
    bench.observe("create_folder", json!({"name": "x"}), Json::Null, false);
    bench.says("create_file", json!({"name": "a"}), Json::Null);
}

#[test]
fn what_was_learned_is_forked_rolled_back_and_stored_with_the_session() {
    let mut bench = Bench::shop();
    let unknown = || json!({"order_id": "W9"});
    let before = bench.call("get_order_details", unknown()).content;
    bench.session.snapshot("early").unwrap();
    bench.observe("get_user_details", json!({"user_id": "zoe"}), json!("Error: user not found"), true);
    let after = json!("Error: order not found");
    bench.says("get_order_details", unknown(), after.clone());
    let stored = bench.session.to_json();
    bench.session = Session::from_json(&stored).unwrap();
    assert_eq!(bench.session.to_json(), stored);
    bench.says("get_order_details", unknown(), after.clone());
    bench.session.rollback(&SnapshotRef::Name("early".into())).unwrap();
    bench.says("get_order_details", unknown(), before);
    // A timeline of which the beginning is no longer kept.
    bench.session = Session::from_json(&stored).unwrap();
    bench.session.snapshot("late").unwrap();
    bench.session.rollback(&SnapshotRef::Turn(0)).unwrap();
    let stored = bench.session.to_json();
    bench.session = Session::from_json(&stored).unwrap();
    bench.session.rollback(&SnapshotRef::Name("late".into())).unwrap();
    bench.says("get_order_details", unknown(), after);
}

#[test]
fn many_and_large_replies_are_remembered_within_bounds() {
    let mut bench = Bench::shop();
    // Too large to be remembered: ours stands.
    bench.observe("get_order_details", json!({"order_id": "W1"}), json!("x".repeat(100_000)), false);
    assert_eq!(bench.call("get_order_details", json!({"order_id": "W2"})).content["total"], 12.5);
    for turn in 0..2_000 {
        bench.observe(&format!("tool{turn}"), json!({}), json!(format!("Error: {turn}")), true);
    }
    let saved = bench.session.to_json();
    let lessons = saved["line"]["base"]["lessons"].as_array().expect("the oldest turns are dropped");
    assert!(!lessons.is_empty() && lessons.len() < 1_000, "{}", lessons.len());
}

#[test]
fn a_record_that_a_reply_shows_is_the_record() {
    let mut bench = Bench::shop();
    let real =
        json!({"order_id": "W1", "user_id": "u1", "status": "cancelled", "total": 12.5, "refund": 12.5});
    bench.observe("cancel_order", json!({"order_id": "W1", "reason": "late"}), real.clone(), false);
    let mut orders = bench.session.state().to_json()["orders"].clone();
    assert_eq!(orders["W1"], real);
    let new = json!({"order_id": "W5", "user_id": "u1", "status": "pending", "total": 3});
    bench.observe("get_order_details", json!({"order_id": "W5"}), new.clone(), false);
    orders["W5"] = new;
    assert_eq!(bench.session.state().to_json()["orders"], orders);
}
