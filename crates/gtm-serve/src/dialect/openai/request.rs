//! A request for a chat completion, and what its messages ask for.

use super::ANY;
use gtm_error::{Code, Error, Result, printable};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Most messages of a chat.
const MAX_MESSAGES: usize = 10_000;

/// What of a request is understood. All else is ignored, as servers of this API do.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default = "any")]
    pub(super) model: String,
    pub(super) messages: Vec<Value>,
    #[serde(default)]
    pub(super) tools: Vec<Value>,
    pub(super) response_format: Option<Value>,
    pub(super) seed: Option<i64>,
    #[serde(default)]
    pub(super) stream: bool,
    pub(super) stream_options: Option<StreamOptions>,
    pub(super) session_id: Option<String>,
    pub(super) n: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct StreamOptions {
    #[serde(default)]
    pub(super) include_usage: bool,
}

fn any() -> String {
    ANY.to_owned()
}

/// One tool call in a chat.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    pub(super) id: String,
    pub(super) tool: String,
    pub(super) arguments: Value,
    /// Tells calls of one id apart: ids may come again in a later message.
    pub(super) key: String,
    /// What the chat says that it was answered.
    pub(super) result: Option<Value>,
}

impl Request {
    /// The tool calls of the chat: those before, and those that are to be answered now.
    pub(super) fn calls(&self) -> Result<(Vec<Made>, Vec<Made>)> {
        if self.messages.len() > MAX_MESSAGES {
            let what = format!("{} messages", self.messages.len());
            return Err(Error::new(Code::RequestTooLarge, what)
                .at("messages")
                .expected(format!("at most {MAX_MESSAGES}")));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(Error::new(Code::RequestMalformed, "there is one completion: a tool answers once")
                .at("n")
                .expected("1"));
        }
        let mut made: Vec<Made> = Vec::new();
        // Where each open call is, by its id.
        let mut open: HashMap<String, usize> = HashMap::new();
        let mut last = 0;
        for (at, message) in self.messages.iter().enumerate() {
            match message.get("role").and_then(Value::as_str) {
                Some("assistant") => {
                    let calls = message.get("tool_calls").and_then(Value::as_array);
                    for (number, call) in calls.into_iter().flatten().enumerate() {
                        let place = format!("messages[{at}].tool_calls[{number}]");
                        let call = read_call(call, at, number).map_err(|e| e.at(place))?;
                        open.insert(call.id.clone(), made.len());
                        made.push(call);
                        last = at;
                    }
                }
                Some("tool") => {
                    let id = message.get("tool_call_id").and_then(Value::as_str).unwrap_or_default();
                    if let Some(place) = open.get(id).copied() {
                        made[place].result = Some(content(message));
                    }
                }
                _ => {}
            }
        }
        // Calls of the last message that have no result yet are what is asked.
        let asked = format!("{last}:");
        let (now, before) =
            made.into_iter().partition(|call| call.result.is_none() && call.key.starts_with(&asked));
        Ok((before, now))
    }

    /// The schema that the answer is to have: its name and itself.
    pub(super) fn schema(&self) -> Option<(String, Value)> {
        let format = self.response_format.as_ref().filter(|format| format["type"] == "json_schema")?;
        let nested = format.get("json_schema").unwrap_or(format);
        let name = nested.get("name").and_then(Value::as_str).unwrap_or("value").to_owned();
        Some((name, nested.get("schema")?.clone()))
    }

    /// The last thing that a user says.
    pub(super) fn prompt(&self) -> String {
        let user = self.messages.iter().rev().find(|message| message["role"] == "user");
        user.map(|message| crate::reply::text(&content(message))).unwrap_or_default()
    }
}

fn read_call(call: &Value, at: usize, number: usize) -> Result<Made> {
    let function = call.get("function").unwrap_or(call);
    let tool = function.get("name").and_then(Value::as_str);
    let tool = tool.ok_or_else(|| Error::new(Code::RequestMalformed, "the tool call has no name"))?;
    let arguments = match function.get("arguments") {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(Value::String(text)) if text.trim().is_empty() => Value::Object(Map::new()),
        // What is no JSON is an agent's mistake, which the tool's check is to tell it.
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        Some(other) => other.clone(),
    };
    let id = call.get("id").and_then(Value::as_str).map_or_else(|| format!("call_{number}"), str::to_owned);
    if id.len() > 200 {
        return Err(Error::new(Code::RequestMalformed, format!("the id `{}` is too long", printable(&id))));
    }
    Ok(Made { key: format!("{at}:{number}:{id}"), id, tool: tool.to_owned(), arguments, result: None })
}

/// What a message says: JSON if it is that, else text.
fn content(message: &Value) -> Value {
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        Some(other) => return other.clone(),
        None => return Value::Null,
    };
    match serde_json::from_str::<Value>(&text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(messages: Value) -> Request {
        serde_json::from_value(json!({"messages": messages})).expect("a request")
    }

    fn call(id: &str, name: &str) -> Value {
        json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{\"a\": 1}"}})
    }

    #[test]
    fn calls_without_a_result_are_asked() {
        let request = request(json!([
            {"role": "user", "content": "go"},
            {"role": "assistant", "tool_calls": [call("x", "first")]},
            {"role": "tool", "tool_call_id": "x", "content": "{\"ok\": true}"},
            {"role": "assistant", "tool_calls": [call("x", "second"), call("y", "third")]},
            {"role": "tool", "tool_call_id": "x", "content": "fine"}
        ]));
        let (before, now) = request.calls().expect("calls");
        let names = |calls: &[Made]| calls.iter().map(|c| c.tool.clone()).collect::<Vec<_>>();
        assert_eq!(names(&before), ["first", "second"]);
        assert_eq!(before[0].result, Some(json!({"ok": true})));
        assert_eq!(before[1].result, Some(json!("fine")));
        assert_eq!(names(&now), ["third"]);
        assert_eq!(now[0].arguments, json!({"a": 1}));
    }

    #[test]
    fn a_chat_without_calls_asks_for_none() {
        let request = request(json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]}]));
        assert_eq!(request.calls().expect("no calls"), (vec![], vec![]));
        assert_eq!(request.prompt(), "hi");
    }
}
