//! One view of all that a schema demands of a value, with references and `allOf` followed.

use serde_json::{Map, Value as Json};

/// A set of JSON types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NULL: Types = Types(1);
    pub(super) const BOOL: Types = Types(2);
    pub(super) const INT: Types = Types(4);
    /// Numbers, whole ones included.
    pub(super) const NUM: Types = Types(4 | 8);
    pub(super) const STR: Types = Types(16);
    pub(super) const LIST: Types = Types(32);
    pub(super) const MAP: Types = Types(64);
    pub(super) const ANY: Types = Types(127);
    pub(super) const NONE: Types = Types(0);

    /// The set that a `type` keyword names; unknown names are ignored.
    pub(super) fn of(keyword: &Json) -> Types {
        match keyword {
            Json::String(name) => Types::named(name),
            Json::Array(names) => {
                names.iter().filter_map(Json::as_str).fold(Types::NONE, |t, n| t.or(Types::named(n)))
            }
            _ => Types::ANY,
        }
    }

    fn named(name: &str) -> Types {
        match name {
            "null" => Types::NULL,
            "boolean" => Types::BOOL,
            "integer" => Types::INT,
            "number" => Types::NUM,
            "string" => Types::STR,
            "array" => Types::LIST,
            "object" => Types::MAP,
            _ => Types::ANY,
        }
    }

    pub(super) fn of_json(value: &Json) -> Types {
        match value {
            Json::Null => Types::NULL,
            Json::Bool(_) => Types::BOOL,
            Json::Number(n) if n.is_f64() && n.as_f64().is_some_and(|x| x.fract() != 0.0) => Types::FRACTION,
            Json::Number(_) => Types::INT,
            Json::String(_) => Types::STR,
            Json::Array(_) => Types::LIST,
            Json::Object(_) => Types::MAP,
        }
    }

    /// Numbers that are not whole.
    pub(super) const FRACTION: Types = Types(8);

    pub(super) fn or(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }

    pub(super) fn and(self, other: Types) -> Types {
        Types(self.0 & other.0)
    }

    pub(super) fn has(self, other: Types) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether `null` is the only type left.
    pub(super) fn only_null(self) -> bool {
        self == Types::NULL
    }
}

/// Bounds on following references, so that cycles and bombs end. A schema that needs more is
/// taken as far as they reach.
const MAX_HOPS: u32 = 24;
const MAX_SCHEMAS: u32 = 400;

/// All that a list of schemas demands together.
#[derive(Debug)]
pub(super) struct Facets<'a> {
    pub types: Types,
    /// Whether a `type` was stated at all.
    pub typed: bool,
    pub format: &'a str,
    pub values: Option<&'a [Json]>,
    pub constant: Option<&'a Json>,
    pub default: Option<&'a Json>,
    pub example: Option<&'a Json>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub min_open: bool,
    pub max_open: bool,
    pub multiple: Option<f64>,
    pub min_length: usize,
    pub max_length: Option<usize>,
    pub pattern: Option<&'a str>,
    pub min_items: usize,
    pub max_items: Option<usize>,
    pub unique: bool,
    pub items: Vec<&'a Json>,
    pub prefix: &'a [Json],
    pub contains: Option<&'a Json>,
    pub properties: Vec<&'a Map<String, Json>>,
    pub patterns: Option<&'a Map<String, Json>>,
    pub required: Vec<&'a str>,
    pub additional: Option<&'a Json>,
    pub min_members: usize,
    pub max_members: Option<usize>,
    pub alternatives: Vec<(&'a [Json], bool)>,
    pub conditional: Option<&'a Map<String, Json>>,
    pub description: &'a str,
    pub title: &'a str,
    /// Name of the last definition followed.
    pub definition: &'a str,
    pub write_only: bool,
    pub deprecated: bool,
    budget: u32,
}

impl<'a> Facets<'a> {
    /// What the schemas demand together. `oneOf` and `anyOf` are left in `alternatives`; the
    /// caller absorbs the branch it takes.
    pub(super) fn of(schemas: &[&'a Json], root: &'a Json) -> Facets<'a> {
        let mut facets = Facets {
            types: Types::ANY,
            typed: false,
            format: "",
            values: None,
            constant: None,
            default: None,
            example: None,
            min: None,
            max: None,
            min_open: false,
            max_open: false,
            multiple: None,
            min_length: 0,
            max_length: None,
            pattern: None,
            min_items: 0,
            max_items: None,
            unique: false,
            items: Vec::new(),
            prefix: &[],
            contains: None,
            properties: Vec::new(),
            patterns: None,
            required: Vec::new(),
            additional: None,
            min_members: 0,
            max_members: None,
            alternatives: Vec::new(),
            conditional: None,
            description: "",
            title: "",
            definition: "",
            write_only: false,
            deprecated: false,
            budget: MAX_SCHEMAS,
        };
        for schema in schemas {
            facets.absorb(schema, root, 0);
        }
        facets.types = facets.types.and(facets.implied());
        facets
    }

    /// How many schemas were looked at.
    pub(super) fn work(&self) -> i64 {
        i64::from(MAX_SCHEMAS - self.budget) + 1
    }

    /// Adds the demands of one more schema.
    pub(super) fn absorb(&mut self, schema: &'a Json, root: &'a Json, hops: u32) {
        if hops > MAX_HOPS || self.budget == 0 {
            return;
        }
        self.budget -= 1;
        let Json::Object(schema) = schema else {
            if schema == &Json::Bool(false) {
                self.types = Types::NONE;
            }
            return;
        };
        let mut nullable = false;
        let mut types = None;
        for (keyword, value) in schema {
            match keyword.as_str() {
                "type" => types = Some(Types::of(value)),
                "nullable" => nullable = value == &Json::Bool(true),
                "description" if self.description.is_empty() => {
                    self.description = value.as_str().unwrap_or_default()
                }
                "title" if self.title.is_empty() => self.title = value.as_str().unwrap_or_default(),
                "format" => self.format = value.as_str().unwrap_or_default(),
                "enum" => self.narrow(value),
                "const" => self.constant = Some(value),
                "default" if self.default.is_none() => self.default = Some(value),
                "example" if self.example.is_none() => self.example = Some(value),
                "examples" if self.example.is_none() => self.example = first_example(value),
                "minimum" => self.raise(value.as_f64(), false),
                "maximum" => self.lower(value.as_f64(), false),
                "exclusiveMinimum" => self.raise(value.as_f64(), true),
                "exclusiveMaximum" => self.lower(value.as_f64(), true),
                "multipleOf" => self.multiple = value.as_f64().filter(|x| *x > 0.0).or(self.multiple),
                "minLength" => self.min_length = self.min_length.max(count(value).unwrap_or(0)),
                "maxLength" => self.max_length = least(self.max_length, count(value)),
                "pattern" => self.pattern = value.as_str().or(self.pattern),
                "minItems" => self.min_items = self.min_items.max(count(value).unwrap_or(0)),
                "maxItems" => self.max_items = least(self.max_items, count(value)),
                "uniqueItems" => self.unique |= value == &Json::Bool(true),
                "items" => self.items.push(value),
                "prefixItems" => self.prefix = value.as_array().map_or(&[], Vec::as_slice),
                "contains" => self.contains = Some(value),
                "properties" => self.properties.extend(value.as_object()),
                "patternProperties" => self.patterns = value.as_object(),
                "required" => {
                    self.required.extend(value.as_array().into_iter().flatten().filter_map(Json::as_str))
                }
                "additionalProperties" if self.additional != Some(&Json::Bool(false)) => {
                    self.additional = Some(value)
                }
                "unevaluatedProperties" if value == &Json::Bool(false) => self.additional = Some(value),
                "minProperties" => self.min_members = self.min_members.max(count(value).unwrap_or(0)),
                "maxProperties" => self.max_members = least(self.max_members, count(value)),
                "writeOnly" => self.write_only |= value == &Json::Bool(true),
                "deprecated" => self.deprecated |= value == &Json::Bool(true),
                "if" => self.conditional = Some(schema),
                "oneOf" | "anyOf" => {
                    if let Some(branches) = value.as_array().filter(|b| !b.is_empty()) {
                        self.alternatives.push((branches, keyword == "oneOf"));
                    }
                }
                _ => {}
            }
        }
        if let Some(types) = types {
            self.types = self.types.and(if nullable { types.or(Types::NULL) } else { types });
            self.typed = true;
        }
        // Definitions after the keywords beside them, so that the nearer description wins.
        if let Some(Json::String(reference)) = schema.get("$ref")
            && let Some(target) = resolve(reference, root)
        {
            self.definition = reference.rsplit('/').next().unwrap_or_default();
            self.absorb(target, root, hops + 1);
        }
        for branch in schema.get("allOf").and_then(Json::as_array).into_iter().flatten() {
            self.absorb(branch, root, hops + 1);
        }
    }

    /// Absorbs the branch that was taken of an alternative.
    pub(super) fn take(&mut self, branch: &'a Json, root: &'a Json) {
        self.absorb(branch, root, 1);
        self.types = self.types.and(self.implied());
    }

    /// Types that the other keywords speak of, where none is stated.
    fn implied(&self) -> Types {
        if self.typed {
            Types::ANY
        } else if let Some(constant) = self.constant {
            Types::of_json(constant)
        } else if let Some(values) = self.values {
            values.iter().fold(Types::NONE, |t, v| t.or(Types::of_json(v)))
        } else if !self.properties.is_empty() || !self.required.is_empty() || self.patterns.is_some() {
            Types::MAP
        } else if !self.items.is_empty() || !self.prefix.is_empty() {
            Types::LIST
        } else if self.additional.is_some_and(Json::is_object) {
            Types::MAP
        } else {
            Types::ANY
        }
    }

    fn narrow(&mut self, value: &'a Json) {
        if let Some(values) = value.as_array() {
            // Of two enumerations the shorter one is the narrower in all but odd cases.
            if self.values.is_none_or(|old| values.len() < old.len()) {
                self.values = Some(values);
            }
        }
    }

    fn raise(&mut self, bound: Option<f64>, open: bool) {
        if let Some(bound) = bound.filter(|b| self.min.is_none_or(|old| *b >= old)) {
            self.min_open = open || (self.min_open && self.min == Some(bound));
            self.min = Some(bound);
        }
    }

    fn lower(&mut self, bound: Option<f64>, open: bool) {
        if let Some(bound) = bound.filter(|b| self.max.is_none_or(|old| *b <= old)) {
            self.max_open = open || (self.max_open && self.max == Some(bound));
            self.max = Some(bound);
        }
    }

    /// Schemas of a member: one for each list of properties that has it.
    pub(super) fn member(&self, name: &str) -> Vec<&'a Json> {
        self.properties.iter().filter_map(|p| p.get(name)).collect()
    }

    /// Whether any value at all would do.
    pub(super) fn says_nothing(&self) -> bool {
        !self.typed
            && self.types == Types::ANY
            && self.constant.is_none()
            && self.values.is_none()
            && self.alternatives.is_empty()
            && self.conditional.is_none()
    }

    /// Whether the object has members of its own, rather than any.
    pub(super) fn has_members(&self) -> bool {
        self.properties.iter().any(|p| !p.is_empty())
    }
}

fn count(value: &Json) -> Option<usize> {
    value.as_f64().filter(|x| *x >= 0.0).map(|x| x as usize)
}

fn least(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The first example: a list of values (JSON Schema) or named ones (OpenAPI).
fn first_example(value: &Json) -> Option<&Json> {
    match value {
        Json::Array(items) => items.first(),
        Json::Object(named) => named.values().next().map(|e| e.get("value").unwrap_or(e)),
        _ => None,
    }
}

/// What a local reference points to.
pub(super) fn resolve<'a>(reference: &str, root: &'a Json) -> Option<&'a Json> {
    match reference.strip_prefix("#/$defs/") {
        // By far the commonest form, without parsing a pointer.
        Some(name) if !name.contains(['/', '~', '%']) => root.get("$defs")?.get(name),
        _ => gtm_tool::schema::lookup(root, reference),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merges_references_and_all_of() {
        let root = json!({
            "$defs": {"Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
                      "a/b": {"type": "string"}},
            "allOf": [{"$ref": "#/$defs/Base"}, {"properties": {"name": {"type": "string"}}, "required": ["name"]}],
        });
        let facets = Facets::of(&[&root], &root);
        assert_eq!(facets.types, Types::MAP);
        assert_eq!(facets.required, ["id", "name"]);
        assert_eq!(facets.member("name").len(), 1);
        assert_eq!(facets.definition, "Base");
        assert!(resolve("#/$defs/a~1b", &root).is_some());
        assert!(resolve("#/$defs/a%7E1b", &root).is_some());
        assert!(resolve("http://example.com/x", &root).is_none());
    }

    #[test]
    fn cycles_and_bombs_end() {
        let root = json!({"$defs": {
            "loop": {"$ref": "#/$defs/loop"},
            "bomb": {"allOf": [{"$ref": "#/$defs/bomb"}, {"$ref": "#/$defs/bomb"}]},
        }});
        for name in ["loop", "bomb"] {
            let schema = json!({"$ref": format!("#/$defs/{name}")});
            let facets = Facets::of(&[&schema], &root);
            assert_eq!(facets.types, Types::ANY);
        }
    }

    #[test]
    fn the_narrower_bound_wins() {
        let schema =
            json!({"minimum": 1, "allOf": [{"minimum": 3, "exclusiveMaximum": 10}, {"maximum": 20}]});
        let facets = Facets::of(&[&schema], &schema);
        assert_eq!((facets.min, facets.min_open), (Some(3.0), false));
        assert_eq!((facets.max, facets.max_open), (Some(10.0), true));
    }
}
