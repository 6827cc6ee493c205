//! `schema-faker`: a value made from the declared return schema alone, as mock servers make it: an
//! example or default where one is published, the first of the choices, else a plain value of the
//! type.

use super::refusal;
use crate::predictor::{Prediction, Predictor};
use crate::session::{Tools, Turn};
use gtm_sim::Call;
use gtm_tool::schema;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

/// Levels that are made; what lies deeper is null.
const MAX_DEPTH: usize = 8;
/// Values made for one reply.
const MAX_VALUES: usize = 2_000;

pub(super) struct SchemaFaker {
    tools: Arc<Tools>,
}

impl SchemaFaker {
    pub(super) fn new(tools: Arc<Tools>) -> SchemaFaker {
        SchemaFaker { tools }
    }
}

impl Predictor for SchemaFaker {
    fn predict(&mut self, call: &Call) -> Prediction {
        refusal(&self.tools, call).unwrap_or_else(|| {
            let spec = self.tools.get(&call.tool);
            let published =
                spec.and_then(|spec| spec.examples.first()).map(|example| example.response.clone());
            let made = || spec.and_then(|spec| spec.returns.as_ref()).map(|root| fake(root, root));
            Prediction::success(published.or_else(made).unwrap_or_default())
        })
    }

    fn observe(&mut self, _: &Call, _: &Turn) {}
}

/// A value that a schema allows, mostly.
pub(super) fn fake(root: &Json, node: &Json) -> Json {
    value(root, node, 0, &mut { MAX_VALUES })
}

fn value(root: &Json, node: &Json, depth: usize, left: &mut usize) -> Json {
    let node = schema::resolve(root, node);
    if depth > MAX_DEPTH || *left == 0 {
        return Json::Null;
    }
    *left -= 1;
    let first = |keyword: &str| node.get(keyword).and_then(|list| list.get(0));
    let stated = ["example", "default", "const"].into_iter().find_map(|keyword| node.get(keyword));
    if let Some(stated) = stated.or_else(|| first("examples")).or_else(|| first("enum")) {
        return stated.clone();
    }
    if let Some(choice) = first("oneOf").or_else(|| first("anyOf")) {
        return value(root, choice, depth + 1, left);
    }
    match schema::primary_type(root, node) {
        Some("object") => {
            let members = schema::properties(root, node)
                .into_iter()
                .map(|property| (property.name.to_owned(), value(root, property.schema, depth + 1, left)));
            Json::Object(members.collect::<Map<_, _>>())
        }
        Some("array") => {
            let items = node.get("items").unwrap_or(schema::open());
            Json::Array(vec![value(root, items, depth + 1, left)])
        }
        Some("string") => json!("string"),
        Some("integer" | "number") => node.get("minimum").cloned().unwrap_or(json!(0)),
        Some("boolean") => json!(true),
        _ => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_the_schema_and_recursion_ends() {
        let root = json!({
            "type": "object",
            "properties": {
                "id": {"type": "integer", "minimum": 1},
                "kind": {"enum": ["a", "b"]},
                "note": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "boolean"}},
                "parent": {"$ref": "#"},
            },
        });
        let made = fake(&root, &root);
        assert_eq!(made["id"], 1);
        assert_eq!(made["kind"], "a");
        assert_eq!(made["note"], "string");
        assert_eq!(made["tags"], json!([true]));
        assert_eq!(made["parent"]["kind"], "a");
    }
}
