//! The toolset and calls that are measured: get, create and update over a collection of items.

use gtm_error::Result;
use gtm_sim::{Call, Simulator, Toolset};
use serde_json::{Map, Value as Json, json};

/// Records of the world that is served over HTTP.
pub(crate) const SERVED: usize = 10_000;

/// An OpenAPI document with one collection of items, for servers that are compared.
pub(crate) fn spec() -> Json {
    let item = json!({"type": "object", "required": ["id", "name", "qty", "status"], "properties": {
        "id": {"type": "integer"}, "name": {"type": "string"}, "qty": {"type": "integer"},
        "status": {"type": "string", "enum": ["open", "closed"]}}});
    let reply = |schema: Json| json!({"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}});
    let id = json!({"name": "itemId", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 1, "maximum": 1_000_000}});
    let one = json!({"$ref": "#/components/schemas/Item"});
    let body = json!({"required": true, "content": {"application/json": {"schema": {"type": "object", "properties": {
        "name": {"type": "string"}, "qty": {"type": "integer"}, "status": {"type": "string", "enum": ["open", "closed"]}}}}}});
    json!({"openapi": "3.0.3", "info": {"title": "Items", "version": "1"}, "components": {"schemas": {"Item": item}},
        "paths": {
            "/items": {"post": {"operationId": "createItem", "requestBody": body, "responses": reply(one.clone())}},
            "/items/{itemId}": {"parameters": [id],
                "get": {"operationId": "getItem", "responses": reply(one.clone())},
                "patch": {"operationId": "updateItem", "requestBody": body, "responses": reply(one)}}}})
}

/// A simulator of [`spec`] over a closed world of `records` items.
pub(crate) fn simulator(records: usize) -> Result<Simulator> {
    let imported = gtm_tool::import(spec().to_string().as_bytes(), &gtm_tool::Limits::default())?;
    let mut toolset = Toolset::from_tools("items", imported.tools);
    toolset.state = state(records);
    toolset.world = gtm_sim::WorldKind::Closed;
    toolset.limits.world.state_bytes = 4 << 30;
    Simulator::new(toolset)
}

/// A state of `records` items, about 100 bytes each as JSON.
pub(crate) fn state(records: usize) -> Json {
    let item = |i: usize| {
        let record = json!({"id": i, "name": format!("Item number {i} of the stock"), "qty": i % 50, "status": "open"});
        (i.to_string(), record)
    };
    json!({"items": (1..=records).map(item).collect::<Map<_, _>>()})
}

/// `count` calls over `records` items: six in ten get, three update, one creates.
pub(crate) fn mix(records: usize, count: usize) -> Vec<Call> {
    let call = |i: usize| {
        // A multiplicative hash spreads the calls over the records.
        let id = 1 + (i.wrapping_mul(2_654_435_761)) % records;
        let (tool, arguments) = match i % 10 {
            0..6 => ("getItem", json!({"itemId": id})),
            6..9 => ("updateItem", json!({"itemId": id, "qty": i % 90})),
            _ => ("createItem", json!({"name": "A new item", "qty": 1, "status": "open"})),
        };
        Call { tool: tool.into(), arguments, idempotency_key: None }
    };
    (0..count).map(call).collect()
}
