//! The session API's own description, as OpenAPI 3.1.

use crate::routes::{ROUTES, Route};
use serde_json::{Map, Value, json};

/// The OpenAPI 3.1 document of the session API.
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "GTM",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Simulates the tools that agents call",
            "description": "Sessions of simulated tools. A tool's failure is a reply (`is_error`); errors of the \
                server itself are problem documents (RFC 9457) with a stable `code`.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"}
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"key": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": {"Problem": {
                "description": "What is wrong and what to do about it",
                "content": {"application/problem+json": {"schema": reference("Problem")}}
            }},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "Needed if the server was started with a key."},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
            }
        }
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    for name in route.path.split(['{', '}']).skip(1).step_by(2) {
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    }
    for (place, name, kind, purpose) in route.params {
        let mut schema = json!({"type": kind});
        if *kind == "integer" {
            schema["minimum"] = 0.into();
        }
        parameters.push(json!({"name": name, "in": place, "description": purpose, "schema": schema}));
    }
    let (status, reply) = route.reply;
    let mut success = json!({"description": "Done"});
    if reply.contains('/') {
        success["content"] = json!({reply: {"schema": {"type": "string"}}});
    } else if !reply.is_empty() {
        success["content"] = json!({"application/json": {"schema": reference(reply)}});
    }
    let mut operation = json!({"operationId": route.id, "summary": route.summary});
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = route.body {
        let optional = matches!(body, "NewSession" | "Fork" | "Answer");
        operation["requestBody"] =
            json!({"required": !optional, "content": {"application/json": {"schema": reference(body)}}});
    }
    operation["responses"] =
        json!({status.to_string(): success, "default": {"$ref": "#/components/responses/Problem"}});
    if route.public() {
        operation["security"] = json!([]);
    }
    operation
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    let whole = json!({"type": "integer", "minimum": 0});
    let flag = json!({"type": "boolean"});
    let call = json!({
        "tool": {"type": "string", "description": "Name of the tool; `name` is understood too."},
        "name": {"type": "string", "description": "Another word for `tool`."},
        "arguments": {"type": "object", "description": "Absent means none."},
        "idempotency_key": {"type": "string", "description": "A call repeated under the same key has no second effect."}
    });
    let with = |members: Value| {
        let mut all = call.clone();
        if let (Value::Object(all), Value::Object(members)) = (&mut all, members) {
            all.extend(members);
        }
        all
    };
    let named = json!([{"required": ["tool"]}, {"required": ["name"]}]);
    json!({
        "Call": {"type": "object", "additionalProperties": false, "anyOf": named, "properties": with(json!({
            "toolset": {"type": "string", "description": "Create the session with this toolset if there is none."}}))},
        "Batch": {"type": "object", "additionalProperties": false, "required": ["calls"], "properties": {
            "calls": {"type": "array", "items": {
                "type": "object", "additionalProperties": false, "anyOf": named, "properties": call}},
            "toolset": {"type": "string", "description": "Create the session with this toolset if there is none."}}},
        "Observation": {"type": "object", "additionalProperties": false, "anyOf": named, "required": ["content"],
            "properties": with(json!({
                "content": {"description": "What the real tool answered: any JSON."},
                "is_error": {"type": "boolean", "default": false}}))},
        "Reply": {"type": "object", "required": ["content", "text", "is_error", "error", "provenance", "state_version", "status"],
            "properties": {
                "content": {"description": "What the tool answers: any JSON."},
                "text": {"type": "string", "description": "The content as an agent reads it: text as it is, anything else as JSON."},
                "is_error": flag,
                "error": {"anyOf": [reference("ToolError"), {"type": "null"}]},
                "provenance": reference("Provenance"),
                "state_version": whole,
                "status": {"type": "integer", "description": "The HTTP status that the tool would have answered with."}}},
        "ToolError": {"type": "object", "required": ["kind", "message"], "properties": {
            "kind": {"enum": ["invalid_argument", "unknown_tool", "not_found", "conflict", "permission_denied",
                "unauthenticated", "rate_limited", "unavailable", "timeout", "internal"]},
            "message": text, "path": text, "expected": text, "status": whole}},
        "Provenance": {"type": "object", "required": ["rung", "seed", "state_version"], "properties": {
            "rung": {"type": "string", "description": "What answered, such as `rules` or `check`."},
            "seed": whole, "state_version": whole,
            "invented": {"type": "array", "items": text, "description": "JSON pointers to values that nothing determined."},
            "fault": text, "retried": flag,
            "valid": {"type": "boolean", "description": "False if the content breaks the tool's declared schema."}}},
        "Replies": {"type": "object", "required": ["replies"], "properties": {
            "replies": {"type": "array", "items": reference("Reply")}}},
        "NewSession": {"type": "object", "additionalProperties": false, "properties": {
            "id": {"type": "string", "description": "Chosen by the client; random if absent."},
            "toolset": {"type": "string", "description": "Default: the one the server is set to, or its only one."},
            "environment": {"type": "string", "description": "Environment of the task; the session is an attempt at it."},
            "task": {"type": "string", "description": "Task of the environment. Default: the one that `seed` picks."},
            "tools": {"type": "array", "items": text, "description": "Tools that the session offers. Default: all."},
            "seed": whole,
            "state": {"type": "object", "description": "Initial state in place of the toolset's. `initial_state` is understood too."},
            "initial_state": {"type": "object", "description": "Another word for `state`."},
            "world": {"enum": ["open", "closed"]},
            "faults": {"type": "array", "items": {"type": "object"}, "description": "Faults in place of the toolset's (docs/toolset.md)."},
            "ttl_s": {"type": "integer", "minimum": 0, "description": "Seconds of idleness after which it is removed."}}},
        "Answer": {"type": "object", "additionalProperties": false, "properties": {
            "answer": {"type": "string", "description": "What the agent answered, unless it handed that in by a call."}}},
        "Score": {"type": "object", "required": ["reward", "success", "kind", "checks"], "properties": {
            "reward": {"type": "number", "minimum": 0, "maximum": 1}, "success": flag, "kind": {"enum": ["sparse", "shaped"]},
            "checks": {"type": "array", "items": {"type": "object", "required": ["name", "holds", "held_at_start", "weight", "why"],
                "properties": {"name": text, "holds": flag, "held_at_start": flag, "weight": {"type": "number"}, "why": text}}}}},
        "Environments": {"type": "object", "required": ["environments"], "properties": {
            "environments": {"type": "array", "items": {"type": "object",
                "required": ["name", "tasks", "splits", "toolsets", "dialects", "default"], "properties": {
                    "name": text, "description": text, "tasks": whole, "splits": {"type": "array", "items": text},
                    "toolsets": {"type": "array", "items": text}, "dialects": {"type": "array", "items": text}, "default": flag}}}}},
        "Tasks": {"type": "object", "required": ["tasks", "total", "next"], "properties": {
            "tasks": {"type": "array", "items": {"type": "object", "required": ["id", "split", "instruction", "toolset", "answer"],
                "properties": {"id": text, "split": text, "instruction": text, "toolset": text,
                    "tools": {"type": ["array", "null"], "items": text, "description": "Those that may be used; null for all."},
                    "calls": {"type": ["integer", "null"]},
                    "answer": {"type": "boolean", "description": "Whether the agent hands in an answer at the end."}}}},
            "total": whole, "next": {"type": ["integer", "null"]}}},
        "NewGroup": {"type": "object", "additionalProperties": false, "required": ["n"], "properties": {
            "environment": text, "task": text, "n": {"type": "integer", "minimum": 1, "description": "Attempts."},
            "prefix": {"type": "array", "items": {
                "type": "object", "additionalProperties": false, "anyOf": named, "properties": call}},
            "ids": {"type": "array", "items": text}, "seeds": {"type": "array", "items": whole,
                "description": "Seeds of the attempts from there on. Without, they go on alike."},
            "ttl_s": whole}},
        "Group": {"type": "object", "required": ["replies", "sessions"], "properties": {
            "replies": {"type": "array", "items": {"anyOf": [reference("Reply"), {"type": "null"}]}},
            "sessions": {"type": "array", "items": reference("Session")}}},
        "Calls": {"type": "object", "additionalProperties": false, "required": ["calls"], "properties": {
            "calls": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["session"],
                "anyOf": named, "properties": with(json!({"session": text}))}}}},
        "RepliesOrProblems": {"type": "object", "required": ["replies"], "properties": {
            "replies": {"type": "array", "items": {"anyOf": [reference("Reply"),
                {"type": "object", "required": ["problem"], "properties": {"problem": reference("Problem")}}]}}}},
        "Session": {"type": "object", "required": ["id", "toolset", "seed", "turns", "state_version"], "properties": {
            "id": text, "toolset": text, "seed": whole, "world": {"enum": ["open", "closed"]}, "turns": whole,
            "state_version": whole, "snapshots": {"type": "array", "items": reference("Snapshot")},
            "ttl_s": whole, "idle_s": whole}},
        "Sessions": {"type": "object", "required": ["sessions", "next"], "properties": {
            "sessions": {"type": "array", "items": reference("Session")}, "next": {"type": ["string", "null"]}}},
        "Toolsets": {"type": "object", "required": ["toolsets"], "properties": {
            "toolsets": {"type": "array", "items": {"type": "object", "required": ["name", "tools", "default"],
                "properties": {"name": text, "description": text, "tools": whole, "default": flag}}}}},
        "Tools": {"type": "object", "required": ["tools", "total", "next"], "properties": {
            "tools": {"type": "array", "items": {"type": "object", "required": ["name", "parameters"],
                "properties": {"name": text, "description": text, "parameters": {"type": "object"}, "returns": {}}}},
            "total": whole, "next": {"type": ["integer", "null"]}}},
        "SnapshotName": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 128}}},
        "Snapshot": {"type": "object", "required": ["name", "turn"], "properties": {"name": text, "turn": whole}},
        "Snapshots": {"type": "object", "required": ["snapshots"], "properties": {
            "snapshots": {"type": "array", "items": reference("Snapshot")}}},
        "Fork": {"type": "object", "additionalProperties": false, "properties": {
            "n": {"type": "integer", "minimum": 1, "default": 1},
            "count": {"type": "integer", "minimum": 1, "description": "Another word for `n`."},
            "seed": {"type": "integer", "minimum": 0, "description": "The copies differ from here on: their seeds are this and the numbers after it. Without it they go on alike."},
            "seeds": {"type": "array", "items": whole, "description": "Instead of `seed`, one for each copy."},
            "ids": {"type": "array", "items": text, "description": "Ids of the copies; random if absent."}}},
        "Forks": {"type": "object", "required": ["sessions"], "properties": {
            "sessions": {"type": "array", "items": reference("Session")}}},
        "Rollback": {"type": "object", "additionalProperties": false, "required": ["to"], "properties": {
            "to": {"type": ["string", "integer"], "description": "Name of a snapshot, or number of the first turn to undo."}}},
        "State": {"type": "object", "required": ["state", "state_version"], "properties": {
            "state": {"description": "Any JSON."}, "state_version": whole}},
        "Transcript": {"type": "object", "required": ["turns", "total", "next"], "properties": {
            "turns": {"type": "array", "items": {"type": "object", "required": ["turn", "call", "reply"],
                "properties": {"turn": whole, "call": {"type": "object"}, "reply": reference("Reply")}}},
            "first": {"type": "integer", "description": "Number of the oldest turn still kept."},
            "total": whole, "next": {"type": ["integer", "null"]}}},
        "Health": {"type": "object", "required": ["status"], "properties": {"status": text}},
        "Version": {"type": "object", "required": ["name", "version"], "properties": {"name": text, "version": text}},
        "Document": {"type": "object", "required": ["openapi", "info", "paths"]},
        "Problem": {"type": "object", "required": ["type", "title", "status", "code", "detail", "hint"], "properties": {
            "type": text, "title": text, "status": whole, "code": {"type": "string", "pattern": "^GTM[0-9]{4}$"},
            "detail": text, "place": text, "expected": text, "hint": text}}
    })
}
