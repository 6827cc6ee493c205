//! Prompts and completions: what is said is understood, and nonsense is refused.

use gtm_read::prompt::{apply, changes, direct, fill, read, shape};
use gtm_tool::ToolSpec;
use gtm_world::behavior::Behavior;
use serde_json::{Value as Json, json};

fn cancel() -> ToolSpec {
    ToolSpec {
        name: "cancel_order".into(),
        description: "Cancels an order that has not been shipped.".into(),
        parameters: json!({
            "type": "object",
            "properties": {
                "order_id": {"type": "string", "description": "Id of the order."},
                "reason": {"type": "string", "enum": ["mistake", "changed_mind"]},
            },
            "required": ["order_id"],
        }),
        returns: Some(
            json!({"type": "object", "properties": {"order_id": {"type": "string"}, "status": {"type": "string"}}}),
        ),
        ..ToolSpec::default()
    }
}

fn state() -> Json {
    let order =
        |id: &str, status: &str, total: f64| json!({"order_id": id, "status": status, "total": total});
    json!({
        "orders": {
            "O1": order("O1", "pending", 12.5),
            "O2": order("O2", "shipped", 3.0),
            "O3": order("O3", "pending", 8.0),
            "O4": order("O4", "cancelled", 1.0),
            "O5": order("O5", "shipped", 4.0),
            "O6": order("O6", "cancelled", 9.0),
        },
        "fee": 2,
    })
}

fn behavior(json: Json) -> Behavior {
    serde_json::from_value(json).expect("a behavior")
}

#[test]
fn a_behavior_is_said_with_pointers() {
    let tool = cancel();
    let question = read::Toolset::new(std::slice::from_ref(&tool), &state()).ask(&tool);
    let said = question.answer(&behavior(json!({"steps": [
        {"get": {"in": "orders", "id": "args.order_id", "message": "No order {args.order_id}"}},
        {"require": {"that": "it.status == 'pending'", "error": "conflict", "message": "It is {it.status}"}},
        {"update": {"in": "orders", "id": "args.order_id", "set": {"status": "'cancelled'"}}},
        {"reply": {"order_id": "it.order_id", "status": "it.status"}},
    ]})));
    println!("{}", question.prompt());
    let said = said.expect("a completion");
    println!("{said}");
    assert!(!said.contains(['`', '"', '\'']), "nothing is spelled: {said}");
    let understood = question.understand(&said).expect("a behavior");
    assert_eq!(
        understood,
        behavior(json!({"steps": [
            {"get": {"in": "orders", "id": "args.order_id"}},
            {"require": {"that": "it.status == \"pending\"", "error": "conflict"}},
            {"update": {"in": "orders", "id": "args.order_id", "set": {"status": "\"cancelled\""}}},
            {"reply": {"order_id": "it.order_id", "status": "it.status"}},
        ]}))
    );
}

#[test]
fn every_form_comes_back() {
    let tool = cancel();
    let question = read::Toolset::new(std::slice::from_ref(&tool), &state()).ask(&tool);
    let forms = [
        json!({"direct": true}),
        json!({"unchecked": true, "steps": [{"reply": "check.message"}]}),
        json!({"steps": [{"reply": null}]}),
        json!({"steps": [{"reply": -3}]}),
        json!({"steps": [{"reply": "fill"}]}),
        json!({"steps": [{"reply": {"$fill": {"from": "it", "rows": "args.n"}}}]}),
        json!({"steps": [{"reply": {}}]}),
        json!({"steps": [{"reply": [{"a-b": "it.`x-y`"}, [], 2.5, true]}]}),
        json!({"steps": [{"reply": {"$text": "Order {args.order_id} is {{{it.status}}}: {'a' + \"b\"}"}}]}),
        json!({"steps": [{"let": {"n": "orders.map(k, orders[k].total).filter(t, t > fee).sum()"}}, {"reply": {"n": "n"}}]}),
        json!({"steps": [{"let": {"x": "cel.bind(s, 1, s + 1)"}}, {"when": "x > 1 ? true : false", "reply": "{'x': x, 'y': [x]}"}]}),
        json!({"steps": [{"list": {"in": "orders", "where": "it.total > 1", "match": {"status": "args.reason"}, "sort": {"by": "'total'", "descending": "true"},
            "offset": "0", "limit": "default(args.limit, 3)", "as": "page", "total": "all"}}, {"reply": {"page": "page", "all": "all"}}]}),
        json!({"steps": [{"create": {"in": "orders", "set": {"status": "'pending'"}, "fill": "required", "replace": true, "as": "made"}}, {"reply": "made"}]}),
        json!({"steps": [{"update": {"at": "orders", "value": "orders.transformMap(k, r, r)", "unset": ["fee"], "upsert": true, "error": "conflict", "as": "now"}}]}),
        json!({"steps": [{"delete": {"in": "orders", "id": "args.order_id", "missing_ok": true, "as": "gone"}}, {"reply": "gone.total"}]}),
        json!({"steps": [{"compute": {"over": "orders", "where": "it.total > 0", "sum": "it.total", "as": "sum"}}, {"reply": "sum"}]}),
        json!({"steps": [{"attempt": [{"do": [{"get": {"in": "orders", "where": "it.total > 2", "optional": true}}]}]}, {"reply": "it"}]}),
        json!({"steps": [{"require": {"absent": "orders[args.order_id]", "error": "unavailable"}}, {"require": {"exists": "fee"}}]}),
    ];
    for form in forms {
        let original = behavior(form);
        let said = question.answer(&original).unwrap_or_else(|| panic!("not said: {original:?}"));
        let understood = question.understand(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
        assert_eq!(question.answer(&understood).as_ref(), Some(&said), "{understood:?}");
    }
}

#[test]
fn nonsense_is_refused() {
    let tool = cancel();
    let question = read::Toolset::new(std::slice::from_ref(&tool), &state()).ask(&tool);
    let deep = format!("reply {}", "( ".repeat(10_000));
    let nested = "do\n".repeat(9);
    let wrong = [
        "",
        "reply",
        "get",
        "reply Pzz",
        "reply Ma ; x",
        "fly Ca",
        "let it",
        "need",
        "reply obj { Ma }",
        "reply text ( \"a\"",
        "get Ca ; id",
        "get Ca ; sideways",
        "if true reply 1",
        "end",
        "reply ' unfinished",
        "reply \u{0}",
        &deep,
        &nested,
    ];
    for text in wrong {
        assert!(question.understand(text).is_err(), "{text:.60}");
    }
    assert!(question.understand(&"reply 1\n".repeat(100_000)).is_err());
}

#[test]
fn filled_values_come_back() {
    let tool = cancel();
    let (string, status) = (json!({"type": "string"}), json!({"enum": ["open", "shut"]}));
    let slots = [
        fill::Wanted { path: "note", schema: &string, root: &string },
        fill::Wanted { path: "status", schema: &status, root: &status },
        fill::Wanted { path: "lines", schema: &string, root: &string },
    ];
    let question =
        fill::Question::new(&tool, &json!({"order_id": "O1"}), &json!({"total": -2.5, "open": true}), &slots);
    let values =
        [json!("O1"), json!("open"), json!([{"total": -2.5, "odd name": [null, false, 1e-7, -7, "x\n\"y"]}])];
    let said = question.answer(&values).expect("a completion");
    assert!(said.starts_with("Fa\nVa\narr"), "{said}");
    assert_eq!(question.understand(&said).expect("values"), values);
    assert_eq!(question.answer(&values[..2]), None);
    for wrong in ["", "Fa", "Fa\nVa\nFz", "Fa\nVa\nobj { Ma }", "Fa\nVa\n1 2", "Fa\nVa\n1\n1"] {
        assert!(question.understand(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn answers_and_changes_come_back() {
    let tool = cancel();
    let toolset = direct::Toolset::new(std::slice::from_ref(&tool), &state());
    let mut after = state();
    after["orders"]["O3"]["status"] = json!("cancelled");
    after["orders"]["O3"]["refund"] = json!({"amount": 6, "lines": [1]});
    after["orders"].as_object_mut().expect("an object").remove("O4");
    after["fee"] = json!(3);
    let changes = changes(&state(), &after).expect("few changes");
    assert_eq!(apply(state(), &changes), after);
    let arguments = json!({"order_id": "O3"});
    let past =
        [direct::Past { tool: "get_order", arguments: &arguments, reply: &json!({"status": "pending"}) }];
    let question = toolset.ask(&tool, &state(), &past, &arguments);
    println!("{}", question.prompt());
    let answer =
        direct::Answer { reply: json!({"order_id": "O3", "status": "cancelled"}), is_error: false, changes };
    let said = question.answer(&answer).expect("a completion");
    println!("{said}");
    assert!(said.starts_with("reply obj { M"), "{said}");
    assert_eq!(question.understand(&said).expect("an answer"), answer);
    for wrong in [
        "",
        "reply",
        "shout 1",
        "reply 1 1",
        "reply 1\nset",
        "reply 1\nset Ca",
        "reply 1\ngone Ca [ Fa",
        "reply 1\nset Ca [ true ] = 1",
    ] {
        assert!(question.understand(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_list_that_lost_items_is_told_whole() {
    let (before, after) = (json!({"cart": [1, 2, 3]}), json!({"cart": [1, 3]}));
    let told = changes(&before, &after).expect("few changes");
    assert_eq!(told.len(), 1);
    assert_eq!(apply(before, &told), after);
    let many: Json = (0..100).map(|n| (n.to_string(), json!(n))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(changes(&json!({}), &many), None);
}

#[test]
fn shapes_come_back() {
    let tool = cancel();
    let question = shape::Question::new(&tool);
    let returns = json!({
        "type": "object",
        "properties": {
            "order_id": {"type": "string"},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}},
            "more": {},
        },
        "required": ["order_id"],
    });
    let said = question.answer(&returns).expect("a completion");
    assert_eq!(question.understand(&said).expect("a schema"), returns, "{said}");
    for wrong in ["", "thing", "object {", "object { Ma", "array of", "string string"] {
        assert!(question.understand(wrong).is_err(), "{wrong}");
    }
}
