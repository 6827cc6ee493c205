//! A tool as the rules see it: what it does, its parameters, what it returns.

use super::tokens::{stems, words};
use super::verbs::{Action, action};
use gtm_tool::ToolSpec;
use gtm_tool::schema::{primary_type, properties, resolve};
use serde_json::Value as Json;
use std::collections::HashMap;

/// A tool and what its texts say.
pub(super) struct Tool<'a> {
    /// The spec.
    pub(super) spec: &'a ToolSpec,
    /// The description, without what all tools of the API have in common.
    pub(super) text: String,
    /// Its words, in the singular.
    pub(super) text_stems: Vec<String>,
    /// What the name says.
    pub(super) action: Action,
    /// Parameters in order.
    pub(super) params: Vec<Param>,
    /// What it returns.
    pub(super) returns: Returns,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(super) struct Param {
    /// Its name.
    pub(super) name: String,
    /// Words of the name, in the singular.
    pub(super) stems: Vec<String>,
    /// Whether it must be given.
    pub(super) required: bool,
    /// Main JSON type.
    pub(super) kind: Option<String>,
    /// Its description.
    pub(super) text: String,
    /// The only values allowed, where schema or description lists them.
    pub(super) options: Vec<String>,
    /// Whether the schema itself lists them, so that they are checked before any behavior runs.
    pub(super) checked: bool,
    /// Names of the properties, for an object.
    pub(super) fields: Vec<String>,
    /// Default value.
    pub(super) default: Option<Json>,
    /// Its schema.
    pub(super) schema: Json,
}

/// What a tool returns.
#[derive(Clone, Debug)]
pub(super) enum Returns {
    /// Nothing is declared.
    Unknown,
    /// An object with these members.
    Object(Vec<Field>),
    /// A list, of objects with these members if any.
    List(Vec<Field>),
    /// A single value.
    Single(Field),
}

/// A member of a reply.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    /// Words of the name, in the singular.
    pub(super) stems: Vec<String>,
    /// Main JSON type.
    pub(super) kind: String,
    /// Its description.
    pub(super) text: String,
    /// Whether it must be there.
    pub(super) required: bool,
    /// Members of its items (for a list) or of itself (for an object).
    pub(super) inner: Vec<Field>,
    /// JSON type of its items, for a list.
    pub(super) items: String,
    /// Values that schema or description lists.
    pub(super) options: Vec<String>,
}

impl Param {
    /// Whether the value is a list.
    pub(super) fn is_list(&self) -> bool {
        self.kind.as_deref() == Some("array")
    }

    /// Whether the value is an object.
    pub(super) fn is_object(&self) -> bool {
        self.kind.as_deref() == Some("object")
    }

    /// Whether the value is a number.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.kind.as_deref(), Some("number" | "integer"))
    }

    /// Whether the value is true or false.
    pub(super) fn is_bool(&self) -> bool {
        self.kind.as_deref() == Some("boolean")
    }

    /// The expression for its value.
    pub(super) fn expr(&self) -> String {
        super::expr::select("args", &self.name)
    }
}

/// Reads all tools.
pub(super) fn tools<'a>(specs: &[&'a ToolSpec]) -> Vec<Tool<'a>> {
    let common = common_openings(specs);
    specs
        .iter()
        .map(|spec| {
            let opening =
                spec.description.get(..OPENING).and_then(|start| common.get(start)).copied().unwrap_or(0);
            let text = spec.description.get(opening..).unwrap_or(&spec.description).trim().to_owned();
            Tool {
                spec,
                action: action(spec, &text),
                text_stems: stems(&text),
                params: params(spec),
                returns: returns(spec.returns.as_ref()),
                text,
            }
        })
        .collect()
}

/// Bytes that descriptions must share before their opening is looked at.
const OPENING: usize = 32;

/// Descriptions that start alike, by their start, and how long what they share is, in sentences.
fn common_openings<'a>(specs: &[&'a ToolSpec]) -> HashMap<&'a str, usize> {
    let mut shared: HashMap<&str, (&str, usize)> = HashMap::new();
    for spec in specs {
        let Some(start) = spec.description.get(..OPENING) else { continue };
        let entry = shared.entry(start).or_insert((&spec.description, 0));
        let common = entry.0.bytes().zip(spec.description.bytes()).take_while(|(a, b)| a == b).count();
        let mut end = common;
        while !entry.0.is_char_boundary(end) {
            end -= 1;
        }
        entry.0 = &entry.0[..end];
        entry.1 += 1;
    }
    shared
        .into_iter()
        .filter(|(_, (_, count))| *count >= 3)
        .map(|(start, (text, _))| {
            let end = [". ", ": ", "! ", "\n"]
                .iter()
                .filter_map(|mark| text.rfind(mark).map(|at| at + mark.len()))
                .max();
            (start, end.unwrap_or(0))
        })
        .collect()
}

fn params(spec: &ToolSpec) -> Vec<Param> {
    let root = &spec.parameters;
    properties(root, root)
        .into_iter()
        .map(|property| {
            let schema = resolve(root, property.schema);
            let text = text_of(property.schema, schema);
            let listed = enum_of(schema);
            Param {
                name: property.name.to_owned(),
                stems: stems(property.name),
                required: property.required,
                kind: primary_type(root, schema).map(str::to_owned),
                checked: !listed.is_empty(),
                options: if listed.is_empty() { told_options(property.name, &text) } else { listed },
                text,
                fields: properties(root, schema).iter().map(|field| field.name.to_owned()).collect(),
                default: schema.get("default").cloned(),
                schema: schema.clone(),
            }
        })
        .collect()
}

fn returns(schema: Option<&Json>) -> Returns {
    let Some(root) = schema else { return Returns::Unknown };
    let node = resolve(root, root);
    match primary_type(root, node) {
        Some("object") => {
            let fields = fields(root, node, 0);
            if fields.is_empty() { Returns::Unknown } else { Returns::Object(fields) }
        }
        Some("array") => {
            Returns::List(node.get("items").map(|items| fields(root, items, 0)).unwrap_or_default())
        }
        Some(kind) => Returns::Single(field("", root, node, kind, false, 0)),
        None => Returns::Unknown,
    }
}

fn fields(root: &Json, node: &Json, depth: usize) -> Vec<Field> {
    properties(root, node)
        .into_iter()
        .map(|property| {
            let schema = resolve(root, property.schema);
            let kind = primary_type(root, schema).unwrap_or("");
            field(property.name, root, schema, kind, property.required, depth)
        })
        .collect()
}

fn field(name: &str, root: &Json, schema: &Json, kind: &str, required: bool, depth: usize) -> Field {
    let text = text_of(schema, schema);
    let inner = match kind {
        _ if depth >= 2 => Vec::new(),
        "object" => fields(root, schema, depth + 1),
        "array" => schema.get("items").map(|items| fields(root, items, depth + 1)).unwrap_or_default(),
        _ => Vec::new(),
    };
    let listed = enum_of(schema);
    let options = if listed.is_empty() { options_in(&text) } else { listed };
    let items = schema.get("items").and_then(|items| primary_type(root, items)).unwrap_or("").to_owned();
    Field {
        name: name.to_owned(),
        stems: stems(name),
        kind: kind.to_owned(),
        text,
        required,
        inner,
        items,
        options,
    }
}

fn text_of(written: &Json, resolved: &Json) -> String {
    let own = |schema: &Json| schema.get("description").and_then(Json::as_str).map(str::to_owned);
    own(written).or_else(|| own(resolved)).unwrap_or_default()
}

fn enum_of(schema: &Json) -> Vec<String> {
    let values = schema.get("enum").and_then(Json::as_array).into_iter().flatten();
    values.filter_map(Json::as_str).map(str::to_owned).collect()
}

/// The same for a parameter: what names something else has no list of values, whatever its text says.
fn told_options(name: &str, text: &str) -> Vec<String> {
    const OPEN: &[&str] =
        &["id", "name", "path", "url", "uri", "key", "title", "query", "text", "token", "address", "email"];
    let last = stems(name).pop().unwrap_or_default();
    // Several in one text are not one of them.
    let several = text.contains("comma") || text.contains("separated");
    if several || OPEN.contains(&last.as_str()) { Vec::new() } else { options_in(text) }
}

/// Values that a description gives as the only ones: "must be one of: a, b, c", "either 'x' or 'y'".
/// Examples ("such as", "e.g.") are not a list of all values.
pub(super) fn options_in(text: &str) -> Vec<String> {
    const INTRODUCTIONS: &[&str] = &[
        "[enum]:",
        "must be one of",
        "should be one of",
        "can be one of",
        "one of the following",
        "one of:",
        "options are",
        "options:",
        "here are the options",
        "allowed values",
        "possible values",
        "valid values",
        "valid options",
        "must be either",
        "should be either",
        "either '",
        "either \"",
    ];
    let lower = text.to_ascii_lowercase();
    let Some((at, intro)) =
        INTRODUCTIONS.iter().filter_map(|intro| lower.find(intro).map(|at| (at, *intro))).min()
    else {
        return Vec::new();
    };
    let quote_in_intro = intro.ends_with(['\'', '"']);
    let rest = &text[at + intro.len() - usize::from(quote_in_intro)..];
    let rest = rest
        .trim_start_matches([':', ' ', '(', '[', '-'])
        .trim_start_matches("are")
        .trim_start_matches([':', ' ']);
    let open_ended = ["e.g", "such as", "etc", "for example", "..."];
    let quoted = rest.starts_with(['\'', '"', '`']);
    // The list ends with its sentence, where values are not quoted.
    let end = if quoted { rest.len() } else { rest.find(['.', '\n', ';', ')', ']']).unwrap_or(rest.len()) };
    let rest = &rest[..end];
    let span = &rest.to_ascii_lowercase();
    if open_ended.iter().any(|word| span.contains(word)) {
        return Vec::new();
    }
    if quoted { quoted_values(rest) } else { plain_values(rest) }
}

/// `'a', 'b' or 'c'`: values in quotes with nothing but separators between.
fn quoted_values(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(mark) = rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '`')) {
        let Some(end) = rest[1..].find(mark) else { break };
        out.push(rest[1..=end].to_owned());
        rest = &rest[end + 2..];
        let next = rest
            .trim_start_matches([',', ' ', '/', '|'])
            .trim_start_matches("or ")
            .trim_start_matches("and ")
            .trim_start();
        if next.len() == rest.len() {
            break;
        }
        rest = next;
    }
    if out.len() >= 2 { out } else { Vec::new() }
}

/// `a, b or c`: short values between commas.
fn plain_values(text: &str) -> Vec<String> {
    let text = text.replace(" or ", ",").replace(" and ", ",").replace('|', ",");
    let values: Vec<String> = text
        .split(',')
        .map(|value| value.trim().trim_matches(['\'', '"', '`']).to_owned())
        .filter(|value| !value.is_empty())
        .collect();
    let short = values.iter().all(|value| words(value).len() <= 3 && value.len() <= 40);
    if values.len() >= 2 && short { values } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_allowed_values_are_found_in_prose() {
        let check = |text: &str, expected: &[&str]| assert_eq!(options_in(text), expected, "{text}");
        check("The mode. [Enum]: [\"engage\", \"release\"]", &["engage", "release"]);
        check("Must be one of: low, medium or high.", &["low", "medium", "high"]);
        check("The reason, which should be either 'a b' or 'c'.", &["a b", "c"]);
        check("Options are: economy, business, first. Default economy", &["economy", "business", "first"]);
        check("A colour, such as red or blue", &[]);
        check("One of: red, blue, etc.", &[]);
        check("The name of one of the users", &[]);
    }

    #[test]
    fn what_all_descriptions_share_is_left_out() {
        let spec = |name: &str, text: &str| ToolSpec {
            name: name.into(),
            description: format!(
                "This tool belongs to the library system of the town. It lends books. {text}"
            ),
            ..ToolSpec::default()
        };
        let specs = [spec("a", "Lend a book."), spec("b", "Return a book."), spec("c", "Renew a loan.")];
        let tools = tools(&specs.iter().collect::<Vec<_>>());
        assert_eq!(tools[1].text, "Return a book.");
    }
}
