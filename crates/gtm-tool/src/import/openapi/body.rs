//! An operation's request body, and how it becomes arguments.

use super::params::{Arguments, is_true};
use super::{Document, Operation, follow, pick_media};
use crate::import::common::text;
use crate::schema::{self, Property, resolve};
use crate::spec::{Format, HttpBody};
use gtm_error::Result;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A request body as declared.
pub(super) struct Body<'a> {
    schema: Cow<'a, Value>,
    description: &'a str,
    media_type: String,
    required: bool,
}

/// Levels of `allOf` that are flattened into arguments.
const MAX_FLATTENED: usize = 6;

impl<'a> Document<'a> {
    /// The body in OpenAPI 3's `requestBody`, in Swagger's `in: body`, or made of its form fields.
    pub(super) fn body(
        &self,
        operation: &Operation<'a>,
        body: Option<&'a Map<String, Value>>,
        form: &[&'a Map<String, Value>],
    ) -> Result<Option<Body<'a>>> {
        if let Some(param) = body {
            return Ok(Some(Body {
                schema: Cow::Borrowed(param.get("schema").unwrap_or(schema::open())),
                description: text(param, "description"),
                media_type: self.consumes(operation, "application/json"),
                required: is_true(param.get("required")),
            }));
        }
        if !form.is_empty() {
            return Ok(Some(self.form(operation, form)));
        }
        if self.format == Format::Swagger20 {
            return Ok(None);
        }
        let Some(body) = operation.node.get("requestBody") else { return Ok(None) };
        let Value::Object(body) = follow(self.root, body)? else { return Ok(None) };
        let Some((media_type, media)) = body.get("content").and_then(Value::as_object).and_then(pick_media)
        else {
            return Ok(None);
        };
        Ok(Some(Body {
            schema: Cow::Borrowed(media.get("schema").unwrap_or(schema::open())),
            description: text(body, "description"),
            media_type: media_type.to_owned(),
            required: is_true(body.get("required")),
        }))
    }

    /// Swagger's media type of the body: the operation's, the document's, or the usual one.
    fn consumes(&self, operation: &Operation<'a>, usual: &str) -> String {
        let lists = [operation.node.get("consumes"), self.root.get("consumes")];
        let list = lists.into_iter().flatten().filter_map(Value::as_array).find(|l| !l.is_empty());
        let types = || list.into_iter().flatten().filter_map(Value::as_str);
        types()
            .find(|t| super::is_json(t) == super::is_json(usual))
            .or_else(|| types().next())
            .unwrap_or(usual)
            .to_owned()
    }

    fn form(&self, operation: &Operation<'a>, form: &[&'a Map<String, Value>]) -> Body<'a> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut file = false;
        for field in form {
            let name = text(field, "name");
            if is_true(field.get("required")) {
                required.push(Value::from(name));
            }
            file |= text(field, "type") == "file";
            let own = field.iter().filter(|(k, _)| !["name", "in", "required"].contains(&k.as_str()));
            let own: Map<String, Value> = own.map(|(k, v)| (k.clone(), v.clone())).collect();
            properties.insert(name.to_owned(), Value::Object(own));
        }
        let usual = if file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
        let needed = !required.is_empty();
        Body {
            schema: Cow::Owned(json!({"type": "object", "properties": properties, "required": required})),
            description: "",
            media_type: self.consumes(operation, usual),
            required: needed,
        }
    }

    /// Makes the body's properties arguments; or the whole body one argument, where it is no plain
    /// object or one of its names is taken.
    pub(super) fn add_body(&mut self, body: Body<'a>, arguments: &mut Arguments) -> Result<HttpBody> {
        let Body { schema, description, media_type, required } = body;
        if let Some(properties) = self.mergeable(&schema, arguments) {
            arguments.closed =
                resolve(self.root, &schema).get("additionalProperties") == Some(&Value::Bool(false));
            for property in properties {
                let needed = property.required || is_true(property.schema.get("required"));
                let ready = self.request_schema(property.schema)?;
                arguments.add(property.name, ready, needed);
            }
            return Ok(HttpBody { argument: None, media_type, required });
        }
        let argument = arguments.free(&["body", "request_body", "_body"]);
        let mut ready = self.request_schema(&schema)?;
        let structured =
            super::is_json(&media_type) || media_type.contains("form") || media_type.contains("xml");
        let silent = ready.value.as_object().is_some_and(Map::is_empty);
        if silent && !structured {
            ready.value = json!({"type": "string"});
        }
        if let Value::Object(map) = &mut ready.value
            && !description.trim().is_empty()
        {
            map.insert("description".into(), description.into());
        }
        arguments.add(&argument, ready, required);
        Ok(HttpBody { argument: Some(argument), media_type, required })
    }

    /// The properties of a body that is a plain object without a name that is taken; those that
    /// only replies hold are left out.
    fn mergeable<'s>(&self, schema: &'s Value, arguments: &Arguments) -> Option<Vec<Property<'s>>>
    where
        'a: 's,
    {
        let root: &'s Value = self.root;
        if !is_plain_object(root, schema, MAX_FLATTENED) {
            return None;
        }
        let mut properties = schema::properties(root, schema);
        properties.retain(|p| {
            !is_true(resolve(root, p.schema).get("readOnly")) && !is_true(p.schema.get("readOnly"))
        });
        let free = properties.iter().all(|p| !arguments.has(p.name));
        (free && !properties.is_empty()).then_some(properties)
    }
}

/// An object whose properties are all there is to it.
fn is_plain_object(root: &Value, node: &Value, depth: usize) -> bool {
    let schema = resolve(root, node);
    let Value::Object(map) = schema else { return false };
    let other = ["oneOf", "anyOf", "not", "if", "patternProperties", "discriminator"];
    if other.iter().any(|k| map.contains_key(*k)) || is_true(map.get("nullable")) {
        return false;
    }
    let typed = match map.get("type") {
        None => map.contains_key("properties") || map.contains_key("allOf"),
        Some(name) => name == "object",
    };
    let open = map
        .get("additionalProperties")
        .is_none_or(|a| a.is_boolean() || a.as_object().is_some_and(Map::is_empty));
    let parts = || map.get("allOf").and_then(Value::as_array).into_iter().flatten();
    typed
        && open
        && (depth > 0 || parts().next().is_none())
        && parts().all(|part| is_plain_object(root, part, depth - 1))
}
