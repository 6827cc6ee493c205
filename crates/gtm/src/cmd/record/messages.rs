//! Reading along in an MCP conversation: which calls were made and what was answered.
//!
//! Nothing here changes or holds up a message. What is not understood is none of the recorder's
//! business, and passes.

use super::recorder::Recorder;
use crate::real::outcome;
use gtm_sim::recording::{RecordedCall, RecordedTurn};
use gtm_tool::Limits;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Requests under way that are remembered; what is answered beyond is not recorded.
const MAX_PENDING: usize = 4_096;
/// Tools of one list.
const MAX_TOOLS: usize = 100_000;

/// One session's conversation.
pub(super) struct Conversation {
    recorder: Arc<Recorder>,
    session: String,
    pending: HashMap<String, Pending>,
    /// The pages of a tool list that have come so far.
    list: Vec<Value>,
    asked: bool,
}

/// A request that was not answered yet.
enum Pending {
    Call { name: String, arguments: Value },
    List,
}

impl Conversation {
    pub(super) fn new(recorder: Arc<Recorder>, session: &str) -> Conversation {
        let (pending, list) = Default::default();
        Conversation { recorder, session: session.to_owned(), pending, list, asked: false }
    }

    /// Whether calls are under way.
    pub(super) fn is_busy(&self) -> bool {
        self.pending.values().any(|pending| matches!(pending, Pending::Call { .. }))
    }

    /// A message of the client, or several.
    pub(super) fn said_by_client(&mut self, text: &[u8]) {
        for message in messages(text) {
            let (Some(id), Some(method)) = (id(&message), message.get("method").and_then(Value::as_str))
            else {
                continue;
            };
            let params = message.get("params");
            let pending = match method {
                "tools/call" => {
                    let name = params.and_then(|p| p.get("name")).and_then(Value::as_str);
                    let Some(name) = name else { continue };
                    let arguments = params.and_then(|p| p.get("arguments")).filter(|a| !a.is_null());
                    Pending::Call {
                        name: name.to_owned(),
                        arguments: arguments.cloned().unwrap_or_else(|| json!({})),
                    }
                }
                "tools/list" => {
                    if params.and_then(|p| p.get("cursor")).is_none_or(Value::is_null) {
                        self.list.clear();
                    }
                    self.asked = true;
                    Pending::List
                }
                _ => continue,
            };
            match self.pending.len() < MAX_PENDING {
                true => drop(self.pending.insert(id, pending)),
                false => self.recorder.passed("calls beyond those that can be under way at once"),
            }
        }
    }

    /// A request for the tools, to be sent in the client's place before this message of it: a call
    /// by a client that never asked what tools there are. Asked once.
    pub(super) fn own_request(&mut self, before: &[u8]) -> Option<Vec<u8>> {
        if self.asked || self.recorder.has_tools(&self.session) {
            return None;
        }
        let call =
            messages(before).into_iter().find(|m| m.get("method").is_some_and(|m| m == "tools/call"))?;
        self.asked = true;
        let mut params = Map::new();
        // Newer revisions say in every request who asks and how.
        if let Some(Value::Object(mut meta)) = call.pointer("/params/_meta").cloned() {
            meta.remove("progressToken");
            params.insert("_meta".into(), meta.into());
        }
        self.pending.insert(json!(OWN_ID).to_string(), Pending::List);
        let request = json!({"jsonrpc": "2.0", "id": OWN_ID, "method": "tools/list", "params": params});
        Some(request.to_string().into_bytes())
    }

    /// Whether a message answers [`Conversation::own_request`], and so is not for the client.
    pub(super) fn is_own(&self, text: &[u8]) -> bool {
        self.pending.contains_key(&json!(OWN_ID).to_string())
            && messages(text).iter().any(|m| m.get("id").is_some_and(|id| id == OWN_ID))
    }

    /// A message of the server, or several. What it answers is in the file when this returns.
    pub(super) fn said_by_server(&mut self, text: &[u8]) {
        if self.pending.is_empty() {
            return;
        }
        for mut message in messages(text) {
            if message.get("method").is_some() {
                // A request or notification of the server's own.
                continue;
            }
            let Some(pending) = id(&message).and_then(|id| self.pending.remove(&id)) else { continue };
            match pending {
                Pending::Call { name, arguments } => {
                    let Some((response, is_error)) = outcome(&mut message) else {
                        self.recorder.passed("calls that were answered otherwise than by a result");
                        continue;
                    };
                    let call = RecordedCall { name, arguments };
                    let turn = RecordedTurn { call, response, is_error, ..RecordedTurn::default() };
                    self.recorder.record(&self.session, turn);
                }
                Pending::List => self.page(&message),
            }
        }
    }

    /// One page of the list of tools.
    fn page(&mut self, message: &Value) {
        let Some(tools) = message.pointer("/result/tools").and_then(Value::as_array) else { return };
        self.list.extend(tools.iter().take(MAX_TOOLS.saturating_sub(self.list.len())).cloned());
        let more = message.pointer("/result/nextCursor").is_some_and(|cursor| !cursor.is_null());
        // A client that does not turn the page knows no more tools than these.
        let specs = specs(&self.list);
        if !specs.is_empty() {
            self.recorder.set_tools(&self.session, specs);
        }
        if !more {
            self.list.clear();
        }
    }
}

/// The id of the recorder's own request.
const OWN_ID: &str = "gtm-record/tools";

/// The specs of the tools on a list, as recordings have them. Tools that GTM cannot take are left out.
pub(super) fn specs(tools: &[Value]) -> Vec<Value> {
    let list = json!({ "tools": tools }).to_string();
    let imported = gtm_tool::import(list.as_bytes(), &Limits::default()).map(|i| i.tools).unwrap_or_default();
    imported.iter().filter_map(|tool| serde_json::to_value(tool).ok()).collect()
}

/// The messages in a text: one, or the several of a batch.
fn messages(text: &[u8]) -> Vec<Value> {
    match serde_json::from_slice(text) {
        Ok(Value::Array(messages)) => messages,
        Ok(message) => vec![message],
        Err(_) => Vec::new(),
    }
}

/// An id as text: `1` and `"1"` are two.
fn id(message: &Value) -> Option<String> {
    message.get("id").filter(|id| id.is_string() || id.is_number()).map(Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart() {
        assert_ne!(id(&json!({"id": 1})), id(&json!({"id": "1"})));
        assert_eq!(id(&json!({"id": null})), None);
    }
}
