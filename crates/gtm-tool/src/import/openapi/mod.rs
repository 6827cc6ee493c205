//! OpenAPI 3.0 and 3.1, and Swagger 2.0: one tool for each operation.
//!
//! The document is read as plain JSON: real ones break the standard in ways that typed readers
//! refuse. Shared schemas stay shared ([`defs`]); webhooks and callbacks are calls the API makes,
//! not tools.

mod body;
mod defs;
mod finish;
mod params;
mod responses;
mod security;

use super::common::{Names, cut, sanitised, text};
use super::{Imported, Skipped};
use crate::Limits;
use crate::normalise::Direction;
use crate::spec::{Annotations, ErrorSpec, Format, HttpBinding, Origin, ToolSpec};
use defs::Defs;
use finish::{Draft, Shared};
use gtm_error::{Code, Error, Result};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Methods that make an operation, in the order tools are listed for one path.
const METHODS: &[&str] = &["get", "head", "options", "post", "put", "patch", "delete", "trace"];

/// What all operations of one document share.
struct Document<'a> {
    root: &'a Value,
    format: Format,
    limits: &'a Limits,
    /// Schemas as requests see them (`readOnly` is not required), and as replies do.
    requests: Defs<'a>,
    replies: Defs<'a>,
    api_keys: security::ApiKeys,
    /// Error responses, each once, and where they are by their place in the document.
    errors: Vec<ErrorSpec>,
    error_places: HashMap<*const Map<String, Value>, usize>,
}

/// One operation and where it is.
#[derive(Clone, Copy)]
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    item: &'a Map<String, Value>,
    node: &'a Map<String, Value>,
}

pub(super) fn import(root: &Value, format: Format, limits: &Limits) -> Result<Imported> {
    let mut imported = Imported { format, operations: 0, tools: Vec::new(), skipped: Vec::new() };
    let operations = operations(root, &mut imported)?;
    if operations.len() > limits.tools {
        return Err(Error::new(
            Code::SpecTooLarge,
            format!("the document holds {} operations", operations.len()),
        )
        .expected(format!("at most {} (`limits.tools`)", limits.tools)));
    }
    let mut document = Document {
        root,
        format,
        limits,
        requests: Defs::new(root, format, Direction::Request, limits),
        replies: Defs::new(root, format, Direction::Response, limits),
        api_keys: security::ApiKeys::of(root),
        errors: Vec::new(),
        error_places: HashMap::new(),
    };
    let origin = Origin {
        api: cut(root.pointer("/info/title").and_then(Value::as_str).unwrap_or_default().to_owned(), 256),
        provider: String::new(),
        format: Some(format),
    };
    let drafts = operations.iter().map(|operation| document.draft(operation)).collect();
    let Document { requests, replies, errors, .. } = &document;
    let finished = Shared { requests, replies, errors, limits }.finish(drafts);
    let mut names = Names::default();
    for (operation, tool) in operations.iter().zip(finished) {
        imported.operations += 1;
        match tool {
            Ok(mut tool) => {
                tool.name = names.unique(tool.name, 64);
                tool.origin = origin.clone();
                imported.tools.push(tool);
            }
            Err(error) => {
                let error = error.at(operation.pointer());
                imported.skipped.push(Skipped::new(operation.title(), &error));
            }
        }
    }
    Ok(imported)
}

/// All operations in order; path items that cannot be read are listed as skipped at once.
fn operations<'a>(root: &'a Value, imported: &mut Imported) -> Result<Vec<Operation<'a>>> {
    let paths = match root.get("paths") {
        Some(Value::Object(paths)) => paths,
        // OpenAPI 3.1 documents may hold webhooks or components only.
        None if root.get("components").is_some() || root.get("webhooks").is_some() => return Ok(Vec::new()),
        _ => {
            let error = Error::new(Code::SpecMalformed, "the document has no `paths` object");
            return Err(error.at("/paths").expected("an object of paths"));
        }
    };
    let mut operations = Vec::new();
    for (path, item) in paths {
        let resolved = if path.starts_with("x-") { continue } else { follow(root, item) };
        let item = match resolved.and_then(|item| {
            item.as_object().ok_or_else(|| Error::new(Code::SpecMalformed, "the path item is not an object"))
        }) {
            Ok(item) => item,
            Err(error) => {
                imported.operations += 1;
                let error = error.at(format!("/paths/{}", escape(path)));
                imported.skipped.push(Skipped::new(path.clone(), &error));
                continue;
            }
        };
        for (method, node) in item {
            let Some(method) = METHODS.iter().find(|m| m.eq_ignore_ascii_case(method)) else { continue };
            match node {
                Value::Object(node) => operations.push(Operation { method, path, item, node }),
                _ => {
                    imported.operations += 1;
                    let error = Error::new(Code::SpecMalformed, "the operation is not an object")
                        .at(format!("/paths/{}/{method}", escape(path)));
                    let title = format!("{} {path}", method.to_ascii_uppercase());
                    imported.skipped.push(Skipped::new(title, &error));
                }
            }
        }
    }
    Ok(operations)
}

impl Operation<'_> {
    fn title(&self) -> String {
        format!("{} {}", self.method.to_ascii_uppercase(), self.path)
    }

    fn pointer(&self) -> String {
        format!("/paths/{}/{}", escape(self.path), self.method)
    }

    fn name(&self) -> String {
        let given = sanitised(text(self.node, "operationId"));
        if !given.is_empty() {
            return given;
        }
        let mut name = self.method.to_owned();
        for word in self.path.split('/').filter(|w| !w.is_empty()) {
            name.push('_');
            name.push_str(&word.replace('{', "by_"));
        }
        sanitised(&name)
    }

    fn description(&self, limits: &Limits) -> String {
        let (summary, description) =
            (text(self.node, "summary").trim(), text(self.node, "description").trim());
        let both = match (summary, description) {
            ("", text) | (text, "") => text.to_owned(),
            _ if description.starts_with(summary.trim_end_matches('.')) => description.to_owned(),
            _ => format!("{summary}\n\n{description}"),
        };
        cut(both, limits.description_bytes)
    }
}

impl<'a> Document<'a> {
    /// The operation as a tool, but for its schemas.
    fn draft(&mut self, operation: &Operation<'a>) -> Result<Draft> {
        let request = self.request(operation)?;
        let replies = self.responses(operation);
        let tag = operation.node.get("tags").and_then(|tags| tags.get(0)).and_then(Value::as_str);
        let method = operation.method.to_ascii_uppercase();
        let tool = ToolSpec {
            name: operation.name(),
            description: operation.description(self.limits),
            annotations: annotations(&method),
            examples: replies.examples,
            http: Some(HttpBinding {
                method,
                path: operation.path.to_owned(),
                base: self.base(operation),
                params: request.params,
                body: request.body,
                success_status: replies.status,
                success_type: replies.media_type,
                tag: tag.map(str::to_owned),
            }),
            ..ToolSpec::default()
        };
        Ok(Draft { tool, arguments: request.arguments, returns: replies.returns, errors: replies.errors })
    }

    /// Path of the first server, nearest declaration first.
    fn base(&self, operation: &Operation<'_>) -> String {
        if self.format == Format::Swagger20 {
            let base = self.root.get("basePath").and_then(Value::as_str).unwrap_or_default();
            return base.trim_end_matches('/').to_owned();
        }
        let servers =
            [operation.node.get("servers"), operation.item.get("servers"), self.root.get("servers")];
        let server = servers.into_iter().flatten().find_map(|list| list.get(0));
        server.map(server_path).unwrap_or_default()
    }
}

/// The path of a server's address, its variables replaced by their defaults.
fn server_path(server: &Value) -> String {
    let mut url = server.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let default = match variable.get("default") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => continue,
        };
        url = url.replace(&format!("{{{name}}}"), &default);
    }
    let path = match url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//")) {
        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
        None => &url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// Effect hints that HTTP gives its methods.
pub(super) fn annotations(method: &str) -> Annotations {
    let read_only = matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
    Annotations {
        read_only: Some(read_only),
        destructive: if read_only { None } else { Some(method == "DELETE") },
        idempotent: Some(read_only || matches!(method, "PUT" | "DELETE")),
    }
}

/// What a `$ref` that is not in a schema (of a parameter, response, ...) leads to.
fn follow<'a>(root: &'a Value, node: &'a Value) -> Result<&'a Value> {
    let mut at = node;
    for _ in 0..16 {
        let Some(Value::String(reference)) = at.get("$ref") else { return Ok(at) };
        if !reference.starts_with('#') {
            let message = format!("reference to `{}` leaves the document", gtm_error::printable(reference));
            return Err(Error::new(Code::RefRefused, message));
        }
        at = crate::schema::lookup(root, reference).ok_or_else(|| {
            let message =
                format!("reference to `{}`, which is not in the document", gtm_error::printable(reference));
            Error::new(Code::SpecMalformed, message)
        })?;
    }
    Err(Error::new(Code::SpecMalformed, "references run in a circle"))
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Rough size of a value as JSON, in bytes.
pub(super) fn json_size(value: &Value) -> usize {
    let mut bytes = 0;
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        bytes += 4;
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Array(items) => stack.extend(items),
            Value::Object(map) => {
                bytes += map.keys().map(|k| k.len() + 4).sum::<usize>();
                stack.extend(map.values());
            }
            _ => {}
        }
    }
    bytes
}

/// A media type that carries JSON.
fn is_json(media_type: &str) -> bool {
    let base = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    base == "*/*" || base.ends_with("/json") || base.ends_with("+json") || base == "application/*"
}

/// The JSON entry of a `content` map, else its first.
fn pick_media(content: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = content.iter().filter(|(name, _)| !name.starts_with("x-"));
    let exact = entries.clone().find(|(name, _)| name.starts_with("application/json"));
    let json = exact.or_else(|| entries.clone().find(|(name, _)| is_json(name)));
    let (name, media) = json.or_else(|| entries.next())?;
    let name = if name.contains('*') { "application/json" } else { name.as_str() };
    Some((name, media))
}
