//! How a failed call looks: the body and the HTTP status, in the tool's own style.
//!
//! In this order: the behavior's or toolset's error envelope; what the spec declares for the status
//! (its published example, else its schema); what another operation of the same API declares; the
//! place that the tool's return schema has for an error; `{error: {code, message}}` for HTTP APIs;
//! `{error: message}` for functions that declare what they return, `Error: message` for the others.

use crate::role::{Role, role};
use gtm_tool::{ErrorSpec, ToolSpec, schema};
use gtm_world::{ErrorKind, Filler, Slot, ToolError, Value};
use serde_json::{Map as JsonMap, Value as Json, json};
use std::collections::HashMap;

/// Levels of an error schema that are filled in.
const MAX_DEPTH: usize = 6;
/// Longest published message that may stand for every failure of its kind, in characters.
const MAX_GENERIC: usize = 40;

/// Declared errors of each API, for operations of it that declare none.
#[derive(Debug, Default)]
pub(crate) struct Styles {
    by_api: HashMap<String, (usize, usize)>,
}

impl Styles {
    /// Finds for each API the first declared client error that has a body.
    pub(crate) fn new(tools: &[ToolSpec]) -> Styles {
        let mut by_api = HashMap::new();
        for (at, tool) in tools.iter().enumerate() {
            let client = |e: &ErrorSpec| has_body(e) && e.status.is_none_or(|s| (400..500).contains(&s));
            if let Some(error) = tool.errors.iter().position(client) {
                by_api.entry(tool.origin.api.clone()).or_insert((at, error));
            }
        }
        Styles { by_api }
    }

    fn of<'a>(&self, tools: &'a [ToolSpec], tool: &ToolSpec) -> Option<&'a ErrorSpec> {
        let (at, error) = self.by_api.get(&tool.origin.api)?;
        tools.get(*at)?.errors.get(*error)
    }
}

fn has_body(error: &ErrorSpec) -> bool {
    error.schema.is_some() || error.example.is_some()
}

/// The HTTP status: the behavior's own, else the first declared one that fits the kind, else the
/// kind's.
pub(crate) fn status(tool: Option<&ToolSpec>, error: &ToolError) -> u16 {
    if let Some(status) = error.status {
        return status;
    }
    let fitting: &[u16] = match error.kind {
        ErrorKind::InvalidArgument => &[400, 422],
        ErrorKind::NotFound => &[404, 410],
        ErrorKind::Conflict => &[409, 412, 422, 400],
        ErrorKind::PermissionDenied => &[403, 401],
        ErrorKind::Unauthenticated => &[401, 403],
        ErrorKind::RateLimited => &[429],
        ErrorKind::Unavailable => &[503, 502, 500],
        ErrorKind::Timeout => &[504, 408, 503],
        ErrorKind::Internal => &[500],
        ErrorKind::UnknownTool => &[],
    };
    let declared = |status: &&u16| tool.is_some_and(|t| t.errors.iter().any(|e| e.status == Some(**status)));
    fitting.iter().find(declared).copied().unwrap_or(error.kind.http_status())
}

/// What a real tool's failing status says of the kind of failure.
pub(crate) fn kind_of(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        502 | 503 => ErrorKind::Unavailable,
        400..500 => ErrorKind::InvalidArgument,
        _ => ErrorKind::Internal,
    }
}

/// Everything a body is made from.
pub(crate) struct Body<'a> {
    /// All tools, and how their APIs declare errors.
    pub(crate) tools: &'a [ToolSpec],
    /// Styles by API.
    pub(crate) styles: &'a Styles,
    /// The tool that failed.
    pub(crate) tool: &'a ToolSpec,
    /// Why.
    pub(crate) error: &'a ToolError,
    /// Status, as [`status`] says.
    pub(crate) status: u16,
    /// The call's arguments.
    pub(crate) args: &'a Value,
    /// For members that nothing determines.
    pub(crate) filler: &'a dyn Filler,
    /// Logical time.
    pub(crate) now: i64,
    /// Session seed.
    pub(crate) seed: u64,
}

impl Body<'_> {
    /// The body, where the behavior has no envelope of its own.
    pub(crate) fn render(&self) -> Json {
        let exact = self.tool.errors.iter().find(|e| e.status == Some(self.status) && has_body(e));
        let default = || self.tool.errors.iter().find(|e| e.status.is_none() && has_body(e));
        let other = || self.tool.errors.iter().find(|e| has_body(e));
        let spec = exact.or_else(default).or_else(other).or_else(|| self.styles.of(self.tools, self.tool));
        if let Some(spec) = spec {
            if let Some(example) = &spec.example {
                let keep = spec.status == Some(self.status) && self.error.kind != ErrorKind::InvalidArgument;
                return self.overlay(example.clone(), keep, 0);
            }
            if let Some(root) = &spec.schema {
                return self.fill(root, root, "", 0);
            }
        }
        if self.tool.http.is_some() {
            return json!({"error": {"code": self.error.kind.name(), "message": self.error.message}});
        }
        self.in_returns().unwrap_or_else(|| self.text())
    }

    /// A published example, with what it says about the failure replaced. A message that would
    /// suit every failure of the kind (`Not Found`) is kept, since that is what the real tool says.
    fn overlay(&self, mut example: Json, keep: bool, depth: usize) -> Json {
        let generic = |text: &str| {
            keep && text.chars().count() <= MAX_GENERIC
                && text.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | ',' | '!' | '-'))
        };
        match &mut example {
            Json::String(text) if depth == 0 && !generic(text) => *text = self.error.message.clone(),
            Json::Object(members) if depth < MAX_DEPTH => {
                for (name, value) in members.iter_mut() {
                    match value {
                        Json::Object(_) | Json::Array(_) => {
                            *value = self.overlay(value.take(), keep, depth + 1)
                        }
                        Json::String(text) if role(name) == Some(Role::Message) && generic(text) => {}
                        Json::Number(n) if n.as_u64().is_some_and(|n| (400..600).contains(&n)) => {
                            if matches!(role(name), Some(Role::Kind | Role::Status)) {
                                *value = self.status.into();
                            }
                        }
                        _ => {
                            if let Some(known) = self.known(name).filter(|k| same_type(k, value)) {
                                *value = known;
                            }
                        }
                    }
                }
            }
            Json::Array(items) if depth < MAX_DEPTH => {
                // A list of problems: ours is one.
                items.truncate(1);
                if let Some(item) = items.first_mut() {
                    *item = match item.take() {
                        Json::String(_) => Json::String(self.error.message.clone()),
                        other => self.overlay(other, keep, depth + 1),
                    };
                }
            }
            _ => {}
        }
        example
    }

    /// A body by schema: members whose names say what they hold get it, other required ones are
    /// left to the filler.
    fn fill(&self, root: &Json, node: &Json, path: &str, depth: usize) -> Json {
        let node = schema::resolve(root, node);
        let kind = schema::primary_type(root, node);
        let branch = ["anyOf", "oneOf"].iter().find_map(|k| node.get(*k).and_then(Json::as_array)?.first());
        match kind {
            Some("string") if depth == 0 || is_list_item(path) => {
                return Json::String(self.error.message.clone());
            }
            Some("array") if depth < MAX_DEPTH => {
                let items = node.get("items").unwrap_or(schema::open());
                return Json::Array(vec![self.fill(root, items, &format!("{path}[]"), depth + 1)]);
            }
            _ => {}
        }
        let properties = schema::properties(root, node);
        if properties.is_empty() {
            return match branch {
                Some(branch) if depth < MAX_DEPTH => self.fill(root, branch, path, depth + 1),
                _ if depth == 0 => {
                    json!({"error": {"code": self.error.kind.name(), "message": self.error.message}})
                }
                _ => self.invent(root, node, path),
            };
        }
        let mut out = JsonMap::new();
        for property in properties {
            let inner = schema::resolve(root, property.schema);
            let path =
                if path.is_empty() { property.name.to_owned() } else { format!("{path}.{}", property.name) };
            let kind = schema::primary_type(root, inner);
            let telling = role(property.name).is_some();
            let value = match kind {
                Some("object") if depth < MAX_DEPTH && (telling || property.required) => {
                    Some(self.fill(root, inner, &path, depth + 1))
                }
                Some("array") if depth < MAX_DEPTH && role(property.name) == Some(Role::Problems) => {
                    Some(self.fill(root, inner, &path, depth + 1))
                }
                Some("integer" | "number") if role(property.name) == Some(Role::Kind) => {
                    Some(self.status.into())
                }
                _ => self.known(property.name).and_then(|known| fitting(known, inner, kind)),
            };
            let value = value.or_else(|| property.required.then(|| self.invent(root, inner, &path)));
            out.extend(value.map(|v| (property.name.to_owned(), v)));
        }
        Json::Object(out)
    }

    fn invent(&self, root: &Json, node: &Json, path: &str) -> Json {
        let slot = Slot {
            tool: &self.tool.name,
            path,
            schema: node,
            root,
            known: None,
            args: self.args,
            now: self.now,
            seed: self.seed,
            rows: 1,
        };
        self.filler.fill(&slot).to_json()
    }

    /// What a member of this name holds in an error.
    fn known(&self, name: &str) -> Option<Json> {
        Some(match role(name)? {
            Role::Message => Json::from(self.error.message.as_str()),
            Role::Kind => Json::from(self.error.kind.name()),
            Role::Status => Json::from(self.status),
            Role::Path if self.error.path.is_empty() => return None,
            Role::Path => Json::from(self.error.path.trim_start_matches('/')),
            Role::Success => Json::Bool(false),
            Role::Problems => return None,
        })
    }

    /// A function that declares no structure answers an agent in text.
    fn text(&self) -> Json {
        match self.tool.returns.as_ref().and_then(|root| schema::primary_type(root, root)) {
            None => Json::String(format!("Error: {}", self.error.message)),
            Some(_) => json!({"error": self.error.message}),
        }
    }

    /// The place that a function's return schema has for failures: `{output, exception}`,
    /// `{status: boolean, message}`, or plain text.
    fn in_returns(&self) -> Option<Json> {
        let root = self.tool.returns.as_ref()?;
        if schema::primary_type(root, root) == Some("string") {
            return Some(Json::String(format!("Error: {}", self.error.message)));
        }
        let properties = schema::properties(root, root);
        let text = |node: &Json| schema::primary_type(root, node) == Some("string");
        let failure = properties.iter().find(|p| matches!(p.name, "error" | "exception") && text(p.schema));
        let flag = properties.iter().find(|p| {
            matches!(role(p.name), Some(Role::Success | Role::Status))
                && schema::primary_type(root, p.schema) == Some("boolean")
        });
        let message = properties.iter().find(|p| role(p.name) == Some(Role::Message) && text(p.schema));
        let told = failure.or(flag.and(message))?;
        let mut out = JsonMap::new();
        for property in &properties {
            let value = match property.name {
                name if name == told.name => Json::from(self.error.message.as_str()),
                name if flag.is_some_and(|f| f.name == name) => Json::Bool(false),
                _ if property.required || failure.is_some() => Json::Null,
                _ => continue,
            };
            out.insert(property.name.to_owned(), value);
        }
        Some(Json::Object(out))
    }
}

fn is_list_item(path: &str) -> bool {
    path.ends_with("[]")
}

fn same_type(a: &Json, b: &Json) -> bool {
    b.is_null()
        || (a.is_string() && b.is_string())
        || (a.is_number() && b.is_number())
        || (a.is_boolean() && b.is_boolean())
}

/// The known value if the member's schema takes it: the text of a status where text is wanted, the
/// status where a kind must be a number.
fn fitting(known: Json, node: &Json, kind: Option<&str>) -> Option<Json> {
    if let Some(allowed) = node.get("enum").and_then(Json::as_array) {
        return allowed.contains(&known).then_some(known);
    }
    match (kind, &known) {
        (Some("string"), Json::Number(n)) => Some(Json::String(n.to_string())),
        (Some("string") | None, Json::String(_)) => Some(known),
        (Some("integer" | "number") | None, Json::Number(_)) => Some(known),
        (Some("boolean") | None, Json::Bool(_)) => Some(known),
        _ => None,
    }
}
