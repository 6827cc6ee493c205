//! The document that describes the session API is true.

use crate::common::{counting, get, plain, post, send};
use gtm_tool::{Checker, Limits};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn it_is_served_and_well_formed() {
    let served = get(&plain(), "/openapi.json").await.json();
    let document = gtm_serve::openapi();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        assert_eq!(&served["paths"][path], operations);
    }
    // Clients of OpenEnv look for its routes in the server's document.
    for path in ["/reset", "/step", "/state"] {
        assert!(served["paths"][path].is_object(), "{path}");
    }
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 30);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("an operationId");
            assert!(ids.insert(id.to_string()), "{id} twice");
            assert!(operation["responses"].as_object().is_some_and(|r| r.len() == 2), "{method} {path}");
            let declared: BTreeSet<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|p| p["in"] == "path" && p["required"] == true)
                .filter_map(|p| p["name"].as_str())
                .collect();
            let named: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            assert_eq!(declared, named, "{method} {path}");
        }
    }
}

fn collect(node: &Value, out: &mut Vec<String>) {
    match node {
        Value::Object(object) => {
            out.extend(object.get("$ref").and_then(Value::as_str).map(str::to_string));
            object.values().for_each(|value| collect(value, out));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        _ => {}
    }
}

/// GTM's own importer reads it, and every operation becomes a tool.
#[test]
fn it_can_be_imported() {
    let bytes = gtm_serve::openapi().to_string().into_bytes();
    let imported = gtm_tool::import(&bytes, &Limits::default()).expect("an OpenAPI document");
    assert_eq!(imported.skipped, vec![]);
    assert_eq!(imported.tools.len(), imported.operations);
    assert!(imported.operations >= 20, "{}", imported.operations);
}

/// Each documented operation exists, answers with the documented status, and with a body that its
/// documented schema allows.
#[tokio::test]
async fn its_answers_are_the_servers_answers() {
    let router = counting();
    let document = gtm_serve::openapi();
    post(&router, "/v1/sessions", json!({"id": "s", "environment": "counting", "task": "seven"})).await;
    post(&router, "/v1/sessions/s/snapshots", json!({"name": "here"})).await;
    let body = |name: &str| match name {
        "NewSession" => json!({"seed": 1, "ttl_s": 60, "state": {"a": 1}, "world": "open"}),
        "Call" => json!({"tool": "get", "arguments": {"key": "first"}, "idempotency_key": "k"}),
        "Batch" => {
            json!({"calls": [{"tool": "get", "arguments": {"key": "none"}}, {"name": "put", "arguments": {}}]})
        }
        "Observation" => json!({"tool": "get", "arguments": {"key": "q"}, "content": {"key": "q"}}),
        "SnapshotName" => json!({"name": "there"}),
        "Fork" => json!({"n": 2, "seed": 9}),
        "Rollback" => json!({"to": "here"}),
        "Answer" => json!({"answer": "7"}),
        "NewGroup" => json!({"environment": "counting", "task": "seven", "n": 2,
            "prefix": [{"tool": "get", "arguments": {"key": "first"}}]}),
        "Calls" => json!({"calls": [{"session": "s", "tool": "get", "arguments": {"key": "first"}},
            {"session": "nobody", "tool": "get"}]}),
        other => panic!("no example of {other}"),
    };
    let mut operations: Vec<(String, String, Value)> = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("operations") {
            operations.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    // Deleting comes last, or the others have nothing to work on.
    operations.sort_by_key(|(method, _, _)| method == "DELETE");
    for (method, path, operation) in operations {
        let address =
            path.replace("{id}", "s").replace("{toolset}", "notes").replace("{environment}", "counting");
        let schema =
            operation.pointer("/requestBody/content/application~1json/schema/$ref").and_then(Value::as_str);
        let sent = schema.map(|reference| (reference, body(reference.rsplit('/').next().expect("a name"))));
        if let Some((reference, value)) = &sent {
            assert_eq!(check(&document, reference, value), Ok(()), "example of {reference}");
        }
        let text = sent.map(|(_, value)| value.to_string()).unwrap_or_default();
        let answer = send(&router, &method, &address, &[], text).await;
        let responses = operation["responses"].as_object().expect("responses");
        let status = responses.keys().find(|status| *status != "default").expect("a status");
        assert_eq!(answer.status.as_str(), status, "{method} {path}: {}", answer.text());
        match responses[status].pointer("/content/application~1json/schema/$ref").and_then(Value::as_str) {
            Some(reference) => {
                assert_eq!(
                    check(&document, reference, &answer.json()),
                    Ok(()),
                    "{method} {path}: {}",
                    answer.text()
                );
            }
            None => assert!(answer.body.is_empty() || path == "/metrics", "{method} {path}"),
        }
    }
    let problem = get(&router, "/v1/sessions/nobody").await.json();
    assert_eq!(check(&document, "#/components/schemas/Problem", &problem), Ok(()));
}

/// Checks a value against a schema of the document.
fn check(document: &Value, reference: &str, value: &Value) -> Result<(), String> {
    let schema = json!({"$ref": reference, "components": document["components"]});
    let text = schema.to_string().replace("#/components/schemas/", "#/$defs/");
    let mut schema: Value = serde_json::from_str(&text).expect("still JSON");
    schema["$defs"] = schema["components"]["schemas"].take();
    schema.as_object_mut().expect("an object").remove("components");
    let checker = Checker::new(&schema, &Limits::default()).expect("a schema");
    checker.check(value).map_err(|violation| format!("{} at {}", violation.message, violation.path))
}
