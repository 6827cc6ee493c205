//! Specs and states as prompts show them: each name followed by its label.

use super::symbols::Symbols;
use crate::function::outline::{Field, Group, Outline};
use gtm_tool::ToolSpec;
use gtm_tool::schema::{primary_type, properties, resolve};
use serde_json::Value as Json;

/// Longest description shown of a tool, and of a parameter, in characters.
const DESCRIPTION: usize = 240;
const REMARK: usize = 90;
/// Most parameters, members of a record, values of one choice, and single values shown.
const PARAMETERS: usize = 40;
const MEMBERS: usize = 40;
const CHOICES: usize = 16;
const VALUES: usize = 24;
/// How many collections are shown with their members; of the others only the names are, as many as this.
const IN_FULL: usize = 3;
const BY_NAME: usize = 24;
/// Most shown of a plain value, in characters of JSON; a pointer stands for all of it.
const PLAIN: usize = 80;
/// Deepest nesting shown of a schema.
const DEPTH: usize = 3;

/// Writes a prompt and hands out the labels.
#[derive(Default)]
pub(super) struct Page {
    pub(super) symbols: Symbols,
    pub(super) text: String,
}

impl Page {
    /// The first line: which task, in which version of the format.
    pub(super) fn title(&mut self, task: &str) {
        self.text.push_str(&format!("{task} {}\n", super::VERSION));
    }

    fn push(&mut self, text: &str) {
        if !self.text.ends_with('\n') && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    fn label(&mut self, sigil: char, name: &str) {
        let label = self.symbols.name(sigil, name);
        self.push(&format!("{} {sigil}{label}", flat(name, 60)));
    }

    /// A tool's name, and what it is said to do.
    pub(super) fn name(&mut self, tool: &ToolSpec) {
        self.push(&flat(&tool.name, 80));
        self.push(&format!(": {}", flat(&tool.description, DESCRIPTION)));
        self.text.push('\n');
    }

    /// A tool: its name, what it is said to do, its parameters.
    pub(super) fn tool(&mut self, tool: &ToolSpec) {
        self.push(&flat(&tool.name, 80));
        self.push(&format!(": {}", flat(&tool.description, DESCRIPTION)));
        for (hint, word) in [
            (tool.annotations.read_only, "reads"),
            (tool.annotations.destructive, "destroys"),
            (tool.annotations.idempotent, "repeats"),
        ] {
            if let Some(hint) = hint {
                self.push(if hint { word } else { "!" });
                if !hint {
                    self.push(word);
                }
            }
        }
        self.text.push('\n');
        for property in properties(&tool.parameters, &tool.parameters).into_iter().take(PARAMETERS) {
            let schema = resolve(&tool.parameters, property.schema);
            self.push("-");
            self.label('P', property.name);
            if property.required {
                self.push("!");
            }
            self.schema(&tool.parameters, schema, DEPTH);
            if let Some(remark) = schema.get("description").and_then(Json::as_str) {
                self.push(&format!(": {}", flat(remark, REMARK)));
            }
            self.text.push('\n');
        }
    }

    /// What a successful reply looks like, if that is declared.
    pub(super) fn returns(&mut self, tool: &ToolSpec) {
        let Some(returns) = &tool.returns else { return };
        self.push("returns");
        self.schema(returns, returns, DEPTH);
        self.text.push('\n');
    }

    fn schema(&mut self, root: &Json, node: &Json, depth: usize) {
        let node = resolve(root, node);
        let kind = primary_type(root, node).unwrap_or("any");
        self.push(kind);
        if let Some(format) = node.get("format").and_then(Json::as_str) {
            self.push(&flat(format, 20));
        }
        let choices = node.get("enum").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let constant = node.get("const").into_iter();
        for text in choices.iter().take(CHOICES).chain(constant).filter_map(Json::as_str) {
            self.value(text);
        }
        for (key, word) in [("minimum", ">="), ("maximum", "<="), ("default", "=")] {
            if let Some(value) = node.get(key).filter(|v| v.is_number() || v.is_boolean() || v.is_string()) {
                self.push(&format!("{word} {}", flat(&value.to_string(), 24)));
            }
        }
        if depth == 0 {
            return;
        }
        if let Some(items) = node.get("items").filter(|_| kind == "array") {
            self.push("of");
            self.schema(root, items, depth - 1);
        }
        let members = properties(root, node);
        if !members.is_empty() {
            self.push("{");
            for member in members.into_iter().take(MEMBERS) {
                self.label('M', member.name);
                self.schema(root, member.schema, depth - 1);
                self.push(",");
            }
            self.push("}");
        }
    }

    fn value(&mut self, text: &str) {
        let label = self.symbols.value(text);
        self.push(&format!("{} V{label}", flat(text, 40)));
    }

    /// What the state holds, most of all what the tool speaks of.
    pub(super) fn state(&mut self, outline: &Outline, tool: &ToolSpec) {
        let groups = outline.relevant_to(tool);
        for group in groups.iter().take(IN_FULL) {
            self.group(group);
        }
        let others = groups.get(IN_FULL..).unwrap_or_default();
        if !others.is_empty() {
            self.push("also");
            for group in others.iter().take(BY_NAME) {
                self.path(&group.path);
            }
            self.text.push('\n');
        }
        if !outline.values.is_empty() {
            self.push("values");
            for (path, value) in outline.values.iter().take(VALUES) {
                self.path(path);
                self.push(gtm_tool::schema::type_of(value));
            }
            self.text.push('\n');
        }
    }

    /// JSON whose plain values can be pointed at, as much as fits into so many nodes.
    pub(super) fn json(&mut self, json: &Json, nodes: &mut usize, depth: usize) {
        if *nodes == 0 || depth == 0 {
            self.push("...");
            return;
        }
        *nodes -= 1;
        match json {
            Json::Object(members) => {
                self.push("{");
                for (name, value) in members {
                    self.label('M', name);
                    self.json(value, nodes, depth - 1);
                    self.push(",");
                    if *nodes == 0 {
                        break;
                    }
                }
                self.push("}");
            }
            Json::Array(items) => {
                self.push("[");
                for item in items {
                    self.json(item, nodes, depth - 1);
                    self.push(",");
                    if *nodes == 0 {
                        break;
                    }
                }
                self.push("]");
            }
            // What everything is full of is said, not pointed at.
            Json::Null | Json::Bool(_) => self.push(&json.to_string()),
            plain => {
                let text = plain.to_string();
                let label = self.symbols.fact(&text);
                self.push(&format!("{} F{label}", flat(&text, PLAIN)));
            }
        }
    }

    /// A line that begins with a word.
    pub(super) fn begin(&mut self, word: &str) {
        self.push(word);
    }

    pub(super) fn end(&mut self) {
        self.text.push('\n');
    }

    /// A place in the state.
    pub(super) fn place(&mut self, path: &[String]) {
        self.path(path);
    }

    /// A root of the state.
    pub(super) fn mention(&mut self, name: &str) {
        self.label('C', name);
    }

    /// A slot: what is to be filled, and what its schema says.
    pub(super) fn slot(&mut self, path: &str, root: &Json, schema: &Json) {
        self.push("-");
        self.push(&flat(path, 80));
        self.schema(root, schema, DEPTH);
        if let Some(remark) = resolve(root, schema).get("description").and_then(Json::as_str) {
            self.push(&format!(": {}", flat(remark, REMARK)));
        }
        self.text.push('\n');
    }

    fn path(&mut self, path: &[String]) {
        for (depth, name) in path.iter().enumerate() {
            self.label(if depth == 0 { 'C' } else { 'M' }, name);
        }
    }

    fn group(&mut self, group: &Group) {
        self.push(group.kind);
        self.path(&group.path);
        if let Some(id) = &group.id {
            self.push("by");
            self.label('M', id);
        }
        self.push("{");
        for Field { path, kind, values } in group.members.iter().take(MEMBERS) {
            for name in path {
                self.label('M', name);
            }
            self.push(kind);
            for value in values {
                self.value(value);
            }
            self.push(",");
        }
        self.push("}");
        self.text.push('\n');
    }
}

/// A text on one line, without control characters, cut to so many characters.
pub(super) fn flat(text: &str, most: usize) -> String {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > 4 * most {
            break;
        }
    }
    out.chars().take(most).collect()
}
