//! `shape`: spec → schema of a successful reply.

use super::expr::Writer;
use super::parse::{Parser, wrong};
use super::show::Page;
use super::symbols::Symbols;
use gtm_error::Result;
use gtm_tool::ToolSpec;
use gtm_tool::schema::{primary_type, properties, resolve};
use serde_json::{Map as JsonMap, Value as Json, json};

/// Deepest schema said.
const DEPTH: usize = 6;
const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "object", "array", "null"];

/// The question what a tool returns.
#[derive(Clone, Debug)]
pub struct Question {
    prompt: String,
    symbols: Symbols,
}

impl Question {
    /// Asks what a tool returns, whether or not its spec says so.
    pub fn new(tool: &ToolSpec) -> Question {
        let mut page = Page::default();
        page.title("shape");
        page.tool(tool);
        Question { prompt: page.text, symbols: page.symbols }
    }

    /// The prompt.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The completion that says types and members of a schema; `None` if it is nested too deeply.
    pub fn answer(&self, returns: &Json) -> Option<String> {
        let mut writer = Writer::new(&self.symbols);
        say(&mut writer, returns, returns, DEPTH)?;
        Some(writer.finish())
    }

    /// The schema that a completion says.
    ///
    /// # Errors
    /// [`gtm_error::Code::BehaviorInvalid`] for what is no completion of this prompt.
    pub fn understand(&self, completion: &str) -> Result<Json> {
        let mut parser = Parser::new(&self.symbols, completion)?;
        let schema = understand(&mut parser, DEPTH)?;
        match parser.done() {
            true => Ok(schema),
            false => Err(wrong("a schema is followed by something")),
        }
    }
}

fn say(w: &mut Writer<'_>, root: &Json, node: &Json, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let node = resolve(root, node);
    let kind = primary_type(root, node).filter(|kind| TYPES.contains(kind)).unwrap_or("any");
    w.word(kind);
    let members = properties(root, node);
    if kind == "array" {
        if let Some(items) = node.get("items").filter(|items| items.is_object()) {
            w.word("of");
            say(w, root, items, depth)?;
        }
    } else if !members.is_empty() {
        w.word("{");
        for (at, member) in members.iter().enumerate() {
            if at > 0 {
                w.word(",");
            }
            w.member(member.name)?;
            if member.required {
                w.word("!");
            }
            say(w, root, member.schema, depth)?;
        }
        w.word("}");
    }
    Some(())
}

fn understand(p: &mut Parser<'_>, depth: usize) -> Result<Json> {
    let Some(depth) = depth.checked_sub(1) else { return Err(wrong("the schema is nested too deeply")) };
    let kind = p.next_word()?;
    let mut schema = match kind {
        "any" => json!({}),
        kind if TYPES.contains(&kind) => json!({"type": kind}),
        _ => return Err(wrong(format!("there is no type `{kind}`"))),
    };
    if p.accept_word("of") {
        schema["items"] = understand(p, depth)?;
    }
    if p.accept("{") {
        let (mut members, mut required) = (JsonMap::new(), Vec::new());
        while !p.accept("}") {
            if !members.is_empty() {
                p.expect(",")?;
            }
            let name = p.member()?.ok_or_else(|| wrong("a member needs a name"))?;
            if p.accept("!") {
                required.push(Json::from(name.as_str()));
            }
            members.insert(name, understand(p, depth)?);
        }
        schema["properties"] = Json::Object(members);
        if !required.is_empty() {
            schema["required"] = Json::Array(required);
        }
    }
    Ok(schema)
}
