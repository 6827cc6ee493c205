//! `read`: spec and shape of the state → behavior.

use super::Example;
use super::expr::Writer;
use super::show::Page;
use super::symbols::Symbols;
use crate::function::outline::Outline;
use gtm_error::Result;
use gtm_tool::ToolSpec;
use gtm_world::behavior::Behavior;
use serde_json::Value as Json;

mod grammar;
mod say;
mod understand;

/// The tools of one toolset and the shape of its state: what all its prompts have in common.
#[derive(Clone, Debug)]
pub struct Toolset {
    outline: Outline,
}

/// The question what one tool does.
#[derive(Clone, Debug)]
pub struct Question {
    prompt: String,
    symbols: Symbols,
}

impl Toolset {
    /// Looks at the tools and the initial state (an empty object if none is known: then the tools themselves tell
    /// what there may be).
    pub fn new(tools: &[ToolSpec], initial_state: &Json) -> Toolset {
        Toolset { outline: Outline::of(tools, initial_state) }
    }

    /// Asks what a tool does.
    pub fn ask(&self, tool: &ToolSpec) -> Question {
        let mut page = Page::default();
        page.title("read");
        page.tool(tool);
        page.returns(tool);
        page.state(&self.outline, tool);
        Question { prompt: page.text, symbols: page.symbols }
    }

    /// The sample that teaches what a tool does; `None` where completions cannot say it. Messages of failures are not
    /// part of it, and neither is an envelope: specs do not tell them.
    pub fn example(&self, tool: &ToolSpec, behavior: &Behavior) -> Option<Example> {
        let question = self.ask(tool);
        let completion = question.answer(behavior)?;
        Some(Example { prompt: question.prompt, completion })
    }
}

impl Question {
    /// The prompt.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The completion that says what a behavior does; `None` if none can.
    pub fn answer(&self, behavior: &Behavior) -> Option<String> {
        let mut writer = Writer::new(&self.symbols);
        say::behavior(&mut writer, behavior)?;
        Some(writer.finish())
    }

    /// What completions of this prompt may be, as a grammar in llguidance's variant of Lark: pointers only at what the
    /// prompt shows.
    pub fn grammar(&self) -> String {
        grammar::grammar(&self.symbols)
    }

    /// What a completion says. It may still not compile.
    ///
    /// # Errors
    /// [`gtm_error::Code::BehaviorInvalid`] for what is no completion of this prompt.
    pub fn understand(&self, completion: &str) -> Result<Behavior> {
        understand::behavior(&self.symbols, completion)
    }
}
