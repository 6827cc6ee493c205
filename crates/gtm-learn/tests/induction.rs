//! Learns a small shop from sessions with it, and answers calls that were never recorded.

use gtm_learn::Learned;
use gtm_sim::recording::Recording;
use gtm_sim::{Call, Rung, SessionOptions, Simulator, Toolset};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// The real tools: what GTM is to find out.
struct Shop {
    state: Json,
}

impl Shop {
    fn new(seed: u64) -> Shop {
        let user = |n: u64| format!("user{}", (seed + n) % 7);
        let order = |n: u64| {
            let status = ["pending", "delivered"][((seed + n) % 2) as usize];
            json!({"order_id": format!("W{}", 100 + n), "user": user(n), "status": status, "total": 10 * (n + seed % 5) + 3,
                   "payments": [{"kind": "payment", "amount": 10 * (n + seed % 5) + 3}]})
        };
        let orders: serde_json::Map<String, Json> =
            (0..5).map(|n| (format!("W{}", 100 + n), order(n + seed))).collect();
        // The key and the id of an order agree.
        let orders: serde_json::Map<String, Json> = orders
            .into_iter()
            .map(|(_, order)| (order["order_id"].as_str().unwrap().to_owned(), order))
            .collect();
        let users: serde_json::Map<String, Json> = (0..7)
            .map(|n| {
                (
                    format!("user{n}"),
                    json!({"name": format!("Name {n}"), "email": format!("u{n}@example.com"), "age": 20 + n}),
                )
            })
            .collect();
        Shop { state: json!({"orders": orders, "users": users, "open": true}) }
    }

    /// The reply, and whether it is an error.
    fn call(&mut self, tool: &str, args: &Json) -> (Json, bool) {
        let text = |name: &str| args[name].as_str().unwrap_or_default().to_owned();
        let failed = |message: String| (json!(format!("Error: {message}")), true);
        let needed: &[&str] = match tool {
            "get_order" => &["order_id"],
            "cancel_order" => &["order_id", "reason"],
            "find_user" => &["email"],
            "greet" => &["name", "city"],
            "orders_of" => &["user"],
            _ => &[],
        };
        if let Some(missing) = needed.iter().find(|name| args.get(**name).is_none()) {
            return failed(format!("{tool}() missing 1 required positional argument: '{missing}'"));
        }
        match tool {
            "get_order" => match self.state["orders"].get(text("order_id")) {
                Some(order) => (order.clone(), false),
                None => failed("order not found".into()),
            },
            "cancel_order" => {
                let Some(order) = self.state["orders"].get_mut(text("order_id")) else {
                    return failed("order not found".into());
                };
                if order["status"] != "pending" {
                    return failed("non-pending order cannot be cancelled".into());
                }
                order["status"] = json!("cancelled");
                order["reason"] = json!(text("reason"));
                let refund = json!({"kind": "refund", "amount": order["total"]});
                order["payments"].as_array_mut().unwrap().push(refund);
                (order.clone(), false)
            }
            "find_user" => {
                let users = self.state["users"].as_object().unwrap();
                match users.iter().find(|(_, user)| user["email"] == args["email"]) {
                    Some((id, _)) => (json!(id), false),
                    None => failed("user not found".into()),
                }
            }
            "greet" => (json!(format!("Hello {}, welcome to {}!", text("name"), text("city"))), false),
            "orders_of" => {
                let orders = self.state["orders"].as_object().unwrap().values();
                let own: Vec<&Json> =
                    orders.filter(|o| o["user"] == args["user"]).map(|o| &o["order_id"]).collect();
                (json!({"user": args["user"], "orders": own}), false)
            }
            _ => failed(format!("name '{tool}' is not defined")),
        }
    }
}

fn tools() -> Json {
    let tool = |name: &str, arguments: &[&str]| {
        let properties: serde_json::Map<String, Json> =
            arguments.iter().map(|a| ((*a).to_owned(), json!({"type": "string"}))).collect();
        json!({"name": name, "description": "", "parameters":
            {"type": "object", "properties": properties, "required": arguments}})
    };
    json!([
        tool("get_order", &["order_id"]),
        tool("cancel_order", &["order_id", "reason"]),
        tool("find_user", &["email"]),
        tool("greet", &["name", "city"]),
        tool("orders_of", &["user"]),
        tool("never_called", &["what"]),
    ])
}

/// A session as it would have been recorded.
fn session(seed: u64) -> Json {
    let mut shop = Shop::new(seed);
    let state = shop.state.clone();
    let orders: Vec<String> = state["orders"].as_object().unwrap().keys().cloned().collect();
    let city = ["Rome", "Oslo", "Bonn"][(seed % 3) as usize];
    let id = |n: u64| orders[((seed + n) % 5) as usize].clone();
    let calls = vec![
        ("get_order", json!({"order_id": id(0)})),
        ("get_order", json!({"order_id": "W999"})),
        ("get_order", json!({})),
        ("cancel_order", json!({"order_id": id(1), "reason": format!("reason {}", seed % 3)})),
        ("get_order", json!({"order_id": id(1)})),
        ("cancel_order", json!({"order_id": id(1), "reason": "again"})),
        ("cancel_order", json!({"order_id": format!("X{seed}"), "reason": "none"})),
        ("cancel_order", json!({"order_id": id(2), "reason": "too late"})),
        ("find_user", json!({"email": format!("u{}@example.com", seed % 7)})),
        ("find_user", json!({"email": format!("nobody{seed}@example.com")})),
        ("greet", json!({"name": format!("Ann{seed}"), "city": city})),
        ("orders_of", json!({"user": format!("user{}", (seed + 2) % 7)})),
        ("orders_of", json!({"user": format!("user{}", (2 * seed + 1) % 7)})),
        ("no_such_tool", json!({})),
    ];
    let turns: Vec<Json> = calls
        .into_iter()
        .map(|(tool, args)| {
            let (response, is_error) = shop.call(tool, &args);
            json!({"call": {"name": tool, "arguments": args}, "response": response, "is_error": is_error})
        })
        .collect();
    json!({"session_id": format!("s{seed}"), "group": format!("g{seed}"), "tools": tools(), "initial_state": state, "turns": turns})
}

fn recordings(seeds: impl Iterator<Item = u64>) -> Vec<Recording> {
    seeds.map(|seed| read(session(seed))).collect()
}

fn read(session: Json) -> Recording {
    serde_json::from_value(session).expect("a session is read")
}

fn learn(recordings: &[Recording]) -> Learned {
    gtm_learn::learn(recordings, &Arc::default())
}

fn specs() -> Vec<gtm_tool::ToolSpec> {
    gtm_tool::import(tools().to_string().as_bytes(), &gtm_tool::Limits::default()).expect("imported").tools
}

fn simulator(learned: &Learned, state: Json) -> Simulator {
    let tools = specs();
    let toolset = Toolset { learned: learned.behaviors.clone(), ..Toolset::from_tools("shop", tools) };
    Simulator::new(toolset.with_state(state)).expect("what was learned compiles")
}

#[test]
fn unseen_sessions_are_answered_as_the_real_tools_would() {
    let learned = learn(&recordings(0..12));
    let (mut equal, mut all, mut wrong) = (0, 0, Vec::new());
    for seed in 40..50 {
        let session = session(seed);
        let simulator = simulator(&learned, session["initial_state"].clone());
        let mut ours = simulator.open(SessionOptions::default()).unwrap();
        // Free running: what one call changes, the next ones see.
        for turn in session["turns"].as_array().unwrap() {
            let call = Call::new(turn["call"]["name"].as_str().unwrap(), turn["call"]["arguments"].clone());
            let reply = simulator.call(&mut ours, &call);
            all += 1;
            match reply.content == turn["response"] && reply.is_error == turn["is_error"] {
                true => equal += 1,
                false => wrong.push(format!(
                    "{} {}: {} not {}",
                    call.tool, call.arguments, reply.content, turn["response"]
                )),
            }
        }
    }
    assert!(equal * 100 >= all * 95, "{equal} of {all}:\n{}", wrong.join("\n"));
}

#[test]
fn what_tools_have_in_common_holds_for_one_never_called() {
    let learned = learn(&recordings(0..6));
    let simulator = simulator(&learned, Shop::new(3).state);
    let mut session = simulator.open(SessionOptions::default()).unwrap();
    let reply = simulator.call(&mut session, &Call::new("never_called", json!({})));
    assert_eq!(reply.content, json!("Error: never_called() missing 1 required positional argument: 'what'"));
    let reply = simulator.call(&mut session, &Call::new("another", json!({})));
    assert_eq!(reply.content, json!("Error: name 'another' is not defined"));
}

#[test]
fn replies_say_that_they_were_learned_and_behaviors_why() {
    let learned = learn(&recordings(0..6));
    let simulator = simulator(&learned, Shop::new(3).state);
    assert_eq!(simulator.rung("greet"), Some(Rung::Learned));
    let note = learned.behaviors.behaviors["greet"].note.clone().unwrap_or_default();
    assert_eq!(note, "explains 6 of 6 recorded calls");
    assert_eq!(learned.support["greet"].explained, 6);
}

#[test]
fn the_users_own_behavior_wins() {
    let learned = learn(&recordings(0..4));
    let tools = specs();
    let mut toolset = Toolset { learned: learned.behaviors, ..Toolset::from_tools("shop", tools) };
    let own = json!({"behaviors": {"greet": {"steps": [{"reply": "'mine'"}]}}});
    toolset.behaviors = serde_json::from_value(own).unwrap();
    let simulator = Simulator::new(toolset).unwrap();
    let mut session = simulator.open(SessionOptions::default()).unwrap();
    let reply = simulator.call(&mut session, &Call::new("greet", json!({"name": "A", "city": "B"})));
    assert_eq!((reply.content, reply.provenance.rung), (json!("mine"), Rung::User));
}

#[test]
fn the_same_recordings_give_the_same_bytes() {
    let text = |learned: &Learned| serde_json::to_string(&learned.behaviors).unwrap();
    let (a, b) = (learn(&recordings(0..5)), learn(&recordings(0..5)));
    assert_eq!(text(&a), text(&b));
    // And they are read back as they were written.
    let again: gtm_world::Behaviors = serde_json::from_str(&text(&a)).unwrap();
    assert_eq!(again, a.behaviors);
}

#[test]
fn contradictions_and_noise_fail_nothing() {
    let mut noisy: Vec<Json> = (0..6).map(session).collect();
    for (i, session) in noisy.iter_mut().enumerate() {
        let turns = session["turns"].as_array_mut().unwrap();
        turns[i]["response"] = json!({"unlike": ["all", i, null, {"deep": [[[1]]]}]});
        turns[i + 1]["is_error"] = json!(i % 2 == 0);
        let twice = turns[i + 2].clone();
        turns.push(twice);
    }
    let recordings: Vec<Recording> = noisy.into_iter().map(read).collect();
    let learned = learn(&recordings);
    simulator(&learned, Shop::new(1).state);
    assert!(learned.support["get_order"].explained <= learned.support["get_order"].calls);
}

#[test]
fn recordings_of_nothing_teach_nothing() {
    assert!(learn(&[]).behaviors.behaviors.is_empty());
    let empty = read(json!({"session_id": "s", "turns": []}));
    assert!(learn(&[empty]).behaviors.behaviors.is_empty());
    let foreign = json!({"session_id": "s", "tools": [7, {}], "initial_state": [1],
                         "turns": [{"call": {"name": "", "arguments": 3}, "response": null}]});
    assert!(learn(&[read(foreign)]).behaviors.behaviors.is_empty());
}

#[test]
fn hostile_recordings_end_soon() {
    let long = "x ".repeat(50_000);
    let wide: Vec<Json> =
        (0..3_000).map(|i| json!({"id": i, "name": format!("n{i}"), "rows": [i, i + 1]})).collect();
    let turn = |i: usize| {
        json!({"call": {"name": "get_order", "arguments": {"order_id": format!("{long}{i}"), "{": "}", "": {"a b": [1]}}},
               "response": {"text": format!("{long} {i} {{}}"), "$text": "{", "rows": wide}, "is_error": false})
    };
    let line = json!({"session_id": "s", "tools": tools(), "initial_state": {"a b": wide, "rows": wide, "in": {"x": 1}},
                      "turns": (0..4).map(turn).collect::<Vec<_>>()});
    let learned = learn(&[read(line)]);
    simulator(&learned, json!({}));
}
