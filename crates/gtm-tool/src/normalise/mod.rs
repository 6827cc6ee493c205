//! Mending schemas: dialects of OpenAPI, of older drafts and of Python into JSON Schema 2020-12.
//!
//! Real specs are a little wrong in many known ways. A constraint that can be understood is
//! translated; one that cannot is dropped, since a tool that takes too much is of more use than
//! one that cannot be called.

mod keywords;
mod names;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

/// The meta-schema of the dialect that everything is normalised to.
const DRAFT_2020_12: &str = "https://json-schema.org/draft/2020-12/schema";

/// How a schema's `$ref` is to be read; all other slips are mended alike in every dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// JSON Schema of any draft, OpenAPI 3.1, and type names of Python: keywords beside `$ref`
    /// count.
    JsonSchema,
    /// OpenAPI 3.0 and Swagger 2.0: keywords beside `$ref` are void, but for `nullable`.
    OpenApi30,
}

/// Which way a schema's values travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Not said.
    Any,
    /// To the tool: `readOnly` properties are not required.
    Request,
    /// From the tool: `writeOnly` properties are not required.
    Response,
}

/// Levels beyond which a schema is replaced by `{}`. Documents are no deeper ([`crate::Limits`]).
const MAX_DEPTH: usize = 132;

/// The schema as JSON Schema 2020-12.
///
/// Among others: `nullable` becomes a type, boolean `exclusiveMinimum` a number, `example` an
/// `examples` list, `required: true` inside a property an entry of the parent's list, `float`,
/// `dict`, `tuple`, `any` and their like the types they mean, enum values the type they are
/// declared as, `definitions` `$defs`, array-valued `items` `prefixItems`; identifiers and keywords
/// without meaning for values (`$id`, `$schema`, `xml`, `x-...`) go.
pub fn normalise(schema: Value, dialect: Dialect) -> Value {
    let mut refs = |reference: String| Some(reference);
    let mut mended =
        Normaliser { dialect, direction: Direction::Any, refs: &mut refs, nodes: 0 }.schema(schema, 0);
    if !mended.is_object() && !mended.is_boolean() {
        mended = Value::Object(Map::new());
    }
    rename_definitions(&mut mended);
    mended
}

/// [`normalise`], and leaves open what a reference within the schema does not find. References
/// that lead elsewhere stay, for the gate to name them.
pub(crate) fn mend(root: Value) -> Value {
    if !has_reference(&root) {
        return normalise(root, Dialect::JsonSchema);
    }
    let original = root.clone();
    let mut refs = |reference: String| {
        let found = crate::schema::lookup(&original, &reference).is_some()
            || crate::schema::lookup(&original, &reference.replacen("#/$defs/", "#/definitions/", 1))
                .is_some();
        (found || !reference.starts_with("#/")).then_some(reference)
    };
    let mut mended =
        Normaliser { dialect: Dialect::JsonSchema, direction: Direction::Any, refs: &mut refs, nodes: 0 }
            .schema(root, 0);
    rename_definitions(&mut mended);
    mended
}

fn has_reference(root: &Value) -> bool {
    let mut stack = vec![root];
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(map) if map.contains_key("$ref") => return true,
            Value::Object(map) => stack.extend(map.values()),
            Value::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    false
}

/// `definitions` at the root become `$defs`, which [`Normaliser`] makes references point to.
fn rename_definitions(root: &mut Value) {
    let Value::Object(map) = root else { return };
    if let Some(Value::Object(old)) = map.remove("definitions") {
        match map.get_mut("$defs") {
            Some(Value::Object(defs)) => {
                for (name, schema) in old {
                    defs.entry(name).or_insert(schema);
                }
            }
            _ => {
                map.insert("$defs".into(), Value::Object(old));
            }
        }
    }
}

/// One pass over a schema; `refs` rewrites each reference, or answers `None` to leave it open.
pub(crate) struct Normaliser<'r> {
    pub(crate) dialect: Dialect,
    pub(crate) direction: Direction,
    pub(crate) refs: &'r mut dyn FnMut(String) -> Option<String>,
    /// Schema nodes seen, roughly the size of the result.
    pub(crate) nodes: usize,
}

/// What a property said about itself that belongs to its parent.
#[derive(Clone, Copy, Default)]
struct Asides {
    required: Option<bool>,
}

impl Normaliser<'_> {
    pub(crate) fn schema(&mut self, schema: Value, depth: usize) -> Value {
        self.with_asides(schema, depth).0
    }

    fn with_asides(&mut self, schema: Value, depth: usize) -> (Value, Asides) {
        self.nodes += 1;
        if depth > MAX_DEPTH {
            return (Value::Object(Map::new()), Asides::default());
        }
        match schema {
            Value::Object(map) => self.object(map, depth),
            Value::Bool(any) => (Value::Bool(any), Asides::default()),
            // `{"city": "string"}`: a type's name in place of a schema.
            Value::String(name) => {
                let mut map = Map::new();
                if let Some(name) = names::standard(&name) {
                    map.insert("type".into(), name.into());
                }
                (Value::Object(map), Asides::default())
            }
            _ => (Value::Object(Map::new()), Asides::default()),
        }
    }

    fn object(&mut self, mut map: Map<String, Value>, depth: usize) -> (Value, Asides) {
        let asides = Asides { required: keywords::own_required(&mut map) };
        let nullable = matches!(keywords::as_bool(map.shift_remove("nullable").as_ref()), Some(true))
            | matches!(keywords::as_bool(map.shift_remove("x-nullable").as_ref()), Some(true));
        if let Some(Value::String(reference)) = map.get("$ref") {
            let reference = reference.clone();
            if let Some(replaced) = self.reference(reference, &mut map) {
                return (replaced, asides);
            }
        } else {
            map.shift_remove("$ref");
        }
        let mut out = Map::new();
        let mut required_children = Vec::new();
        for (keyword, value) in map {
            self.keyword(keyword, value, depth, &mut out, &mut required_children);
        }
        keywords::finish(&mut out, required_children, self.direction);
        if nullable {
            out = keywords::with_null(out);
        }
        (Value::Object(out), asides)
    }

    /// Rewrites a reference within `map`; or gives what stands in for the whole schema.
    fn reference(&mut self, reference: String, map: &mut Map<String, Value>) -> Option<Value> {
        // What a legacy root calls `definitions` will be called `$defs`.
        let reference = match reference.strip_prefix("#/definitions/") {
            Some(rest) if self.dialect == Dialect::JsonSchema => format!("#/$defs/{rest}"),
            _ => reference,
        };
        let Some(rewritten) = (self.refs)(reference.clone()) else {
            let mut open = Map::new();
            open.insert(
                "description".into(),
                format!("not described: `{reference}` is not in the document").into(),
            );
            return Some(Value::Object(open));
        };
        if self.dialect == Dialect::OpenApi30 {
            map.retain(|keyword, _| keywords::KEPT_BESIDE_REF.contains(&keyword.as_str()));
        }
        map.insert("$ref".into(), rewritten.into());
        None
    }

    fn keyword(
        &mut self,
        keyword: String,
        value: Value,
        depth: usize,
        out: &mut Map<String, Value>,
        required: &mut Vec<(String, bool)>,
    ) {
        use keywords as k;
        let deeper = depth + 1;
        let kept = match keyword.as_str() {
            // What is left is 2020-12; a schema that says so keeps saying it.
            "$schema" if depth == 0 && value == DRAFT_2020_12 => Some(value),
            // A regular expression as JavaScript writes it, delimiters and all.
            "pattern"
                if value
                    .as_str()
                    .is_some_and(|p| p.len() > 4 && p.starts_with("/^") && p.ends_with("$/")) =>
            {
                value.as_str().map(|p| p[1..p.len() - 1].into())
            }
            "$id" | "id" | "$schema" | "$vocabulary" | "xml" | "externalDocs" | "$comment" | "optional"
            | "collectionFormat" | "allowEmptyValue" => None,
            "$recursiveRef" => {
                out.insert("$ref".into(), value);
                None
            }
            "properties" => match value {
                Value::Object(map) => {
                    let mut mended = Map::new();
                    for (name, schema) in map {
                        let (schema, asides) = self.with_asides(schema, deeper);
                        required.extend(asides.required.map(|r| (name.clone(), r)));
                        mended.insert(name, schema);
                    }
                    Some(Value::Object(mended))
                }
                // `properties: [{name, type}, ...]`
                Value::Array(list) => Some(self.named_list(list, deeper, required)),
                _ => None,
            },
            "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => self.map_of(value, deeper),
            "dependencies" => {
                self.dependencies(value, deeper, out);
                None
            }
            "allOf" | "anyOf" | "oneOf" => self.list_of(value, deeper),
            "prefixItems" => self.list_of(value, deeper),
            "items" => match value {
                Value::Array(list) => {
                    if let Some(list) = self.list_of(Value::Array(list), deeper) {
                        out.insert("prefixItems".into(), list);
                    }
                    None
                }
                Value::Null => None,
                other => Some(self.schema(other, deeper)),
            },
            "additionalItems" => {
                if !out.contains_key("items") && !value.is_null() {
                    let schema = self.schema(value, deeper);
                    out.insert("additionalItems".into(), schema);
                }
                None
            }
            "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" => {
                match k::as_bool(Some(&value)) {
                    Some(flag) => Some(Value::Bool(flag)),
                    None if value.is_null() => None,
                    None => Some(self.schema(value, deeper)),
                }
            }
            "not" | "if" | "then" | "else" | "contains" | "propertyNames" | "contentSchema" => {
                (value.is_object() || value.is_boolean()).then(|| self.schema(value, deeper))
            }
            "type" => {
                k::types(value, out);
                None
            }
            "example" => {
                out.entry("examples").or_insert_with(|| Value::Array(vec![value]));
                None
            }
            "examples" => {
                if let Some(list) = k::examples(value) {
                    out.insert("examples".into(), list);
                }
                None
            }
            "discriminator" => k::discriminator(value),
            _ if keyword.starts_with("x-") && keyword != "x-truncated" => None,
            _ => k::plain(&keyword, value),
        };
        if let Some(kept) = kept {
            out.insert(keyword, kept);
        }
    }

    fn named_list(&mut self, list: Vec<Value>, depth: usize, required: &mut Vec<(String, bool)>) -> Value {
        let mut mended = Map::new();
        for mut item in list {
            let Some(Value::String(name)) = item.as_object_mut().and_then(|m| m.shift_remove("name")) else {
                continue;
            };
            let (schema, asides) = self.with_asides(item, depth);
            required.extend(asides.required.map(|r| (name.clone(), r)));
            mended.insert(name, schema);
        }
        Value::Object(mended)
    }

    fn map_of(&mut self, value: Value, depth: usize) -> Option<Value> {
        let Value::Object(map) = value else { return None };
        Some(Value::Object(
            map.into_iter().map(|(name, schema)| (name, self.schema(schema, depth))).collect(),
        ))
    }

    fn list_of(&mut self, value: Value, depth: usize) -> Option<Value> {
        let list = match value {
            Value::Array(list) => list,
            Value::Object(_) => vec![value],
            _ => return None,
        };
        let list: Vec<Value> = list.into_iter().map(|schema| self.schema(schema, depth)).collect();
        (!list.is_empty()).then_some(Value::Array(list))
    }

    /// Draft 7's `dependencies` holds what became `dependentRequired` and `dependentSchemas`.
    fn dependencies(&mut self, value: Value, depth: usize, out: &mut Map<String, Value>) {
        let Value::Object(map) = value else { return };
        let (mut names, mut schemas) = (Map::new(), Map::new());
        for (key, value) in map {
            match value {
                Value::Array(_) => drop(names.insert(key, value)),
                Value::Object(_) | Value::Bool(_) => {
                    let schema = self.schema(value, depth);
                    schemas.insert(key, schema);
                }
                _ => {}
            }
        }
        if !names.is_empty() {
            out.insert("dependentRequired".into(), Value::Object(names));
        }
        if !schemas.is_empty() {
            out.insert("dependentSchemas".into(), Value::Object(schemas));
        }
    }
}
