//! How failures look: in the style that the spec declares.

mod common;

use common::simulator;
use gtm_sim::{Call, Reply, SessionOptions, Simulator, Toolset};
use serde_json::{Value as Json, json};

/// A simulator of tools given as GTM specs.
fn tools(tools: Json) -> Simulator {
    simulator(&json!({"name": "t", "world": "closed", "tools": tools}).to_string())
}

/// An HTTP tool of the API `shop` that needs `id`, with these documented errors.
fn http(name: &str, errors: Json) -> Json {
    json!({
        "name": name,
        "parameters": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
        "returns": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "http": {"method": "GET", "path": format!("/{name}s/{{id}}"), "success_status": 200, "success_type": "application/json",
                 "params": [{"name": "id", "argument": "id", "in": "path"}]},
        "errors": errors,
        "origin": {"api": "shop"}
    })
}

fn call(simulator: &Simulator, tool: &str, args: Json) -> Reply {
    let mut session = simulator.open(SessionOptions::default()).unwrap();
    simulator.call(&mut session, &Call::new(tool, args))
}

const MISSING: &str = "missing required argument \"id\"";

#[test]
fn the_declared_status_that_fits_is_used() {
    for (declared, status) in
        [(json!([]), 400), (json!([{"status": 422}]), 422), (json!([{"status": 400}, {"status": 422}]), 400)]
    {
        assert_eq!(call(&tools(json!([http("pet", declared)])), "pet", json!({})).status, status);
    }
}

#[test]
fn a_declared_schema_is_filled_by_what_its_members_are_called() {
    let problem = json!({"type": "object", "required": ["code", "message", "trace"], "properties": {
        "code": {"type": "integer"}, "message": {"type": "string"}, "trace": {"type": "string"}, "hint": {"type": "string"}
    }});
    let reply =
        call(&tools(json!([http("pet", json!([{"status": 400, "schema": problem}]))])), "pet", json!({}));
    assert_eq!((&reply.content["code"], &reply.content["message"]), (&json!(400), &json!(MISSING)));
    assert!(reply.content["trace"].is_string(), "what is required is there: {}", reply.content);
    assert_eq!(reply.content.get("hint"), None, "what is not required and not known is not made up");

    let nested = json!({"$ref": "#/$defs/Errors", "$defs": {
        "Errors": {"type": "object", "properties": {"errors": {"type": "array", "items": {"$ref": "#/$defs/One"}}}},
        "One": {"type": "object", "properties": {"field": {"type": "string"}, "detail": {"type": "string"}, "status": {"type": "string"}}}
    }});
    let reply =
        call(&tools(json!([http("pet", json!([{"status": 422, "schema": nested}]))])), "pet", json!({}));
    assert_eq!(reply.content, json!({"errors": [{"field": "id", "detail": MISSING, "status": "422"}]}));

    let inner = json!({"type": "object", "properties": {"error": {"type": "object", "properties": {
        "type": {"type": "string", "enum": ["bad", "worse"]}, "message": {"type": "string"}}}}});
    let reply = call(&tools(json!([http("pet", json!([{"schema": inner}]))])), "pet", json!({}));
    assert_eq!(reply.content, json!({"error": {"message": MISSING}}));
}

#[test]
fn a_schema_that_holds_itself_ends() {
    let node = json!({"type": "object", "required": ["error"], "properties": {"error": {"$ref": "#"}, "message": {"type": "string"}}});
    let reply =
        call(&tools(json!([http("pet", json!([{"status": 400, "schema": node}]))])), "pet", json!({}));
    assert_eq!(reply.content["message"], MISSING);
}

#[test]
fn a_published_example_is_followed() {
    let errors = json!([
        {"status": 400, "example": {"status": 400, "errorCode": "E17", "message": "name is required"}},
        {"status": 404, "example": {"message": "Not Found", "documentation_url": "https://example.com/docs"}}
    ]);
    let simulator = tools(json!([http("pet", errors)]));
    let invalid = call(&simulator, "pet", json!({}));
    assert_eq!(invalid.content["message"], MISSING);
    assert_eq!(invalid.content["status"], 400);
    let absent = call(&simulator, "pet", json!({"id": 7}));
    if absent.is_error {
        let expected = json!({"message": "Not Found", "documentation_url": "https://example.com/docs"});
        assert_eq!(absent.content, expected, "a message that suits every case is kept");
    }
}

#[test]
fn an_operation_that_declares_no_error_follows_its_api() {
    let declared = json!([{"status": 404, "schema": {"type": "object", "properties": {"reason": {"type": "string"}, "code": {"type": "string"}}}}]);
    let simulator = tools(json!([http("pet", declared), http("order", json!([]))]));
    let reply = call(&simulator, "order", json!({}));
    assert_eq!(reply.content, json!({"reason": MISSING, "code": "invalid_argument"}));
    let alone = tools(json!([http("order", json!([]))]));
    let plain = json!({"error": {"code": "invalid_argument", "message": MISSING}});
    assert_eq!(call(&alone, "order", json!({})).content, plain);
}

#[test]
fn functions_fail_where_their_replies_have_a_place_for_it() {
    let function = |returns: Json| json!({"name": "f", "parameters": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}, "returns": returns});
    let text = json!({"type": "string"});
    for (returns, body) in [
        (json!({}), json!(format!("Error: {MISSING}"))),
        (text.clone(), json!(format!("Error: {MISSING}"))),
        (
            json!({"type": "object", "properties": {"output": {}, "exception": text}}),
            json!({"output": null, "exception": MISSING}),
        ),
        (
            json!({"type": "object", "properties": {"status": {"type": "boolean"}, "message": text, "data": {}}}),
            json!({"status": false, "message": MISSING}),
        ),
        (json!({"type": "object", "properties": {"message": text}}), json!({"error": MISSING})),
    ] {
        assert_eq!(
            call(&tools(json!([function(returns.clone())])), "f", json!({})).content,
            body,
            "{returns}"
        );
    }
}

#[test]
fn an_envelope_of_the_user_wins_also_for_unknown_tools() {
    let text = json!({
        "tools": [http("pet", json!([{"status": 400, "schema": {"type": "object", "properties": {"reason": {"type": "string"}}}}]))],
        "envelope": {"error": {"ok": false, "why": "error.message", "what": "error.kind"}}
    });
    let simulator = simulator(&text.to_string());
    assert_eq!(
        call(&simulator, "pet", json!({})).content,
        json!({"ok": false, "why": MISSING, "what": "invalid_argument"})
    );
    let unknown = call(&simulator, "pets", json!({}));
    assert_eq!(unknown.content, json!({"ok": false, "why": "unknown tool \"pets\"", "what": "unknown_tool"}));
    assert_eq!((unknown.status, unknown.error.unwrap().expected.as_deref()), (404, Some("perhaps \"pet\"")));
}

#[test]
fn every_tool_of_the_petstore_refuses_nonsense_in_a_well_formed_way() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/petstore.yaml");
    let simulator = Simulator::new(Toolset::load(&path).unwrap()).unwrap();
    for tool in simulator.tools() {
        let reply = call(
            &simulator,
            &tool.name,
            json!({"nonsense": [1], "limit": "many", "petId": {}, "orderId": {}}),
        );
        if !reply.is_error {
            continue;
        }
        let declared = tool
            .errors
            .iter()
            .find(|e| e.status == Some(reply.status))
            .or(tool.errors.iter().find(|e| e.status.is_none()));
        if let Some(schema) = declared.and_then(|e| e.schema.as_ref()) {
            let checker = gtm_tool::Checker::new(schema, &gtm_tool::Limits::default()).unwrap();
            let checked = checker.check(&reply.content);
            assert!(checked.is_ok(), "{}: {} {checked:?}", tool.name, reply.content);
        }
    }
}
