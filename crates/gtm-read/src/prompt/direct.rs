//! `direct`: spec, state, history and call → reply and change of the state.

use super::expr::Writer;
use super::parse::{Parser, wrong};
use super::patch::Change;
use super::show::{Page, flat};
use super::symbols::Symbols;
use crate::function::outline::Outline;
use gtm_error::Result;
use gtm_tool::ToolSpec;
use serde_json::{Map as JsonMap, Value as Json};

/// Nodes shown of the arguments, of each record, and of everything else in the state.
const ARGUMENTS: usize = 120;
const RECORD: usize = 60;
const REST: usize = 60;
/// Collections and records of each that are shown.
const COLLECTIONS: usize = 3;
const RECORDS: usize = 4;
/// Records of a collection that are looked at for those that the call names.
const LOOKED_AT: usize = 2_000;
/// Earlier calls shown, and how much of each.
const HISTORY: usize = 4;
const TURN: usize = 240;
/// Nesting of values, shown or written.
const DEPTH: usize = 10;
/// Longest completion that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// An earlier call and its reply.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// Tool.
    pub tool: &'a str,
    /// Arguments.
    pub arguments: &'a Json,
    /// What it was answered.
    pub reply: &'a Json,
}

/// What a call led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What the agent sees.
    pub reply: Json,
    /// Whether the call failed.
    pub is_error: bool,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// The tools of one toolset.
#[derive(Clone, Debug)]
pub struct Toolset {
    outline: Outline,
}

/// The question what a call leads to.
#[derive(Clone, Debug)]
pub struct Question {
    prompt: String,
    symbols: Symbols,
}

impl Toolset {
    /// Looks at the tools and the initial state.
    pub fn new(tools: &[ToolSpec], initial_state: &Json) -> Toolset {
        Toolset { outline: Outline::of(tools, initial_state) }
    }

    /// Asks what a call of a tool leads to in a state, given what was called before, oldest first.
    pub fn ask(&self, tool: &ToolSpec, state: &Json, history: &[Past<'_>], arguments: &Json) -> Question {
        let mut page = Page::default();
        page.title("direct");
        page.tool(tool);
        page.returns(tool);
        self.state(&mut page, tool, state, arguments);
        for past in &history[history.len().saturating_sub(HISTORY)..] {
            page.begin("past");
            page.begin(&flat(&format!("{} {} -> {}", past.tool, past.arguments, past.reply), TURN));
            page.end();
        }
        page.begin("call");
        page.json(arguments, &mut ARGUMENTS.clone(), DEPTH);
        page.end();
        Question { prompt: page.text, symbols: page.symbols }
    }

    /// The records that the call names, some others of what the tool speaks of, and single values.
    fn state(&self, page: &mut Page, tool: &ToolSpec, state: &Json, arguments: &Json) {
        let mut named = Vec::new();
        scalars(arguments, &mut named, DEPTH);
        let groups = self.outline.relevant_to(tool);
        for group in groups.iter().take(COLLECTIONS) {
            let Some(collection) = group.path.iter().try_fold(state, |at, name| at.get(name)) else {
                continue;
            };
            page.begin("state");
            page.place(&group.path);
            let records: Vec<(String, &Json)> = match collection {
                Json::Object(map) => {
                    map.iter().take(LOOKED_AT).map(|(key, record)| (key.clone(), record)).collect()
                }
                Json::Array(list) => list
                    .iter()
                    .take(LOOKED_AT)
                    .enumerate()
                    .map(|(at, record)| (at.to_string(), record))
                    .collect(),
                _ => Vec::new(),
            };
            let is_named = |(key, record): &(String, &Json)| {
                named.contains(&key.as_str())
                    || record
                        .as_object()
                        .is_some_and(|r| r.values().any(|v| v.as_str().is_some_and(|v| named.contains(&v))))
            };
            let (first, rest): (Vec<_>, Vec<_>) = records.iter().partition(|record| is_named(record));
            for (key, record) in first.into_iter().chain(rest).take(RECORDS) {
                page.json(&Json::from(key.as_str()), &mut 1, 1);
                page.json(record, &mut RECORD.clone(), DEPTH);
            }
            page.end();
        }
        let single: JsonMap<String, Json> = state
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !groups.iter().any(|group| group.path.first() == Some(name)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if !single.is_empty() {
            page.begin("values");
            single.keys().for_each(|name| page.mention(name));
            page.json(&Json::Object(single), &mut REST.clone(), DEPTH);
            page.end();
        }
    }
}

/// Texts and numbers in a value.
fn scalars<'j>(json: &'j Json, out: &mut Vec<&'j str>, depth: usize) {
    match json {
        Json::String(text) => out.push(text),
        Json::Array(items) if depth > 0 => items.iter().for_each(|item| scalars(item, out, depth - 1)),
        Json::Object(members) if depth > 0 => {
            members.values().for_each(|value| scalars(value, out, depth - 1))
        }
        _ => {}
    }
}

impl Question {
    /// The prompt.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The completion that says this answer; `None` if none can.
    pub fn answer(&self, answer: &Answer) -> Option<String> {
        let mut w = Writer::new(&self.symbols);
        w.word(if answer.is_error { "fail" } else { "reply" });
        w.value(&answer.reply, DEPTH)?;
        for Change { path, value } in &answer.changes {
            let (root, path) = path.split_first()?;
            w.line();
            w.word(if value.is_some() { "set" } else { "gone" });
            w.root(root)?;
            for name in path {
                w.word("[");
                w.value(&Json::from(name.as_str()), 0)?;
                w.word("]");
            }
            if let Some(value) = value {
                w.word("=");
                w.value(value, DEPTH)?;
            }
        }
        Some(w.finish())
    }

    /// The answer that a completion says. The reply may not fit what the tool returns.
    ///
    /// # Errors
    /// [`gtm_error::Code::BehaviorInvalid`] for what is no completion of this prompt.
    pub fn understand(&self, completion: &str) -> Result<Answer> {
        if completion.len() > LONGEST {
            return Err(wrong(format!("the completion has more than {LONGEST} bytes")));
        }
        let mut lines = completion.lines();
        let mut p = Parser::new(&self.symbols, lines.next().unwrap_or_default())?;
        let is_error = match p.next_word()? {
            "reply" => false,
            "fail" => true,
            word => return Err(wrong(format!("`{word}` is no answer"))),
        };
        let mut answer = Answer { reply: p.value()?, is_error, changes: Vec::new() };
        if !p.done() {
            return Err(wrong("the reply is followed by something"));
        }
        for line in lines {
            answer.changes.push(change(Parser::new(&self.symbols, line)?)?);
        }
        Ok(answer)
    }
}

fn change(mut p: Parser<'_>) -> Result<Change> {
    let sets = match p.next_word()? {
        "set" => true,
        "gone" => false,
        word => return Err(wrong(format!("`{word}` is no change"))),
    };
    let mut path = vec![p.root()?.ok_or_else(|| wrong("a change needs a place"))?];
    while p.accept("[") {
        path.push(match p.value()? {
            Json::String(name) => name,
            Json::Number(index) => index.to_string(),
            _ => return Err(wrong("a place is a name or an index")),
        });
        p.expect("]")?;
    }
    let value = match sets {
        true => {
            p.expect("=")?;
            Some(p.value()?)
        }
        false => None,
    };
    match p.done() {
        true => Ok(Change { path, value }),
        false => Err(wrong("a change is followed by something")),
    }
}
