//! Completions, streams of them and errors, in this API's own form.

use crate::dialect::{json as answer, sse};
use crate::problem::Failure;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gtm_error::{Code, Error};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a completion says.
#[derive(Clone, Debug)]
pub(super) struct Completion {
    pub(super) model: String,
    pub(super) content: String,
    /// What each tool answered, beside the text.
    pub(super) results: Vec<Value>,
    /// Bytes of the request's messages.
    pub(super) asked: usize,
}

impl Completion {
    /// The same request gets the same id.
    fn id(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.model, &self.content, self.asked).hash(&mut hasher);
        format!("chatcmpl-{:016x}", hasher.finish())
    }

    /// An estimate: nothing here counts tokens.
    fn usage(&self) -> Value {
        let (prompt, completion) = (self.asked.div_ceil(4), self.content.len().div_ceil(4));
        json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
    }

    pub(super) fn whole(&self) -> Response {
        let mut message = json!({"role": "assistant", "content": self.content});
        if !self.results.is_empty() {
            message["tool_results"] = self.results.clone().into();
        }
        answer(
            StatusCode::OK,
            &json!({
                "id": self.id(), "object": "chat.completion", "created": 0, "model": self.model,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": null}],
                "usage": self.usage(),
            }),
        )
    }

    /// The whole stream: a completion is there at once or not at all.
    pub(super) fn stream(&self, usage: bool) -> String {
        let id = self.id();
        let chunk = |choices: Value, usage: Value| {
            let chunk = json!({"id": id, "object": "chat.completion.chunk", "created": 0, "model": self.model,
                "choices": choices, "usage": usage});
            sse::event("", &chunk.to_string())
        };
        let delta = |delta: Value, finish: Value| {
            chunk(
                json!([{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": null}]),
                Value::Null,
            )
        };
        let mut text = delta(json!({"role": "assistant", "content": ""}), Value::Null);
        let mut content = json!({"content": self.content});
        if !self.results.is_empty() {
            content["tool_results"] = self.results.clone().into();
        }
        text += &delta(content, Value::Null);
        text += &delta(json!({}), "stop".into());
        if usage {
            text += &chunk(json!([]), self.usage());
        }
        text + &sse::event("", "[DONE]")
    }
}

/// An error in this API's own form, with the status and the headers that it has elsewhere.
pub(super) fn failure(error: &Error) -> Response {
    let body = problem(error);
    let mut response = Failure::from(error.clone()).into_response();
    let answer = answer(response.status(), &body);
    let (head, body) = answer.into_parts();
    let headers = response.headers_mut();
    headers.extend(head.headers);
    *response.body_mut() = body;
    response
}

pub(super) fn problem(error: &Error) -> Value {
    let kind = match error.code().http_status() {
        401 => "authentication_error",
        429 => "rate_limit_error",
        status if status >= 500 => "server_error",
        _ => "invalid_request_error",
    };
    let code = match error.code() {
        Code::ToolsetUnknown => "model_not_found",
        code => code.id(),
    };
    let mut message = gtm_error::printable(error.message()).into_owned();
    if let Some(expected) = error.expectation() {
        message = format!("{message} (expected: {})", gtm_error::printable(expected));
    }
    json!({"error": {"message": message, "type": kind, "param": error.place(), "code": code}})
}
