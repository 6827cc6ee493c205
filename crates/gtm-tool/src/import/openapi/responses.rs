//! An operation's replies: the schema of success, documented failures, published examples.

use super::defs::Ready;
use super::finish::reply;
use super::{Document, Operation, follow, json_size, pick_media};
use crate::import::common::{cut, text};
use crate::spec::{ErrorSpec, Example};
use serde_json::{Map, Value};

/// The reply side of a tool.
pub(super) struct Replies {
    pub(super) status: u16,
    pub(super) media_type: String,
    pub(super) returns: Option<Ready>,
    /// Status, and index into the document's errors.
    pub(super) errors: Vec<(Option<u16>, usize)>,
    pub(super) examples: Vec<Example>,
}

/// Values that the definitions of one error body may take up; there are many and they are alike.
const ERROR_ROOM: usize = 1_000;

/// One declared response.
struct Response<'a> {
    /// `None` for `default`.
    status: Option<u16>,
    node: &'a Map<String, Value>,
}

impl<'a> Document<'a> {
    pub(super) fn responses(&mut self, operation: &Operation<'a>) -> Replies {
        let responses = self.declared(operation);
        let success = responses
            .iter()
            .filter(|r| r.status.is_some_and(|s| (200..300).contains(&s)))
            .min_by_key(|r| r.status);
        let default = responses.iter().find(|r| r.status.is_none());
        let redirect = || responses.iter().find(|r| r.status.is_some_and(|s| (300..400).contains(&s)));
        let chosen = success.or_else(redirect).or(default);
        let mut replies = Replies {
            status: chosen.and_then(|r| r.status).unwrap_or(200),
            media_type: String::new(),
            returns: None,
            errors: Vec::new(),
            examples: Vec::new(),
        };
        if let Some(chosen) = chosen {
            let content = self.content(operation, chosen.node);
            replies.media_type = content.media_type;
            // A redirect's body is a courtesy to browsers.
            if !chosen.status.is_some_and(|s| (300..400).contains(&s)) {
                replies.returns = content.schema.map(|schema| self.replies.ready(schema));
            }
            let limits = self.limits;
            let small = content.examples.into_iter().filter(|e| json_size(e) <= limits.example_bytes);
            let examples = small.map(|response| Example { arguments: None, response: response.clone() });
            replies.examples = examples.take(limits.examples).collect();
        }
        for response in &responses {
            let is_error = match response.status {
                Some(status) => status >= 400,
                None => success.is_some(),
            };
            if is_error {
                let error = self.error(operation, response);
                replies.errors.push(error);
            }
        }
        replies
    }

    /// The declared responses in order. One that leads nowhere is as if it had no body.
    fn declared(&self, operation: &Operation<'a>) -> Vec<Response<'a>> {
        static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let mut found = Vec::new();
        for (code, response) in
            operation.node.get("responses").and_then(Value::as_object).into_iter().flatten()
        {
            let status = match code.to_ascii_uppercase().as_str() {
                "DEFAULT" => None,
                class if class.len() == 3 && class.ends_with("XX") => match class.as_bytes()[0] {
                    digit @ b'2'..=b'5' => Some(u16::from(digit - b'0') * 100),
                    _ => continue,
                },
                code => match code.parse::<u16>() {
                    Ok(status @ 200..=599) => Some(status),
                    _ => continue,
                },
            };
            let node = follow(self.root, response).ok().and_then(Value::as_object).unwrap_or(&NOTHING);
            found.push(Response { status, node });
        }
        found
    }

    /// Many operations share their error responses, so each is made once.
    fn error(&mut self, operation: &Operation<'a>, response: &Response<'a>) -> (Option<u16>, usize) {
        let key = std::ptr::from_ref(response.node);
        let at = match self.error_places.get(&key) {
            Some(&at) => at,
            None => {
                let error = self.new_error(operation, response);
                self.errors.push(error);
                self.error_places.insert(key, self.errors.len() - 1);
                self.errors.len() - 1
            }
        };
        (response.status, at)
    }

    fn new_error(&mut self, operation: &Operation<'a>, response: &Response<'a>) -> ErrorSpec {
        let content = self.content(operation, response.node);
        let description = cut(text(response.node, "description").to_owned(), self.limits.description_bytes);
        let example =
            content.examples.into_iter().find(|e| json_size(e) <= self.limits.example_bytes).cloned();
        let ready = content.schema.map(|schema| self.replies.ready(schema));
        let schema = ready.map(|ready| reply(&self.replies, ready, ERROR_ROOM, self.limits));
        ErrorSpec { status: response.status, description, schema, example }
    }

    fn content(&self, operation: &Operation<'a>, response: &'a Map<String, Value>) -> Content<'a> {
        if let Some(content) = response.get("content").and_then(Value::as_object) {
            return match pick_media(content) {
                Some((media_type, media)) => {
                    self.media(media_type.to_owned(), media.get("schema"), Some(media))
                }
                None => Content::default(),
            };
        }
        let examples = response.get("examples").and_then(Value::as_object);
        if response.get("schema").is_none() && examples.is_none() {
            return Content::default();
        }
        // Swagger 2: the media type is declared for the operation or the document.
        let lists = [operation.node.get("produces"), self.root.get("produces")];
        let types = || {
            lists
                .into_iter()
                .flatten()
                .filter_map(Value::as_array)
                .find(|l| !l.is_empty())
                .into_iter()
                .flatten()
        };
        let words = || types().filter_map(Value::as_str);
        let media_type =
            words().find(|t| super::is_json(t)).or_else(|| words().next()).unwrap_or("application/json");
        let mut content = self.media(media_type.to_owned(), response.get("schema"), None);
        if let Some((_, example)) = examples.and_then(pick_media) {
            content.examples.insert(0, example);
        }
        content
    }

    fn media(&self, media_type: String, schema: Option<&'a Value>, media: Option<&'a Value>) -> Content<'a> {
        let mut examples = Vec::new();
        examples.extend(media.and_then(|m| m.get("example")));
        if let Some(named) = media.and_then(|m| m.get("examples")).and_then(Value::as_object) {
            let values = named.values().filter_map(|example| follow(self.root, example).ok()?.get("value"));
            examples.extend(values);
        }
        if examples.is_empty() {
            let resolved = schema.map(|s| crate::schema::resolve(self.root, s));
            examples.extend(resolved.and_then(|s| s.get("example").or_else(|| s.get("examples")?.get(0))));
        }
        Content { media_type, schema, examples }
    }
}

/// What a response holds.
#[derive(Default)]
struct Content<'a> {
    media_type: String,
    schema: Option<&'a Value>,
    examples: Vec<&'a Value>,
}

/// The value of the first of OpenAPI's named examples.
pub(super) fn first_named(examples: &Value) -> Option<&Value> {
    examples.as_object()?.values().find_map(|example| example.get("value"))
}
