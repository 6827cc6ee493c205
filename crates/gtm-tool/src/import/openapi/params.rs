//! An operation's arguments: its parameters and what its body holds.

use super::defs::Ready;
use super::{Document, Operation, follow};
use crate::import::common::text;
use crate::spec::{Format, HttpBody, HttpParam, ParamLocation};
use gtm_error::{Code, Error, Result};
use serde_json::{Map, Value, json};

/// The request side of a tool.
pub(super) struct Request {
    pub(super) arguments: Arguments,
    pub(super) params: Vec<HttpParam>,
    pub(super) body: Option<HttpBody>,
}

/// The arguments while they are collected.
#[derive(Default)]
pub(super) struct Arguments {
    properties: Map<String, Value>,
    required: Vec<Value>,
    parts: Vec<Ready>,
    /// Nothing but the declared arguments may be given.
    pub(super) closed: bool,
}

impl Arguments {
    pub(super) fn add(&mut self, name: &str, mut schema: Ready, required: bool) {
        let value = std::mem::take(&mut schema.value);
        self.properties.insert(name.to_owned(), value);
        if required && !self.required.iter().any(|r| r == name) {
            self.required.push(name.into());
        }
        self.parts.push(schema);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    /// The first of the names that is still free.
    pub(super) fn free(&self, names: &[&str]) -> String {
        if let Some(name) = names.iter().find(|name| !self.has(name)) {
            return (*name).to_owned();
        }
        let stem = names.first().copied().unwrap_or("argument");
        (2u64..).map(|n| format!("{stem}_{n}")).find(|name| !self.has(name)).unwrap_or_default()
    }
}

impl Arguments {
    /// What the references in the schemas are to.
    pub(super) fn parts(&self) -> &[Ready] {
        &self.parts
    }

    /// The schema of all arguments, still without definitions, and what its references are to.
    pub(super) fn into_schema(self) -> (Map<String, Value>, Vec<Ready>) {
        let mut schema = Map::new();
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), Value::Object(self.properties));
        if !self.required.is_empty() {
            schema.insert("required".into(), Value::Array(self.required));
        }
        if self.closed {
            schema.insert("additionalProperties".into(), false.into());
        }
        (schema, self.parts)
    }
}

impl<'a> Document<'a> {
    pub(super) fn request(&mut self, operation: &Operation<'a>) -> Result<Request> {
        let mut arguments = Arguments::default();
        let mut params = Vec::new();
        let mut form = Vec::new();
        let mut body = None;
        for param in self.parameters(operation)? {
            let name = text(param, "name");
            let location = match text(param, "in").to_ascii_lowercase().as_str() {
                "body" => {
                    body = Some(param);
                    continue;
                }
                "formdata" => {
                    form.push(param);
                    continue;
                }
                "path" => ParamLocation::Path,
                "header" => ParamLocation::Header,
                "cookie" => ParamLocation::Cookie,
                "query" | "querystring" => ParamLocation::Query,
                // Undeclared: what the path does not name can only be in the query.
                _ if operation.path.contains(&format!("{{{name}}}")) => ParamLocation::Path,
                _ => ParamLocation::Query,
            };
            if name.is_empty() || self.api_keys.contains(word(location), name) {
                continue;
            }
            let argument = arguments.free(&[name, &format!("{name}_{}", word(location))]);
            let schema = self.parameter_schema(param)?;
            let required = location == ParamLocation::Path || is_true(param.get("required"));
            arguments.add(&argument, schema, required);
            params.push(HttpParam {
                name: name.to_owned(),
                argument,
                location,
                explode: self.explode(param, location),
            });
        }
        undeclared_path_params(operation.path, &mut arguments, &mut params);
        let body = match self.body(operation, body, &form)? {
            Some(body) => Some(self.add_body(body, &mut arguments)?),
            None => None,
        };
        Ok(Request { arguments, params, body })
    }

    /// Parameters of the path, then of the operation, which override those of the same name and
    /// location. One that refers to nothing in the document is left out: its name is not known.
    fn parameters(&self, operation: &Operation<'a>) -> Result<Vec<&'a Map<String, Value>>> {
        let mut found: Vec<&'a Map<String, Value>> = Vec::new();
        for holder in [operation.item, operation.node] {
            for param in holder.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                let param = match follow(self.root, param) {
                    Ok(param) => param,
                    Err(error) if error.code() == Code::RefRefused => return Err(error),
                    Err(_) => continue,
                };
                let Value::Object(param) = param else { continue };
                let key = |p: &'a Map<String, Value>| (text(p, "name"), text(p, "in"));
                match found.iter().position(|p| key(p) == key(param)) {
                    Some(at) => found[at] = param,
                    None => found.push(param),
                }
            }
        }
        Ok(found)
    }

    /// The schema of one parameter: under `schema` or `content`, or, in Swagger 2, the parameter.
    fn parameter_schema(&mut self, param: &'a Map<String, Value>) -> Result<Ready> {
        let content = || super::pick_media(param.get("content")?.as_object()?)?.1.get("schema");
        let mut ready = match param.get("schema").or_else(content) {
            Some(schema) => self.request_schema(schema)?,
            None => {
                let own = |key: &str| {
                    !["name", "in", "description", "required"].contains(&key) && !key.starts_with("x-")
                };
                let inline = param.iter().filter(|(key, _)| own(key));
                let inline: Map<String, Value> = inline.map(|(k, v)| (k.clone(), v.clone())).collect();
                self.request_schema(&Value::Object(inline))?
            }
        };
        let Value::Object(schema) = &mut ready.value else { return Ok(ready) };
        if let Some(description) =
            param.get("description").filter(|d| d.as_str().is_some_and(|d| !d.trim().is_empty()))
        {
            schema.insert("description".into(), description.clone());
        }
        if let Some(example) =
            param.get("example").or_else(|| super::responses::first_named(param.get("examples")?))
        {
            schema.entry("examples").or_insert_with(|| json!([example]));
        }
        if is_true(param.get("deprecated")) {
            schema.insert("deprecated".into(), true.into());
        }
        Ok(ready)
    }

    /// A schema of the request side; one that needs what is outside of the document is refused.
    pub(super) fn request_schema(&mut self, schema: &Value) -> Result<Ready> {
        let ready = self.requests.ready(schema);
        match self.requests.remote(&ready) {
            None => Ok(ready),
            Some(reference) => {
                let message =
                    format!("reference to `{}` leaves the document", gtm_error::printable(reference));
                Err(Error::new(Code::RefRefused, message))
            }
        }
    }

    fn explode(&self, param: &Map<String, Value>, location: ParamLocation) -> bool {
        if self.format == Format::Swagger20 {
            return text(param, "collectionFormat") == "multi";
        }
        let form = matches!(text(param, "style"), "form" | "" | "deepObject");
        let default = form && matches!(location, ParamLocation::Query | ParamLocation::Cookie);
        param.get("explode").and_then(Value::as_bool).unwrap_or(default)
    }
}

/// Names in the path that no parameter declares are arguments all the same: without them there is
/// no path.
fn undeclared_path_params(path: &str, arguments: &mut Arguments, params: &mut Vec<HttpParam>) {
    for part in path.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else { continue };
        let known = params.iter().any(|p| p.location == ParamLocation::Path && p.name == name);
        if known || name.is_empty() {
            continue;
        }
        let argument = arguments.free(&[name, &format!("{name}_path")]);
        arguments.add(&argument, Ready::of(json!({"type": "string"})), true);
        let location = ParamLocation::Path;
        params.push(HttpParam { name: name.to_owned(), argument, location, explode: false });
    }
}

fn word(location: ParamLocation) -> &'static str {
    match location {
        ParamLocation::Path => "path",
        ParamLocation::Query => "query",
        ParamLocation::Header => "header",
        ParamLocation::Cookie => "cookie",
    }
}

pub(super) fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|v| v == &Value::Bool(true) || v == "true")
}
