//! Every format on small documents: what is detected, and what comes out.

use gtm_error::Code;
use gtm_tool::{Checker, Format, Imported, Limits, import};
use serde_json::{Value, json};

fn read(text: impl AsRef<[u8]>) -> Imported {
    import(text.as_ref(), &Limits::default()).expect("a known format")
}

fn value(document: Value) -> Imported {
    read(document.to_string())
}

fn names(imported: &Imported) -> Vec<&str> {
    imported.tools.iter().map(|t| t.name.as_str()).collect()
}

#[test]
fn mcp_in_all_its_shapes() {
    let tool = json!({
        "name": "note.add", "title": "Add", "description": " Adds a note. ",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        "outputSchema": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "annotations": {"readOnlyHint": false, "idempotentHint": true},
    });
    let mut snake = tool.clone();
    for (camel, name) in [("inputSchema", "input_schema"), ("outputSchema", "output_schema")] {
        let schema = snake[camel].take();
        snake[name] = schema;
    }
    snake.as_object_mut().unwrap().retain(|_, v| !v.is_null());
    for document in [
        json!({"tools": [tool]}),
        json!([tool]),
        json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": [tool], "nextCursor": null}}),
        json!({"tools": [snake]}),
        tool.clone(),
    ] {
        let imported = value(document);
        assert_eq!((imported.format, imported.operations), (Format::Mcp, 1));
        let tool = &imported.tools[0];
        assert_eq!(tool.name, "note.add");
        assert_eq!(tool.description, "Adds a note.");
        assert_eq!(tool.parameters["required"], json!(["text"]));
        assert_eq!(tool.returns.as_ref().unwrap()["properties"]["id"]["type"], "integer");
        assert_eq!((tool.annotations.read_only, tool.annotations.idempotent), (Some(false), Some(true)));
        assert_eq!(tool.annotations.destructive, None);
    }
}

#[test]
fn mcp_lists_of_arguments_and_of_nothing() {
    let imported = value(json!([
        {"name": "find", "description": "d", "arguments": [
            {"name": "q", "type": "string", "desc": "what"},
            {"name": "n", "type": "integer", "desc": "how many", "optional": true},
            {"name": "tags", "type": "array", "items": {"type": "string"}, "required": false},
        ]},
        {"name": "ping", "description": "no arguments"},
    ]));
    assert_eq!(imported.format, Format::Mcp);
    let find = &imported.tools[0].parameters;
    assert_eq!(find["required"], json!(["q"]));
    assert_eq!(find["properties"]["q"], json!({"type": "string", "description": "what"}));
    assert_eq!(imported.tools[1].parameters, json!({"type": "object", "properties": {}}));
    assert_eq!(value(json!({"tools": []})).format, Format::Mcp);
    assert_eq!(value(json!([])).operations, 0);
}

#[test]
fn openai_chat_and_responses() {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false});
    let function = json!({"name": "weather", "description": "d", "parameters": parameters, "strict": true, "return": {"type": "number"}});
    for document in [
        json!([{"type": "function", "function": function}]),
        json!({"tools": [{"type": "function", "function": function}], "model": "m"}),
        json!({"type": "function", "function": function}),
    ] {
        let imported = value(document);
        assert_eq!(imported.format, Format::OpenaiChat);
        assert_eq!(imported.tools[0].parameters, parameters);
        assert_eq!(imported.tools[0].returns, Some(json!({"type": "number"})));
    }
    let mut flat = function.clone();
    flat["type"] = "function".into();
    let imported = value(json!([flat, {"type": "web_search"}]));
    assert_eq!(imported.format, Format::OpenaiResponses);
    assert_eq!((imported.operations, imported.tools.len(), imported.skipped.len()), (2, 1, 1));
    assert!(imported.skipped[0].reason.starts_with("[GTM0102]"), "{:?}", imported.skipped);
}

#[test]
fn bfcl_functions_lines_and_tasks() {
    let function = json!({
        "name": "math.area", "description": "d",
        "parameters": {"type": "dict", "properties": {
            "base": {"type": "float"}, "points": {"type": "tuple", "items": {"type": "float"}}, "extra": {"type": "any"},
        }, "required": ["base"]},
        "response": {"type": "dict", "properties": {"area": {"type": "float"}}},
    });
    let line = function.to_string();
    let task = json!({"id": "t1", "question": [[{"role": "user", "content": "hi"}]], "function": [function]})
        .to_string();
    let lines = format!("{line}\n\n{}\n", line.replace("math.area", "math.rim"));
    let tasks = format!("{task}\n{task}\n");
    for (text, expected) in [
        (json!([function]).to_string(), vec!["math.area"]),
        (lines, vec!["math.area", "math.rim"]),
        (tasks, vec!["math.area"]),
        (task, vec!["math.area"]),
    ] {
        let imported = read(&text);
        assert_eq!((imported.format, names(&imported)), (Format::Bfcl, expected), "{text}");
        let tool = &imported.tools[0];
        assert_eq!(tool.parameters["type"], "object");
        assert_eq!(tool.parameters["properties"]["base"], json!({"type": "number"}));
        assert_eq!(tool.parameters["properties"]["points"]["type"], "array");
        assert_eq!(tool.parameters["properties"]["extra"], json!({}));
        assert_eq!(tool.returns.as_ref().unwrap()["properties"]["area"]["type"], "number");
    }
}

#[test]
fn toolbench_tools_and_apis() {
    let tool = json!({"tool_name": "Rain Radar!", "tool_description": "d", "title": "t", "api_list": [{
        "name": "Next 24h", "url": "https://x.p.rapidapi.com/next/{city}", "description": "forecast", "method": "GET",
        "required_parameters": [{"name": "city", "type": "STRING", "description": "", "default": "Oslo"}, {"name": "id", "type": "NUMBER"}],
        "optional_parameters": [{"name": "metric", "type": "BOOLEAN"}, {"name": "mode", "type": "ENUM", "enum": ["a", "b"]}],
        "template_response": {"mm": 3},
    }]});
    for document in [tool.clone(), json!([tool])] {
        let imported = value(document);
        assert_eq!(imported.format, Format::Toolbench);
        let tool = &imported.tools[0];
        assert_eq!(tool.name, "next_24h_for_rain_radar");
        assert_eq!(tool.parameters["required"], json!(["city", "is_id"]));
        assert_eq!(tool.parameters["properties"]["mode"], json!({"type": "string", "enum": ["a", "b"]}));
        assert_eq!(tool.parameters["properties"]["metric"]["type"], "boolean");
        assert_eq!(tool.examples[0].response, json!({"mm": 3}));
        let http = tool.http.as_ref().unwrap();
        assert_eq!((http.method.as_str(), http.path.as_str()), ("GET", "/next/{city}"));
    }
}

#[test]
fn own_lines_with_method_and_path() {
    let line = json!({
        "id": "a.b.c", "provider": "acme", "api": "Acme", "name": "createPart", "description": "d", "origin": "real",
        "parameters": {"type": "object", "properties": {"shop": {"type": "string"}, "size": {"type": "integer", "nullable": true}}, "required": ["shop"]},
        "returns": {"type": "object", "properties": {"id": {"type": "string", "example": "p1"}}},
        "method": "post", "path": "/shops/{shop}/parts",
        "errors": [{"status": "404", "code": "NoShop", "description": "no such shop"}, {"status": "default", "description": "else"}],
        "examples": [{"arguments": {"shop": "s"}, "response": {"id": "p"}, "complete": false}, {"arguments": {"shop": "s"}, "response": {"id": "p"}, "complete": true}],
    });
    let imported = read(format!("{line}\n{}\n", line.to_string().replace("createPart", "createPart2")));
    assert_eq!((imported.format, imported.tools.len()), (Format::Gtm, 2));
    let tool = &imported.tools[0];
    assert_eq!((tool.origin.api.as_str(), tool.origin.provider.as_str()), ("Acme", "acme"));
    let http = tool.http.as_ref().unwrap();
    assert_eq!((http.method.as_str(), http.success_status), ("POST", 201));
    assert_eq!(http.params.len(), 1);
    assert_eq!(http.body.as_ref().unwrap().argument, None);
    assert_eq!(tool.parameters["properties"]["size"]["type"], json!(["integer", "null"]));
    assert_eq!(tool.returns.as_ref().unwrap()["properties"]["id"]["examples"], json!(["p1"]));
    assert_eq!(
        (tool.errors[0].status, tool.errors[0].description.as_str()),
        (Some(404), "NoShop: no such shop")
    );
    assert_eq!(tool.errors[1].status, None);
    assert_eq!(
        (&tool.examples[0].arguments, &tool.examples[1].arguments),
        (&None, &Some(json!({"shop": "s"})))
    );
}

#[test]
fn what_is_imported_can_be_written_and_read_back() {
    let first = value(
        json!([{"name": "a", "description": "d", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}},
        "returns": {"type": "object"}, "method": "DELETE", "path": "/x/{x}", "api": "A"}]),
    );
    let again = value(serde_json::to_value(&first.tools).unwrap());
    assert_eq!(again.tools, first.tools);
}

#[test]
fn names_are_made_unique_and_repetitions_dropped() {
    let tool = |name: &str, kind: &str| json!({"name": name, "inputSchema": {"type": "object", "properties": {"a": {"type": kind}}}});
    let imported = value(json!([
        tool("get", "string"),
        tool("get", "string"),
        tool("get", "integer"),
        tool("get_2", "string")
    ]));
    assert_eq!(names(&imported), ["get", "get_2", "get_2_2"]);
    assert_eq!(imported.operations, 3);
}

#[test]
fn one_bad_entry_leaves_out_only_itself() {
    let imported = value(json!({"tools": [
        {"name": "good", "inputSchema": {"type": "object"}},
        {"name": "", "inputSchema": {}},
        {"name": "remote", "inputSchema": {"properties": {"a": {"$ref": "http://127.0.0.1/x"}}}},
        {"name": "scalar", "inputSchema": {"type": "string"}},
        {"name": "reply", "inputSchema": {}, "outputSchema": {"$ref": "file:///etc/passwd"}},
        7,
    ]}));
    assert_eq!(names(&imported), ["good", "reply"]);
    assert_eq!((imported.operations, imported.skipped.len()), (6, 4));
    let remote = imported.skipped.iter().find(|s| s.operation.starts_with("remote")).unwrap();
    assert!(remote.reason.contains("GTM0106") && remote.reason.contains("http://127.0.0.1/x"), "{remote:?}");
    let reply = imported.tools[1].returns.as_ref().unwrap()["description"].as_str().unwrap();
    assert!(reply.contains("file:///etc/passwd"), "{reply}");
}

#[test]
fn slips_in_schemas_are_mended() {
    let imported = value(json!([{"type": "function", "function": {"name": "f", "parameters": {
        "type": "object",
        "properties": {
            "a": {"type": "string", "required": true},
            "b": {"type": "Integer", "minimum": "1", "exclusiveMinimum": true},
            "c": {"type": "List[str]", "enum": null},
            "d": {"type": ["string", "None"]},
            "e": {"type": "string", "enum": [1, 2]},
            "f": "boolean",
        },
        "required": null, "optional": [],
    }}}]));
    let schema = &imported.tools[0].parameters;
    assert_eq!(schema["required"], json!(["a"]));
    assert_eq!(
        schema["properties"],
        json!({
            "a": {"type": "string"}, "b": {"type": "integer", "exclusiveMinimum": 1}, "c": {"type": "array"},
            "d": {"type": ["string", "null"]}, "e": {"type": "string", "enum": ["1", "2"]}, "f": {"type": "boolean"},
        })
    );
    let checker = Checker::new(schema, &Limits::default()).expect("a valid schema");
    assert!(checker.check(&json!({"a": "x", "b": 2, "e": "1", "f": true})).is_ok());
    assert!(checker.check(&json!({"a": "x", "b": 1})).is_err());
}

#[test]
fn documents_that_are_none() {
    for (text, code) in [
        ("", Code::SpecFormatUnknown),
        ("hello", Code::SpecFormatUnknown),
        ("[1, 2]", Code::SpecFormatUnknown),
        ("{\"a\": 1}", Code::SpecFormatUnknown),
        ("{\"openapi\": \"3.0.0\"}", Code::SpecMalformed),
        ("{\"openapi\": \"3.0.0\", \"paths\": []}", Code::SpecMalformed),
        ("{\"tools\": [", Code::SpecSyntax),
        ("a: b: c", Code::SpecSyntax),
    ] {
        let error = import(text.as_bytes(), &Limits::default()).expect_err(text);
        assert_eq!(error.code(), code, "{text}: {error}");
    }
    let error = import(b"{\"openapi\": \"3.0.0\", \"paths\": 1}", &Limits::default()).unwrap_err();
    assert_eq!(error.place(), Some("/paths"));
    let error = import(b"{\"tools\":\n [}", &Limits::default()).unwrap_err();
    assert_eq!(error.place(), Some("line 2, column 3"));
}

#[test]
fn compressed_documents_and_bombs() {
    let text = json!([{"name": "a", "inputSchema": {}}]).to_string();
    let packed = zstd::bulk::compress(text.as_bytes(), 1).unwrap();
    assert_eq!(names(&read(packed)), ["a"]);
    let bomb = zstd::bulk::compress(&vec![b' '; 64 << 20], 1).unwrap();
    assert!(bomb.len() < 100_000);
    let error = import(&bomb, &Limits::default()).unwrap_err();
    assert_eq!(error.code(), Code::SpecTooLarge);
    assert_eq!(import(b"\x28\xb5\x2f\xfdnonsense", &Limits::default()).unwrap_err().code(), Code::SpecSyntax);
}

#[test]
fn too_many_tools_are_refused() {
    let limits = Limits { tools: 3, ..Limits::default() };
    let tools: Vec<Value> = (0..4).map(|i| json!({"name": format!("t{i}"), "inputSchema": {}})).collect();
    let error = import(json!(tools).to_string().as_bytes(), &limits).unwrap_err();
    assert_eq!(error.code(), Code::SpecTooLarge);
}

#[test]
fn lines_are_streamed_in_order() {
    let mut text = String::new();
    for i in 0..5_000 {
        text += &json!({"name": format!("t{i}"), "parameters": {"type": "object"}}).to_string();
        text += if i % 7 == 0 { "\n\n" } else { "\n" };
        if i == 2_500 {
            text += "{broken\n";
        }
    }
    let packed = zstd::bulk::compress(text.as_bytes(), 1).unwrap();
    for bytes in [text.as_bytes(), &packed] {
        let (mut last, mut tools) = (0, 0);
        let summary = gtm_tool::import_lines(bytes, &Limits::default(), |line, result| {
            assert!(line > last);
            last = line;
            if let Ok(tool) = result {
                assert_eq!(tool.name, format!("t{tools}"));
                tools += 1;
            }
        })
        .expect("readable");
        assert_eq!((summary.lines, summary.tools, summary.skipped, tools), (5_001, 5_000, 1, 5_000));
    }
    let long = Limits { line_bytes: 10, ..Limits::default() };
    assert_eq!(
        gtm_tool::import_lines(text.as_bytes(), &long, |_, _| ()).unwrap_err().code(),
        Code::SpecTooLarge
    );
}
