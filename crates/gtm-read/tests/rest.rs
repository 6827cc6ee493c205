//! REST semantics, case by case: a few paths in, the behavior of one of them out.

#[path = "../../gtm-tool/tests/common/mod.rs"]
mod specs;

use gtm_read::{ReadInput, Reader, Reading, RuleReader, Rung};
use gtm_tool::{Limits, ToolSpec, import};
use gtm_world::{Library, Program};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// A document with these paths (YAML) and a few schemas that they may use.
fn tools(paths: &str) -> Vec<ToolSpec> {
    let document = format!(
        r##"
openapi: 3.1.0
info: {{title: Test, version: "1"}}
components:
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties:
        id: {{type: integer, readOnly: true}}
        name: {{type: string}}
        status: {{type: string, enum: [available, pending, sold]}}
        price: {{type: number}}
        created_at: {{type: string, format: date-time}}
        updated_at: {{type: string, format: date-time}}
    Order:
      type: object
      properties:
        id: {{type: string, format: uuid}}
        user_id: {{type: integer}}
        state: {{type: string, enum: [open, cancelled, shipped]}}
        cancelled_at: {{type: [string, "null"], format: date-time}}
        address: {{type: object, properties: {{street: {{type: string}}, city: {{type: string}}}}}}
        lines: {{type: array, items: {{type: object, required: [sku, price], properties: {{sku: {{type: string}}, price: {{type: number}}}}}}}}
    Note:
      type: object
      properties: {{id: {{type: string}}, text: {{type: string}}}}
    Settings:
      type: object
      properties: {{theme: {{type: string}}, volume: {{type: integer}}}}
paths:
{paths}
"##
    );
    import(document.as_bytes(), &Limits::default()).expect("the test's document").tools
}

fn read(tools: &[ToolSpec]) -> Reading {
    RuleReader.read(&ReadInput { tools, initial_state: &json!({}) })
}

/// Checks the steps of the operation `METHOD /path`, and that all behaviors compile.
fn check(paths: &str, operation: &str, expected: Json) {
    let tools = tools(paths);
    let reading = read(&tools);
    compile(&tools, &reading);
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let tool = tools
        .iter()
        .find(|t| t.http.as_ref().is_some_and(|h| h.method == method && h.path == path))
        .unwrap_or_else(|| panic!("no {operation}"));
    let behavior = &reading.behaviors.behaviors[&tool.name];
    let found =
        if behavior.direct { json!("direct") } else { serde_json::to_value(&behavior.steps).expect("JSON") };
    assert_eq!(found, expected, "{operation}\nfound {found}");
}

fn compile(tools: &[ToolSpec], reading: &Reading) -> usize {
    let library =
        Arc::new(Library::new(&reading.behaviors, gtm_world::Limits::default()).expect("a library"));
    for tool in tools {
        let behavior = &reading.behaviors.behaviors[&tool.name];
        if let Err(error) = Program::compile(&tool.name, behavior, tool.returns.as_ref(), &library) {
            panic!("{}: {error}", tool.name);
        }
    }
    reading.rungs.values().filter(|r| **r == Rung::Rules).count()
}

const PETS: &str = "
  /pets:
    get:
      parameters:
        - {name: status, in: query, schema: {type: string}}
        - {name: min_price, in: query, schema: {type: number}}
        - {name: q, in: query, schema: {type: string}}
        - {name: sort_by, in: query, schema: {type: string}}
        - {name: order, in: query, schema: {type: string, enum: [asc, desc]}}
        - {name: page, in: query, schema: {type: integer}}
        - {name: per_page, in: query, schema: {type: integer, default: 10}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {
        pets: {type: array, items: {$ref: '#/components/schemas/Pet'}}, total: {type: integer}, has_more: {type: boolean}}}}}}}
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses: {'201': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  /pets/{petId}:
    parameters: [{name: petId, in: path, required: true, schema: {type: integer}}]
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {
        success: {type: boolean}, data: {$ref: '#/components/schemas/Pet'}}}}}}}
    patch:
      requestBody: {content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
    delete:
      responses: {'204': {description: gone}}
  /pets/by-name/{name}:
    get:
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  /pets/findByStatus:
    get:
      parameters: [{name: status, in: query, schema: {type: array, items: {type: string}}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}
";

#[test]
fn a_list_filters_sorts_and_pages() {
    check(
        PETS,
        "GET /pets",
        json!([
            {"list": {
                "in": "pets",
                "where": "(args.min_price == null || it.price != null && it.price >= args.min_price)",
                "match": {"status": "args.status"},
                "search": "args.q",
                "sort": {"by": "args.sort_by", "descending": "args.order"},
                "offset": "(default(args.page, 1) - 1) * default(args.per_page, 10)",
                "limit": "default(args.per_page, 10)",
            }},
            {"reply": {
                "pets": "rows",
                "total": "total",
                "has_more": "((default(args.page, 1) - 1) * default(args.per_page, 10)) + size(rows) < total",
            }},
        ]),
    );
}

#[test]
fn create_sets_times_and_state_and_ignores_what_is_read_only() {
    check(
        PETS,
        "POST /pets",
        json!([
            {"create": {
                "in": "pets",
                "from": "args",
                "set": {
                    "created_at": "default(args.created_at, now())",
                    "updated_at": "default(args.updated_at, now())",
                    "status": "default(args.status, 'pending')",
                },
                "fill": "all",
            }},
            {"reply": "it"},
        ]),
    );
}

#[test]
fn items_are_read_changed_deleted_and_looked_up() {
    check(
        PETS,
        "GET /pets/{petId}",
        json!([{"get": {"in": "pets", "id": "args.petId"}}, {"reply": {"success": true, "data": "it"}}]),
    );
    check(
        PETS,
        "PATCH /pets/{petId}",
        json!([
            {"update": {"in": "pets", "id": "args.petId", "merge": "omit(args, ['petId'])", "set": {"updated_at": "now()"}}},
            {"reply": "it"},
        ]),
    );
    check(PETS, "DELETE /pets/{petId}", json!([{"delete": {"in": "pets", "id": "args.petId"}}]));
    check(
        PETS,
        "GET /pets/findByStatus",
        json!([{"list": {"in": "pets", "match": {"status": "args.status"}}}, {"reply": "rows"}]),
    );
    check(
        PETS,
        "GET /pets/by-name/{name}",
        json!([
            {"list": {"in": "pets", "match": {"name": "args.name"}, "limit": "1"}},
            {"require": {"that": "total > 0", "error": "not_found", "message": "pet not found"}},
            {"let": {"it": "rows[0]"}},
            {"reply": "it"},
        ]),
    );
}

const ORDERS: &str = "
  /users/{uid}:
    get:
      parameters: [{name: uid, in: path, required: true, schema: {type: integer}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {id: {type: integer}, email: {type: string}}}}}}}
  /users/{uid}/orders:
    parameters: [{name: uid, in: path, required: true, schema: {type: integer}}]
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Order'}}}}}}
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {
        lines: {type: array, items: {type: object, properties: {sku: {type: string}}}}}}}}}
      responses: {'201': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
  /users/{uid}/notes:
    parameters: [{name: uid, in: path, required: true, schema: {type: integer}}]
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {note: {type: object, properties: {text: {type: string}}}}}}}}
      responses: {'201': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Note'}}}}}}
  /users/{uid}/notes/{noteId}:
    get:
      parameters:
        - {name: uid, in: path, required: true, schema: {type: integer}}
        - {name: noteId, in: path, required: true, schema: {type: string}}
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
  /orders/{orderId}:
    get:
      parameters: [{name: orderId, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
  /orders/{orderId}/cancel:
    post:
      parameters: [{name: orderId, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
  /orders/{orderId}/address:
    parameters: [{name: orderId, in: path, required: true, schema: {type: string}}]
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {street: {type: string}, city: {type: string}}}}}}}
    put:
      requestBody: {content: {application/json: {schema: {type: object, properties: {city: {type: string}}}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {street: {type: string}, city: {type: string}}}}}}}
";

#[test]
fn two_paths_to_the_same_records_share_a_collection() {
    check(
        ORDERS,
        "GET /users/{uid}/orders",
        json!([
            {"get": {"in": "users", "id": "args.uid", "as": "user"}},
            {"list": {"in": "orders", "match": {"user_id": "args.uid"}}},
            {"reply": "rows"},
        ]),
    );
    check(
        ORDERS,
        "POST /users/{uid}/orders",
        json!([
            {"get": {"in": "users", "id": "args.uid", "as": "user"}},
            {"create": {
                "in": "orders",
                "set": {"lines": {"$fill": {"from": "args.lines"}}, "state": "'open'", "user_id": "args.uid"},
                "fill": "all",
            }},
            {"reply": "it"},
        ]),
    );
    check(
        ORDERS,
        "GET /orders/{orderId}",
        json!([{"get": {"in": "orders", "id": "args.orderId"}}, {"reply": "it"}]),
    );
}

#[test]
fn what_is_nested_is_scoped() {
    check(
        ORDERS,
        "POST /users/{uid}/notes",
        json!([
            {"get": {"in": "users", "id": "args.uid", "as": "user"}},
            {"create": {"in": "notes[args.uid]", "from": "args.note", "fill": "all"}},
            {"reply": "it"},
        ]),
    );
    check(
        ORDERS,
        "GET /users/{uid}/notes/{noteId}",
        json!([
            {"get": {"in": "users", "id": "args.uid", "as": "user"}},
            {"get": {"in": "notes[args.uid]", "id": "args.noteId"}},
            {"reply": "it"},
        ]),
    );
}

#[test]
fn actions_and_parts_change_the_record() {
    check(
        ORDERS,
        "POST /orders/{orderId}/cancel",
        json!([
            {"update": {"in": "orders", "id": "args.orderId", "set": {"state": "'cancelled'", "cancelled_at": "now()"}}},
            {"reply": "it"},
        ]),
    );
    check(
        ORDERS,
        "GET /orders/{orderId}/address",
        json!([{"get": {"in": "orders", "id": "args.orderId"}}, {"reply": "it.address"}]),
    );
    check(
        ORDERS,
        "PUT /orders/{orderId}/address",
        json!([
            {"get": {"in": "orders", "id": "args.orderId"}},
            {"update": {"at": "orders[args.orderId].address", "merge": "omit(args, ['orderId'])", "upsert": true}},
            {"get": {"in": "orders", "id": "args.orderId"}},
            {"reply": "it.address"},
        ]),
    );
}

#[test]
fn put_makes_what_nothing_else_makes() {
    let paths = "
  /notes/{noteId}:
    parameters: [{name: noteId, in: path, required: true, schema: {type: string}}]
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
    put:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
";
    check(
        paths,
        "PUT /notes/{noteId}",
        json!([
            {"get": {"in": "notes", "id": "args.noteId", "as": "old", "optional": true}},
            {"when": "old == null", "create": {"in": "notes", "id": "args.noteId", "from": "omit(args, ['noteId', 'id'])", "fill": "all"}},
            {"when": "old != null", "update": {"in": "notes", "id": "args.noteId", "merge": "omit(args, ['noteId', 'id'])"}},
            {"reply": "it"},
        ]),
    );
}

#[test]
fn singles_are_kept_and_computed_answers_are_direct() {
    let paths = "
  /settings:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Settings'}}}}}
    patch:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Settings'}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Settings'}}}}}
  /weather:
    get:
      parameters: [{name: city, in: query, required: true, schema: {type: string}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {city: {type: string}, temp: {type: number}}}}}}}
  /convert:
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {from: {type: string}}}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {result: {type: number}}}}}}}
";
    check(paths, "GET /settings", json!([{"get": {"in": "settings", "id": "'current'"}}, {"reply": "it"}]));
    check(
        paths,
        "PATCH /settings",
        json!([
            {"update": {"in": "settings", "id": "'current'", "merge": "args", "upsert": true}},
            {"reply": "it"},
        ]),
    );
    check(paths, "GET /weather", json!("direct"));
    check(paths, "POST /convert", json!("direct"));
}

#[test]
fn a_given_state_is_used_under_its_own_names() {
    let tools = tools(PETS);
    let state = json!({"Pets": [{"id": 1, "name": "Rex"}]});
    let reading = RuleReader.read(&ReadInput { tools: &tools, initial_state: &state });
    assert_eq!(reading.behaviors.collections["pets"].path.as_deref(), Some("Pets"));
    compile(&tools, &reading);
}

#[test]
fn every_published_spec_is_read_into_behaviors_that_compile() {
    let Some(files) = specs::unpack("raw-specs.tar.zst") else { return };
    let (mut tools, mut by_rules, mut documents) = (0, 0, 0);
    for (name, bytes) in files.iter().filter(|(name, _)| name.contains("openapi/")) {
        let Ok(imported) = import(bytes, &Limits::default()) else { continue };
        let reading = read(&imported.tools);
        assert_eq!(reading, read(&imported.tools), "{name} is read alike each time");
        assert_eq!(reading.rungs.len(), imported.tools.len(), "{name}");
        by_rules += compile(&imported.tools, &reading);
        tools += imported.tools.len();
        documents += 1;
    }
    println!("{documents} documents, {tools} operations, {by_rules} read by rules");
    assert!(by_rules * 2 > tools, "{by_rules} of {tools}");
}
