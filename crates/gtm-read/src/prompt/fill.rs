//! `fill`: slots of a reply or record → values.

use super::expr::Writer;
use super::parse::{Parser, wrong};
use super::show::Page;
use super::symbols::Symbols;
use gtm_error::Result;
use gtm_tool::ToolSpec;
use serde_json::Value as Json;

/// Nodes shown of arguments and of what is known.
const NODES: usize = 120;
/// Nesting of values, shown or written.
const DEPTH: usize = 8;
/// Most slots in one question.
pub const MAX_SLOTS: usize = 40;

/// A value that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Dotted path of the slot in the reply or record.
    pub path: &'a str,
    /// JSON Schema of the value.
    pub schema: &'a Json,
    /// Document that `$ref`s in `schema` point into.
    pub root: &'a Json,
}

/// The question what stands in some slots.
#[derive(Clone, Debug)]
pub struct Question {
    prompt: String,
    symbols: Symbols,
    slots: usize,
}

impl Question {
    /// Asks for values in the answer of a tool to a call, given what is known of the record already. Slots beyond
    /// [`MAX_SLOTS`] are not asked for.
    pub fn new(tool: &ToolSpec, arguments: &Json, known: &Json, slots: &[Wanted<'_>]) -> Question {
        let mut page = Page::default();
        page.title("fill");
        page.name(tool);
        for (word, json) in [("args", arguments), ("known", known)] {
            page.begin(word);
            page.json(json, &mut NODES.clone(), DEPTH);
            page.end();
        }
        let slots = slots.get(..MAX_SLOTS).unwrap_or(slots);
        for slot in slots {
            page.slot(slot.path, slot.root, slot.schema);
        }
        Question { prompt: page.text, symbols: page.symbols, slots: slots.len() }
    }

    /// The prompt.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The completion that gives these values, one line a slot; `None` if none can or the number is another.
    pub fn answer(&self, values: &[Json]) -> Option<String> {
        if values.len() != self.slots {
            return None;
        }
        let mut writer = Writer::new(&self.symbols);
        for value in values {
            writer.line();
            writer.value(value, DEPTH)?;
        }
        Some(writer.finish())
    }

    /// The values that a completion gives, one for each slot. They may not satisfy their schemas.
    ///
    /// # Errors
    /// [`gtm_error::Code::BehaviorInvalid`] for what is no completion of this prompt.
    pub fn understand(&self, completion: &str) -> Result<Vec<Json>> {
        let mut values = Vec::new();
        for line in completion.lines() {
            let mut parser = Parser::new(&self.symbols, line)?;
            values.push(parser.value()?);
            if !parser.done() {
                return Err(wrong("a value is followed by something"));
            }
        }
        match values.len() == self.slots {
            true => Ok(values),
            false => Err(wrong(format!("{} values for {} slots", values.len(), self.slots))),
        }
    }
}
