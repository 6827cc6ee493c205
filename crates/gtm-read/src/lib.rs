//! Where behaviors come from, and where the values come from that no behavior determines.
//!
//! A [`Reader`] turns tool specs into behaviors; [`RuleReader`] does so by rules: HTTP operations
//! by REST semantics ([`rest`]), other tools by names, schemas and the shape of the initial state
//! ([`function`]). A [`gtm_world::Filler`] gives values for undetermined slots; [`RuleFiller`]
//! does so from the slot's schema, names and descriptions.
//!
//! Invariants:
//! - Reading never fails: a tool that no rule fits is read as `direct`, and its rung says so.
//! - Nothing here knows a product by name; everything follows from the spec.
//! - Same input, same output, to the byte.

pub mod fill;
pub mod function;
pub mod prompt;
pub mod rest;
mod words;

pub use fill::RuleFiller;

use gtm_tool::ToolSpec;
use gtm_world::{Behavior, Behaviors};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a reader reads: the tools of one toolset and the state that its sessions start from.
#[derive(Clone, Copy, Debug)]
pub struct ReadInput<'a> {
    /// All tools of the toolset, with unique names.
    pub tools: &'a [ToolSpec],
    /// The initial state; an empty object if none is given.
    pub initial_state: &'a Json,
}

/// What was read: a behavior and a rung for every tool of the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Behaviors of all tools, and the collections they share.
    pub behaviors: Behaviors,
    /// How each behavior was found, by tool name.
    pub rungs: BTreeMap<String, Rung>,
    /// How sure a model is of what it read, 0 to 1, by tool name.
    pub confidence: BTreeMap<String, f64>,
}

impl Reading {
    /// Notes what a tool does and how that was found.
    pub fn add(&mut self, tool: &str, behavior: Behavior, rung: Rung) {
        self.behaviors.behaviors.insert(tool.to_owned(), behavior);
        self.rungs.insert(tool.to_owned(), rung);
    }

    /// Notes that no rule fits a tool: its reply is generated from its return schema and the call.
    pub fn add_direct(&mut self, tool: &str, note: Option<&str>) {
        let behavior = Behavior { direct: true, note: note.map(str::to_owned), ..Behavior::default() };
        self.add(tool, behavior, Rung::Direct);
    }
}

/// How a behavior was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Derived from REST semantics, or from names, schemas and state.
    Rules,
    /// Read by a language model, and held when it was tried.
    Model,
    /// Not found: the reply is generated from the return schema and the call alone.
    Direct,
}

/// Something that reads specs into behaviors.
pub trait Reader: Send + Sync {
    /// Behaviors for all tools of the input.
    fn read(&self, input: &ReadInput<'_>) -> Reading;
}

/// Reads by rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleReader;

impl Reader for RuleReader {
    fn read(&self, input: &ReadInput<'_>) -> Reading {
        let (http, functions): (Vec<&ToolSpec>, Vec<&ToolSpec>) =
            input.tools.iter().partition(|tool| rest::is_rest(tool));
        let mut out = Reading::default();
        rest::read(&http, input.initial_state, &mut out);
        function::read(&functions, input.initial_state, &mut out);
        for tool in input.tools {
            if !out.behaviors.behaviors.contains_key(&tool.name) {
                out.add_direct(&tool.name, None);
            }
        }
        out
    }
}
