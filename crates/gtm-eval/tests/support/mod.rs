//! A small suite for tests: a shop's notes, kept by a real tool that never was.

mod rules;

pub(crate) use rules::rules;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// A session in which a note is read, changed, read again, and a call goes wrong.
pub(crate) fn session(id: &str) -> Json {
    let text = json!({"type": "string"});
    let tool = |name: &str, description: &str, properties: Json, required: &[&str]| {
        json!({"name": name, "description": description,
            "parameters": {"type": "object", "properties": properties, "required": required},
            "returns": {"type": "object", "properties": {"id": text, "text": text, "status": text}}})
    };
    let turn = |name: &str, arguments: Json, response: Json, is_error: bool| json!({"call": {"name": name, "arguments": arguments}, "response": response, "is_error": is_error});
    let note = |status: &str| json!({"id": "n1", "text": "buy <milk> & eggs", "status": status});
    json!({
        "suite": "notes", "session_id": id, "group": id, "kind": "errors",
        "tools": [
            tool("get_note", "Get a note by its id", json!({"id": text}), &["id"]),
            tool("update_note", "Update a note", json!({"id": text, "status": text}), &["id"]),
        ],
        "initial_state": {"notes": {"n1": note("open")}},
        "turns": [
            turn("get_note", json!({"id": "n1"}), note("open"), false),
            turn("update_note", json!({"id": "n1", "status": "closed"}), note("closed"), false),
            turn("get_note", json!({"id": "n1"}), note("closed"), false),
            turn("get_note", json!({"id": "n2"}), json!({"error": "there is no such note"}), true),
            turn("get_note", json!({}), json!({"error": "missing id"}), true),
            turn("get_note", json!({"id": "n1"}), json!({"id": "n1", "mood": "sunny"}), false),
        ],
    })
}

/// Writes lines into a file of this name.
pub(crate) fn write(folder: &Path, name: &str, lines: &[String]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, lines.join("\n")).expect("the file is written");
    path
}
