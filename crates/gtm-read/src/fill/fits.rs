//! A small check of whether a value fits a schema: to tell which branch of `oneOf` it satisfies
//! and whether an example or an argument may be used. Keywords it does not know hold.

use super::facets::{Types, resolve};
use super::pattern;
use gtm_world::Value;
use serde_json::Value as Json;

/// How many schemas one check may look at.
const WORK: u32 = 3_000;

/// Whether the value fits the schema, as far as the check's work reaches.
pub(super) fn fits(value: &Value, schema: &Json, root: &Json) -> bool {
    measured(value, schema, root).0
}

/// As [`fits`], and the work it took.
pub(super) fn measured(value: &Value, schema: &Json, root: &Json) -> (bool, u32) {
    let mut check = Check { root, work: WORK };
    (check.fits(value, schema, 0), WORK - check.work)
}

struct Check<'a> {
    root: &'a Json,
    work: u32,
}

impl Check<'_> {
    fn fits(&mut self, value: &Value, schema: &Json, depth: u32) -> bool {
        let Json::Object(schema) = schema else { return schema != &Json::Bool(false) };
        if self.work == 0 || depth > 40 {
            return true;
        }
        self.work -= 1;
        let nullable = schema.get("nullable") == Some(&Json::Bool(true));
        if nullable && value.is_null() {
            return true;
        }
        schema.iter().all(|(keyword, demand)| match keyword.as_str() {
            "type" => Types::of(demand).has(type_of(value)),
            "const" => value == &Value::from(demand),
            "enum" => demand.as_array().is_none_or(|all| all.iter().any(|v| same(value, v))),
            "$ref" => demand
                .as_str()
                .and_then(|r| resolve(r, self.root))
                .is_none_or(|target| self.fits(value, target, depth + 1)),
            "allOf" => demand.as_array().is_none_or(|all| all.iter().all(|s| self.fits(value, s, depth + 1))),
            "anyOf" => demand.as_array().is_none_or(|all| all.iter().any(|s| self.fits(value, s, depth + 1))),
            "oneOf" => demand
                .as_array()
                .is_none_or(|all| all.iter().filter(|s| self.fits(value, s, depth + 1)).count() == 1),
            "not" => !self.fits(value, demand, depth + 1),
            "if" => {
                let branch = if self.fits(value, demand, depth + 1) { "then" } else { "else" };
                schema.get(branch).is_none_or(|s| self.fits(value, s, depth + 1))
            }
            _ => match value {
                Value::Int(_) | Value::Float(_) => {
                    number_fits(value.as_f64().unwrap_or(0.0), keyword, demand)
                }
                Value::Str(text) => text_fits(text, keyword, demand),
                Value::List(_) => self.list_fits(value, keyword, demand, schema, depth),
                Value::Map(_) => self.object_fits(value, keyword, demand, schema, depth),
                Value::Null | Value::Bool(_) => true,
            },
        })
    }

    fn list_fits(
        &mut self,
        value: &Value,
        keyword: &str,
        demand: &Json,
        schema: &serde_json::Map<String, Json>,
        depth: u32,
    ) -> bool {
        let Some(list) = value.as_list() else { return true };
        let length = list.len() as f64;
        match keyword {
            "minItems" => demand.as_f64().is_none_or(|n| length >= n),
            "maxItems" => demand.as_f64().is_none_or(|n| length <= n),
            "uniqueItems" if demand == &Json::Bool(true) && list.len() < 64 => {
                list.iter().enumerate().all(|(i, v)| list.iter().take(i).all(|w| v != w))
            }
            "prefixItems" => demand
                .as_array()
                .is_none_or(|prefix| prefix.iter().zip(list.iter()).all(|(s, v)| self.fits(v, s, depth + 1))),
            "items" => {
                let skip = schema.get("prefixItems").and_then(Json::as_array).map_or(0, Vec::len);
                list.iter().skip(skip).all(|v| self.fits(v, demand, depth + 1))
            }
            _ => true,
        }
    }

    fn object_fits(
        &mut self,
        value: &Value,
        keyword: &str,
        demand: &Json,
        schema: &serde_json::Map<String, Json>,
        depth: u32,
    ) -> bool {
        let Some(map) = value.as_map() else { return true };
        match keyword {
            "required" => demand
                .as_array()
                .is_none_or(|names| names.iter().filter_map(Json::as_str).all(|name| map.contains_key(name))),
            "properties" => demand.as_object().is_none_or(|properties| {
                map.iter().all(|(k, v)| properties.get(&**k).is_none_or(|s| self.fits(v, s, depth + 1)))
            }),
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Json::as_object);
                let patterns = schema.contains_key("patternProperties");
                demand == &Json::Bool(true)
                    || patterns
                    || map.iter().all(|(k, v)| {
                        known.is_some_and(|p| p.contains_key(&**k)) || self.fits(v, demand, depth + 1)
                    })
            }
            "minProperties" => demand.as_f64().is_none_or(|n| map.len() as f64 >= n),
            "maxProperties" => demand.as_f64().is_none_or(|n| map.len() as f64 <= n),
            _ => true,
        }
    }
}

/// The type of a value as a one-element set.
pub(super) fn type_of(value: &Value) -> Types {
    match value {
        Value::Null => Types::NULL,
        Value::Bool(_) => Types::BOOL,
        Value::Int(_) => Types::INT,
        Value::Float(x) if x.fract() == 0.0 => Types::INT,
        Value::Float(_) => Types::FRACTION,
        Value::Str(_) => Types::STR,
        Value::List(_) => Types::LIST,
        Value::Map(_) => Types::MAP,
    }
}

fn same(value: &Value, json: &Json) -> bool {
    match (value, json) {
        (Value::Str(a), Json::String(b)) => **a == **b,
        (Value::Str(_), _) => false,
        _ => value == &Value::from(json),
    }
}

fn number_fits(x: f64, keyword: &str, demand: &Json) -> bool {
    let Some(bound) = demand.as_f64() else { return true };
    match keyword {
        "minimum" => x >= bound,
        "maximum" => x <= bound,
        "exclusiveMinimum" => x > bound,
        "exclusiveMaximum" => x < bound,
        "multipleOf" if bound > 0.0 => {
            let quotient = x / bound;
            (quotient - quotient.round()).abs() < 1e-9
        }
        _ => true,
    }
}

fn text_fits(text: &str, keyword: &str, demand: &Json) -> bool {
    match keyword {
        "minLength" => demand.as_f64().is_none_or(|n| text.chars().count() as f64 >= n),
        "maxLength" => demand.as_f64().is_none_or(|n| text.chars().count() as f64 <= n),
        "pattern" => demand.as_str().is_none_or(|p| pattern::matches(p, text).unwrap_or(true)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: Json, good: &[Json], bad: &[Json]) {
        for value in good {
            assert!(fits(&Value::from(value), &schema, &schema), "{value} should fit {schema}");
        }
        for value in bad {
            assert!(!fits(&Value::from(value), &schema, &schema), "{value} should not fit {schema}");
        }
    }

    #[test]
    fn keywords() {
        check(
            json!({"type": "integer", "minimum": 2, "multipleOf": 2}),
            &[json!(2), json!(4.0)],
            &[json!(1), json!(3), json!("2"), json!(2.5)],
        );
        check(
            json!({"type": ["string", "null"], "minLength": 2, "pattern": "^a"}),
            &[json!("ab"), json!(null)],
            &[json!("a"), json!("ba")],
        );
        check(
            json!({"required": ["a"], "properties": {"a": {"enum": [1, "x"]}}, "additionalProperties": false}),
            &[json!({"a": 1}), json!({"a": "x"})],
            &[json!({}), json!({"a": 2}), json!({"a": 1, "b": 1})],
        );
        check(
            json!({"items": {"type": "number"}, "uniqueItems": true, "maxItems": 2}),
            &[json!([1, 2.5])],
            &[json!([1, 1]), json!([1, 2, 3]), json!(["1"])],
        );
    }

    #[test]
    fn exactly_one_branch() {
        let schema = json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]});
        check(schema, &[json!({"a": 1}), json!({"b": 1})], &[json!({}), json!({"a": 1, "b": 1})]);
    }

    #[test]
    fn a_cycle_ends() {
        let schema = json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}]});
        assert!(fits(&Value::Null, &schema, &schema));
    }
}
