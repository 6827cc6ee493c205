//! What operations of OpenAPI and Swagger documents become.

use gtm_tool::{Checker, Format, HttpParam, Imported, Limits, ParamLocation, ToolSpec, import};
use serde_json::{Value, json};

fn read(document: &Value) -> Imported {
    import(document.to_string().as_bytes(), &Limits::default()).expect("an OpenAPI document")
}

/// A document of one operation, `POST /shops/{shop}/parts` unless said otherwise.
fn with(operation: Value, rest: Value) -> Value {
    let mut document = json!({"openapi": "3.0.3", "info": {"title": "Parts", "version": "1"},
        "paths": {"/shops/{shop}/parts": {"post": operation}}});
    for (key, value) in rest.as_object().expect("an object") {
        document[key] = value.clone();
    }
    document
}

fn tool(operation: Value, rest: Value) -> ToolSpec {
    let imported = read(&with(operation, rest));
    assert_eq!(imported.skipped, []);
    let tool = imported.tools.into_iter().next().expect("one tool");
    Checker::new(&tool.parameters, &Limits::default()).expect("a valid schema");
    for schema in tool.returns.iter().chain(tool.errors.iter().filter_map(|e| e.schema.as_ref())) {
        Checker::new(schema, &Limits::default()).expect("a valid schema");
    }
    tool
}

fn body(schema: Value) -> Value {
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

#[test]
fn parameters_and_body_merge_at_the_top() {
    let tool = tool(
        json!({
            "operationId": "create part!", "summary": "Creates a part.", "tags": ["parts", "x"],
            "parameters": [
                {"name": "dry", "in": "query", "schema": {"type": "boolean"}, "description": "only try"},
                {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                {"name": "Authorization", "in": "header", "schema": {"type": "string"}},
                {"name": "content-type", "in": "header", "schema": {"type": "string"}},
                {"name": "api_key", "in": "query", "schema": {"type": "string"}},
            ],
            "requestBody": body(json!({"$ref": "#/components/schemas/Part"})),
            "responses": {"201": {"description": "made", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Part"}}}}},
        }),
        json!({
            "servers": [{"url": "https://{host}/api/{version}/", "variables": {"host": {"default": "h.example"}, "version": {"default": "v2"}}}],
            "components": {
                "securitySchemes": {"k": {"type": "apiKey", "in": "query", "name": "api_key"}},
                "schemas": {
                    "Part": {"type": "object", "required": ["id", "name", "secret"], "properties": {
                        "id": {"type": "string", "readOnly": true},
                        "secret": {"type": "string", "writeOnly": true},
                        "name": {"type": "string", "nullable": true},
                        "parent": {"$ref": "#/components/schemas/Part"},
                    }},
                    "Unused": {"type": "object"},
                },
            },
        }),
    );
    assert_eq!((tool.name.as_str(), tool.description.as_str()), ("create_part", "Creates a part."));
    let properties = tool.parameters["properties"].as_object().unwrap();
    assert_eq!(properties.keys().collect::<Vec<_>>(), ["dry", "X-Trace", "shop", "secret", "name", "parent"]);
    assert_eq!(tool.parameters["required"], json!(["shop", "secret", "name"]));
    assert_eq!(properties["name"]["type"], json!(["string", "null"]));
    assert_eq!(properties["parent"], json!({"$ref": "#/$defs/Part"}));
    assert_eq!(properties["dry"]["description"], "only try");
    let defs = tool.parameters["$defs"].as_object().unwrap();
    assert_eq!(defs.keys().collect::<Vec<_>>(), ["Part"]);
    assert_eq!(defs["Part"]["required"], json!(["name", "secret"]));
    let returns = tool.returns.as_ref().unwrap();
    assert_eq!(returns["$ref"], "#/$defs/Part");
    assert_eq!(returns["$defs"]["Part"]["required"], json!(["id", "name"]));
    let http = tool.http.as_ref().unwrap();
    assert_eq!(
        (http.base.as_str(), http.path.as_str(), http.method.as_str()),
        ("/api/v2", "/shops/{shop}/parts", "POST")
    );
    assert_eq!(
        (http.success_status, http.success_type.as_str(), http.tag.as_deref()),
        (201, "application/json", Some("parts"))
    );
    assert_eq!(
        http.params[0],
        HttpParam {
            name: "dry".into(),
            argument: "dry".into(),
            location: ParamLocation::Query,
            explode: true
        }
    );
    assert_eq!(http.params.len(), 3);
    let body = http.body.as_ref().unwrap();
    assert_eq!(
        (body.argument.as_deref(), body.media_type.as_str(), body.required),
        (None, "application/json", true)
    );
    assert_eq!((tool.annotations.read_only, tool.annotations.destructive), (Some(false), Some(false)));
    assert_eq!((tool.origin.api.as_str(), tool.origin.format), ("Parts", Some(Format::OpenApi30)));
}

#[test]
fn a_body_that_is_no_plain_object_or_collides_stays_whole() {
    for schema in [
        json!({"type": "array", "items": {"type": "string"}}),
        json!({"type": "object", "properties": {"shop": {"type": "string"}}}),
        json!({"oneOf": [{"type": "object", "properties": {"a": {}}}, {"type": "string"}]}),
        json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        json!({"type": "object"}),
    ] {
        let tool = tool(json!({"requestBody": body(schema)}), json!({}));
        assert_eq!(tool.parameters["required"], json!(["shop", "body"]));
        assert_eq!(tool.http.unwrap().body.unwrap().argument.as_deref(), Some("body"));
    }
    let taken = json!({"parameters": [{"name": "body", "in": "query", "schema": {"type": "string"}}],
        "requestBody": body(json!({"type": "array"}))});
    assert_eq!(tool(taken, json!({})).http.unwrap().body.unwrap().argument.as_deref(), Some("request_body"));
}

#[test]
fn all_of_bodies_are_flattened() {
    let part = json!({"allOf": [
        {"$ref": "#/components/schemas/Base"},
        {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "minimum": 0, "exclusiveMinimum": true}}},
    ]});
    let base = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}});
    let tool = tool(json!({"requestBody": body(part)}), json!({"components": {"schemas": {"Base": base}}}));
    assert_eq!(tool.parameters["required"], json!(["shop", "kind", "size"]));
    assert_eq!(tool.parameters["properties"]["size"], json!({"type": "integer", "exclusiveMinimum": 0}));
    assert_eq!(tool.http.unwrap().body.unwrap().argument, None);
}

#[test]
fn forms_and_raw_bodies() {
    let form = json!({"content": {"multipart/form-data": {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}}}});
    let upload = tool(json!({"requestBody": form}), json!({}));
    assert_eq!(upload.http.unwrap().body.unwrap().media_type, "multipart/form-data");
    assert!(upload.parameters["properties"]["file"].is_object());
    let raw = tool(json!({"requestBody": {"content": {"text/plain": {}}}}), json!({}));
    assert_eq!(raw.parameters["properties"]["body"], json!({"type": "string"}));
}

#[test]
fn path_parameters_references_and_overrides() {
    let document = json!({"openapi": "3.1.0", "info": {"title": "t"}, "paths": {
        "/a/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}, {"$ref": "#/components/parameters/page"}],
            "get": {"parameters": [{"name": "page", "in": "query", "schema": {"type": "string"}}, {"name": "id", "in": "query", "schema": {"type": ["string", "null"]}}],
                    "responses": {"200": {"$ref": "#/components/responses/ok"}}},
            "delete": {"operationId": "removeA", "responses": {"204": {"description": "gone"}}},
        },
        "/b": {"$ref": "#/components/pathItems/b"},
    }, "components": {
        "parameters": {"page": {"name": "page", "in": "query", "schema": {"type": "integer"}}},
        "responses": {"ok": {"description": "ok", "content": {"application/vnd.x+json": {"schema": {"const": 1}, "example": 1}}}},
        "pathItems": {"b": {"put": {"responses": {"default": {"description": "any", "content": {"application/json": {"schema": {"type": "integer"}}}}}}}},
    }, "webhooks": {"w": {"post": {"responses": {}}}}});
    let imported = read(&document);
    let names: Vec<_> = imported.tools.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["get_a_by_id", "removeA", "put_b"]);
    assert_eq!((imported.format, imported.operations), (Format::OpenApi31, 3));
    let get = &imported.tools[0];
    assert_eq!(get.parameters["properties"]["page"]["type"], "string");
    assert_eq!(get.parameters["properties"]["id_query"]["type"], json!(["string", "null"]));
    assert_eq!(get.http.as_ref().unwrap().params[2].name, "id");
    assert_eq!(get.http.as_ref().unwrap().success_type, "application/vnd.x+json");
    assert_eq!(get.examples[0].response, json!(1));
    assert_eq!((get.annotations.read_only, get.annotations.idempotent), (Some(true), Some(true)));
    let delete = &imported.tools[1];
    assert_eq!((delete.annotations.destructive, &delete.returns), (Some(true), &None));
    assert_eq!(
        (delete.http.as_ref().unwrap().success_status, delete.http.as_ref().unwrap().success_type.as_str()),
        (204, "")
    );
    assert_eq!(imported.tools[2].returns, Some(json!({"type": "integer"})));
}

#[test]
fn errors_and_examples() {
    let error = json!({"description": "no such shop", "content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/Problem"}, "examples": {"a": {"$ref": "#/components/examples/e"}}}}});
    let tool = tool(
        json!({"responses": {
            "404": error, "4XX": {"description": "bad"}, "default": {"description": "else"},
            "200": {"description": "ok", "content": {"application/json": {"examples": {"one": {"value": {"n": 1}}, "two": {"value": {"n": 2}}}}}},
            "201": {"description": "made"},
        }}),
        json!({"components": {
            "schemas": {"Problem": {"type": "object", "properties": {"code": {"type": "string"}, "inner": {"$ref": "#/components/schemas/Problem"}}}},
            "examples": {"e": {"value": {"code": "x"}}},
        }}),
    );
    let statuses: Vec<_> = tool.errors.iter().map(|e| (e.status, e.description.as_str())).collect();
    assert_eq!(statuses, [(Some(404), "no such shop"), (Some(400), "bad"), (None, "else")]);
    assert_eq!(tool.errors[0].example, Some(json!({"code": "x"})));
    assert_eq!(tool.errors[0].schema.as_ref().unwrap()["$ref"], "#/$defs/Problem");
    let examples: Vec<_> = tool.examples.iter().map(|e| &e.response).collect();
    assert_eq!(examples, [&json!({"n": 1}), &json!({"n": 2})]);
    assert_eq!(tool.http.unwrap().success_status, 200);
}

#[test]
fn swagger_2() {
    let text = "
swagger: '2.0'
info: {title: Old, version: '1'}
host: example.com
basePath: /v1/
consumes: [application/json]
produces: [application/json]
securityDefinitions: {k: {type: apiKey, in: header, name: X-Key}}
paths:
  /parts/{id}:
    put:
      operationId: putPart
      parameters:
        - {name: id, in: path, required: true, type: integer, format: int64}
        - {name: X-Key, in: header, type: string}
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: multi}
        - {name: part, in: body, required: true, schema: {$ref: '#/definitions/Part'}}
      responses:
        200:
          description: done
          schema: {$ref: '#/definitions/Part'}
          examples: {application/json: {name: bolt}}
        404: {description: none}
  /upload:
    post:
      parameters:
        - {name: file, in: formData, type: file, required: true}
        - {name: note, in: formData, type: string}
      responses: {default: {description: ok}}
definitions:
  Part:
    type: object
    required: [name]
    properties: {name: {type: string, x-nullable: true}, size: {type: number}}
";
    let imported = import(text.as_bytes(), &Limits::default()).expect("a Swagger document");
    assert_eq!((imported.format, imported.tools.len(), imported.skipped.len()), (Format::Swagger20, 2, 0));
    let put = &imported.tools[0];
    let properties = put.parameters["properties"].as_object().unwrap();
    assert_eq!(properties.keys().collect::<Vec<_>>(), ["id", "tags", "name", "size"]);
    assert_eq!(properties["name"]["type"], json!(["string", "null"]));
    assert_eq!(put.parameters["required"], json!(["id", "name"]));
    let http = put.http.as_ref().unwrap();
    assert_eq!((http.base.as_str(), http.success_type.as_str()), ("/v1", "application/json"));
    assert!(http.params[1].explode);
    assert_eq!(put.examples[0].response, json!({"name": "bolt"}));
    assert_eq!(put.errors[0].status, Some(404));
    let upload = &imported.tools[1];
    assert_eq!(upload.parameters["properties"]["file"]["type"], "string");
    assert_eq!(upload.parameters["required"], json!(["file"]));
    assert_eq!(upload.http.as_ref().unwrap().body.as_ref().unwrap().argument, None);
}

#[test]
fn names_are_made_and_kept_apart() {
    let long = "x".repeat(80);
    let operations = json!({"openapi": "3.0.0", "paths": {
        "/a/{b-c}/d.e": {"get": {}, "post": {"operationId": "do it"}},
        "/b": {"get": {"operationId": "do.it"}, "put": {"operationId": long}, "patch": {"operationId": long}},
    }});
    let imported = read(&operations);
    let names: Vec<_> = imported.tools.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names[..3], ["get_a_by_b-c_d_e", "do_it", "do_it_2"]);
    assert_eq!((names[3].len(), names[4].len()), (64, 64));
    assert!(names[4].ends_with("x_2"));
}

#[test]
fn references_out_of_the_document_are_named_and_cost_one_operation() {
    let targets = [
        "http://127.0.0.1:9/x.json#/A",
        "http://169.254.169.254/",
        "file:///etc/hostname",
        "../x.yaml",
        "https://h/redirect",
    ];
    for target in targets {
        let reference = json!({"$ref": target});
        let ok = json!({"responses": {}});
        for operation in [
            json!({"parameters": [reference]}),
            json!({"parameters": [{"name": "a", "in": "query", "schema": reference}]}),
            json!({"requestBody": reference}),
            json!({"requestBody": body(reference.clone())}),
            json!({"requestBody": body(json!({"properties": {"a": {"items": reference}}}))}),
            json!({"requestBody": body(json!({"$ref": "#/components/schemas/Far"}))}),
        ] {
            let document = json!({"openapi": "3.0.0", "paths": {"/a": {"post": operation, "get": ok}},
                "components": {"schemas": {"Far": {"properties": {"a": {"properties": {"b": reference}}}}}}});
            let imported = read(&document);
            assert_eq!((imported.tools.len(), imported.skipped.len()), (1, 1), "{operation}");
            let reason = &imported.skipped[0].reason;
            assert!(reason.contains("GTM0106") && reason.contains(target), "{reason}");
        }
        // On the reply's side the tool stays, and its schema says what is not known.
        let replies = json!({"responses": {"200": {"content": {"application/json": {"schema": {"properties": {"a": reference}}}}}}});
        let imported = read(&json!({"openapi": "3.0.0", "paths": {"/a": {"get": replies}}}));
        let note =
            imported.tools[0].returns.as_ref().unwrap()["properties"]["a"]["description"].as_str().unwrap();
        assert!(note.contains(target), "{note}");
        let path = read(&json!({"openapi": "3.0.0", "paths": {"/a": reference, "/b": {"get": ok}}}));
        assert_eq!((path.tools.len(), path.skipped.len(), path.operations), (1, 1, 2));
    }
}

#[test]
fn faults_cost_one_operation_or_nothing() {
    let imported = read(&json!({"openapi": "3.0.0", "paths": {
        "/a": {"get": 7, "post": {"parameters": [{"$ref": "#/components/parameters/no"}, 3, {"in": "query"}],
            "requestBody": {"$ref": "#/components/requestBodies/loop"}}},
        "/b/{x}": {"put": {"requestBody": body(json!({"$ref": "#/components/schemas/Missing"})), "responses": {"abc": {}, "200": {"$ref": "#/no"}}}},
        "/c": null, "x-d": {"get": {}},
    }, "components": {"requestBodies": {"loop": {"$ref": "#/components/requestBodies/loop"}}}}));
    assert_eq!((imported.operations, imported.tools.len()), (4, 1));
    assert_eq!(imported.tools[0].parameters["required"], json!(["x", "body"]));
    let reasons: Vec<_> = imported.skipped.iter().map(|s| s.operation.as_str()).collect();
    assert_eq!(reasons, ["GET /a", "/c", "POST /a"]);
    assert!(
        imported
            .skipped
            .iter()
            .all(|s| s.reason.starts_with("[GTM0103]") && s.reason.contains("(at /paths/")),
        "{:?}",
        imported.skipped
    );
}

#[test]
fn large_graphs_are_cut_where_they_would_not_fit() {
    let mut schemas = serde_json::Map::new();
    for i in 0..400 {
        let next = |n: usize| json!({"$ref": format!("#/components/schemas/S{}", (i * 2 + n) % 400)});
        schemas.insert(
            format!("S{i}"),
            json!({"type": "object", "properties": {"a": next(1), "b": next(2), "text": {"type": "string"}}}),
        );
    }
    let operation = |i: usize| json!({"responses": {"200": {"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/S{i}")}}}}}});
    let paths: serde_json::Map<String, Value> =
        (0..400).map(|i| (format!("/p{i}"), json!({"get": operation(i)}))).collect();
    let document =
        json!({"openapi": "3.0.0", "paths": paths, "components": {"schemas": schemas}}).to_string();
    let limits = Limits { total_defs_nodes: 100_000, ..Limits::default() };
    let imported = import(document.as_bytes(), &limits).expect("a document");
    assert_eq!((imported.tools.len(), imported.skipped.len()), (400, 0));
    let sizes: Vec<usize> = imported
        .tools
        .iter()
        .map(|t| t.returns.as_ref().unwrap()["$defs"].as_object().unwrap().len())
        .collect();
    assert!(sizes.iter().all(|&n| n > 20 && n < 400), "{sizes:?}");
    let cut = imported.tools[0].returns.as_ref().unwrap()["$defs"].to_string();
    assert!(cut.contains("left open"), "the cut is said");
    for tool in &imported.tools {
        Checker::new(tool.returns.as_ref().unwrap(), &limits).expect("no reference dangles");
    }
}
