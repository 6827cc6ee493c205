//! From text on the wire to JSON arguments, by the parameters' schemas.

use gtm_tool::schema;
use serde_json::{Map, Number, Value};

/// Deepest nesting of bracketed names (`a[b][c]`).
const MAX_BRACKETS: usize = 8;

/// Most pairs of one query or form.
const MAX_PAIRS: usize = 2_000;

/// Percent-decoded text. Broken escapes stay as they are; bytes that are no UTF-8 become `U+FFFD`.
pub(crate) fn percent(text: &str) -> String {
    if !text.contains('%') {
        return text.to_string();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%')
            .then(|| Some((hex(*bytes.get(i + 1)?)? << 4) | hex(*bytes.get(i + 2)?)?))
            .flatten();
        match escaped {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The pairs of a query string or form body (`application/x-www-form-urlencoded`), decoded.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .take(MAX_PAIRS)
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (percent(&name.replace('+', " ")), percent(&value.replace('+', " "))))
        .collect()
}

/// Text as the JSON that the schema asks for. Text that cannot be read so stays text, and the
/// argument check then reports it in the tool's own way.
pub(crate) fn scalar(text: &str, node: &Value, root: &Value) -> Value {
    let node = schema::resolve(root, node);
    let types: Vec<&str> = match node.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return untyped(text, node, root),
    };
    types.iter().find_map(|kind| typed(text, kind)).unwrap_or_else(|| text.into())
}

fn typed(text: &str, kind: &str) -> Option<Value> {
    match kind {
        "integer" => {
            text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
        }
        "number" => match text.parse::<i64>() {
            Ok(whole) => Some(whole.into()),
            Err(_) => text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number),
        },
        "boolean" => match text {
            "true" | "True" | "TRUE" => Some(true.into()),
            "false" | "False" | "FALSE" => Some(false.into()),
            _ => None,
        },
        "null" => (text.is_empty() || text == "null").then_some(Value::Null),
        "object" => serde_json::from_str::<Value>(text).ok().filter(Value::is_object),
        "array" => serde_json::from_str::<Value>(text).ok().filter(Value::is_array),
        _ => None,
    }
}

/// A schema without `type`: by its `enum` or `const`, by the first branch that reads the text as
/// something other than text, or by what the keywords imply.
fn untyped(text: &str, node: &Value, root: &Value) -> Value {
    let listed = node.get("enum").and_then(Value::as_array).into_iter().flatten().chain(node.get("const"));
    for value in listed {
        let spelled = match value {
            Value::String(listed) => listed == text,
            other => serde_json::from_str(text).is_ok_and(|sent: Value| sent == *other),
        };
        if spelled {
            return value.clone();
        }
    }
    for branches in ["anyOf", "oneOf", "allOf"] {
        // One level: branches of branches are rare in parameters, and this cannot recurse forever.
        for branch in node.get(branches).and_then(Value::as_array).into_iter().flatten() {
            let branch = schema::resolve(root, branch);
            if let Some(value) = branch.get("type").and_then(Value::as_str).and_then(|kind| typed(text, kind))
            {
                return value;
            }
        }
    }
    schema::primary_type(root, node).and_then(|kind| typed(text, kind)).unwrap_or_else(|| text.into())
}

/// The values sent for one parameter, as its schema asks: an array from repeated values or from
/// one value with commas, else the last value.
pub(crate) fn parameter(values: &[&str], explode: bool, node: &Value, root: &Value) -> Value {
    if !is_a(node, root, "array") {
        return values.last().map_or(Value::Null, |text| scalar(text, node, root));
    }
    let items = schema::resolve(root, node).get("items").unwrap_or(schema::open());
    if let [only] = values
        && let Some(Value::Array(array)) = typed(only, "array")
    {
        return Value::Array(array);
    }
    // Clients that repeat and clients that use commas are told apart by what they sent, where the
    // two cannot be confused.
    let split = !explode && values.len() == 1;
    let texts: Vec<&str> = match values {
        [""] => Vec::new(),
        [only] if split => only.split(',').collect(),
        _ => values.to_vec(),
    };
    Value::Array(texts.into_iter().map(|text| scalar(text, items, root)).collect())
}

/// Whether the schema's main type is this one.
pub(crate) fn is_a(node: &Value, root: &Value, kind: &str) -> bool {
    schema::primary_type(root, schema::resolve(root, node)) == Some(kind)
}

/// The schema of a member of an object schema; the open schema if it is not declared.
pub(crate) fn member<'a>(node: &'a Value, root: &'a Value, name: &str) -> &'a Value {
    let node = schema::resolve(root, node);
    if let Some(found) = node.get("properties").and_then(|p| p.get(name)) {
        return found;
    }
    let merged = schema::properties(root, node).into_iter().find(|p| p.name == name).map(|p| p.schema);
    merged.or_else(|| node.get("additionalProperties").filter(|s| s.is_object())).unwrap_or(schema::open())
}

/// Form fields as an object: bracketed names nest (`a[b]=1`, `a[0][b]=1`, `a[]=1`), repeated names
/// make lists where the schema wants a list, and values are read by their schemas.
pub(crate) fn form(fields: &[(String, String)], node: &Value, root: &Value) -> Map<String, Value> {
    let mut tree = Tree::default();
    for (name, text) in fields {
        let mut steps = brackets(name).into_iter();
        let Some(first) = steps.next() else { continue };
        let mut at = tree.child(first);
        for step in steps {
            at = at.child(step);
        }
        at.texts.push(text.clone());
    }
    tree.members
        .into_iter()
        .map(|(name, tree)| {
            let value = tree.build(member(node, root, &name), root);
            (name, value)
        })
        .collect()
}

/// The steps of a bracketed name: `a[b][]` gives `a`, `b` and the empty step.
fn brackets(name: &str) -> Vec<&str> {
    let Some((first, rest)) = name.split_once('[') else { return vec![name] };
    let Some(rest) = rest.strip_suffix(']') else { return vec![name] };
    if first.is_empty() {
        return vec![name];
    }
    std::iter::once(first).chain(rest.split("][").take(MAX_BRACKETS)).collect()
}

/// Form fields by the steps of their names, in the order they came.
#[derive(Default)]
struct Tree {
    texts: Vec<String>,
    members: Vec<(String, Tree)>,
}

impl Tree {
    fn child(&mut self, name: &str) -> &mut Tree {
        let index = self.members.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.members.push((name.to_string(), Tree::default()));
            self.members.len() - 1
        });
        &mut self.members[index].1
    }

    fn build(self, node: &Value, root: &Value) -> Value {
        let Tree { texts, members } = self;
        if members.is_empty() {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            return parameter(&texts, true, node, root);
        }
        let listed = members.iter().all(|(name, _)| name.is_empty() || name.parse::<usize>().is_ok());
        if listed && !is_a(node, root, "object") {
            let items = schema::resolve(root, node).get("items").unwrap_or(schema::open());
            let mut out = Vec::new();
            for (name, tree) in members {
                match name.is_empty() && tree.members.is_empty() {
                    // `a[]=1&a[]=2`: each value is an element.
                    true => out.extend(tree.texts.iter().map(|text| scalar(text, items, root))),
                    false => out.push(tree.build(items, root)),
                }
            }
            return Value::Array(out);
        }
        let members = members.into_iter();
        Value::Object(
            members
                .map(|(name, tree)| {
                    let value = tree.build(member(node, root, &name), root);
                    (name, value)
                })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn percent_decoding_never_fails() {
        assert_eq!(percent("a%20b%2fc"), "a b/c");
        assert_eq!(percent("100%"), "100%");
        assert_eq!(percent("%zz%ff"), "%zz\u{fffd}");
        assert_eq!(percent("é%C3%A9"), "éé");
    }

    #[test]
    fn scalars_by_schema() {
        let root = json!({"$defs": {"Id": {"type": "integer"}}});
        for (text, schema, value) in [
            ("7", json!({"type": "integer"}), json!(7)),
            ("7", json!({"$ref": "#/$defs/Id"}), json!(7)),
            ("7", json!({"type": "string"}), json!("7")),
            ("x7", json!({"type": "integer"}), json!("x7")),
            ("1e400", json!({"type": "number"}), json!("1e400")),
            ("NaN", json!({"type": "number"}), json!("NaN")),
            ("1.5", json!({"type": ["null", "number"]}), json!(1.5)),
            ("", json!({"type": ["null", "number"]}), json!(null)),
            ("true", json!({"type": "boolean"}), json!(true)),
            ("2", json!({"enum": [1, 2]}), json!(2)),
            ("5", json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}), json!(5)),
            ("x", json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), json!("x")),
            ("x", json!({}), json!("x")),
            ("{\"a\":1}", json!({"type": "object"}), json!({"a": 1})),
        ] {
            assert_eq!(scalar(text, &schema, &root), value, "{text} by {schema}");
        }
    }

    #[test]
    fn arrays_by_repetition_or_commas() {
        let schema = json!({"type": "array", "items": {"type": "integer"}});
        assert_eq!(parameter(&["1", "2"], true, &schema, &schema), json!([1, 2]));
        assert_eq!(parameter(&["1,2"], false, &schema, &schema), json!([1, 2]));
        assert_eq!(parameter(&["1", "2"], false, &schema, &schema), json!([1, 2]));
        assert_eq!(parameter(&["a,b"], true, &json!({"type": "array"}), &json!({})), json!(["a,b"]));
        assert_eq!(parameter(&[""], true, &schema, &schema), json!([]));
    }

    #[test]
    fn forms_nest() {
        let schema = json!({"type": "object", "properties": {
            "amount": {"type": "integer"},
            "metadata": {"type": "object"},
            "expand": {"type": "array", "items": {"type": "string"}},
            "items": {"type": "array", "items": {"type": "object", "properties": {"quantity": {"type": "integer"}}}}}});
        let fields = pairs(
            "amount=100&metadata[k+1]=v%201&expand[]=a&expand[]=b&items[0][quantity]=2&items[1][quantity]=3&odd[=1",
        );
        assert_eq!(
            Value::Object(form(&fields, &schema, &schema)),
            json!({"amount": 100, "metadata": {"k 1": "v 1"}, "expand": ["a", "b"],
                   "items": [{"quantity": 2}, {"quantity": 3}], "odd[": "1"})
        );
    }

    #[test]
    fn deep_brackets_are_bounded() {
        let name = format!("a{}", "[b]".repeat(100_000));
        let value = form(&[(name, "1".into())], &json!({}), &json!({}));
        assert!(serde_json::to_string(&value).expect("plain JSON").len() < 100);
    }
}
