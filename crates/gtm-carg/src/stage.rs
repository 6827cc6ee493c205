//! Executing calls: arguments checked, behavior run, reply or error in the tools' own style.

use crate::domain::Domain;
use crate::style::Dressed;
use crate::tools::Plan;
use gtm_error::Result;
use gtm_tool::{Checker, Limits as ToolLimits};
use gtm_world::{Behaviors, ErrorKind, Filler, Library, Limits, Program, Slot, ToolError, Value, World};
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::sync::Arc;

/// A tool ready to be called.
pub struct Staged {
    /// Spec, behavior, arguments.
    pub dressed: Dressed,
    /// What it was made from; `None` for tools of the session itself (logging in).
    pub plan: Option<Plan>,
    /// Which of the stage's domains it belongs to.
    pub domain: usize,
    program: Program,
    checker: Checker,
}

/// The tools of one session.
pub struct Stage {
    /// Domains, the main one first.
    pub domains: Vec<Arc<Domain>>,
    /// Tools by name.
    pub tools: IndexMap<String, Staged>,
    /// All behaviors, as a toolset has them.
    pub behaviors: Behaviors,
    library: Arc<Library>,
}

/// What a call led to.
pub struct Answer {
    /// What the agent sees.
    pub content: Json,
    /// Why it failed, if it did.
    pub error: Option<ToolError>,
    /// The world afterwards.
    pub world: World,
    /// Whether the state changed.
    pub changed: bool,
}

/// Packs determine every value: nothing is ever filled in.
struct NothingToFill;

impl Filler for NothingToFill {
    fn fill(&self, _: &Slot<'_>) -> Value {
        Value::Null
    }
}

impl Stage {
    /// Compiles the tools.
    ///
    /// # Errors
    /// A behavior or schema that does not compile, which means that a pack passed lint wrongly.
    pub fn new(
        domains: Vec<Arc<Domain>>,
        behaviors: Behaviors,
        tools: Vec<(Dressed, Option<Plan>, usize)>,
    ) -> Result<Stage> {
        let library = Arc::new(Library::new(&behaviors, Limits::default())?);
        let mut staged = IndexMap::with_capacity(tools.len());
        let limits = ToolLimits::default();
        for (dressed, plan, domain) in tools {
            let program = Program::compile(&dressed.spec.name, &dressed.behavior, None, &library)?;
            let checker = Checker::new(&dressed.spec.parameters, &limits)?;
            staged.insert(dressed.spec.name.clone(), Staged { dressed, plan, domain, program, checker });
        }
        Ok(Stage { domains, tools: staged, behaviors, library })
    }

    /// Answers a call.
    pub fn call(&self, world: &World, name: &str, arguments: &Json) -> Answer {
        let args = Value::from(arguments);
        let Some(tool) = self.tools.get(name) else {
            let error = ToolError::new(ErrorKind::UnknownTool, format!("unknown tool: {name}"));
            return self.failed(None, error, &args, world);
        };
        if let Err(error) = tool.check(arguments) {
            return self.failed(Some(tool), error, &args, world);
        }
        match tool.program.run(world, &args, &NothingToFill) {
            Ok(outcome) => Answer {
                content: outcome.reply.to_json(),
                error: None,
                world: outcome.world,
                changed: outcome.changed,
            },
            Err(error) => self.failed(Some(tool), error, &args, world),
        }
    }

    fn failed(&self, tool: Option<&Staged>, error: ToolError, args: &Value, world: &World) -> Answer {
        let rendered = tool
            .and_then(|t| t.program.render_error(&error, args))
            .or_else(|| self.library.render_error(&error, args));
        let content =
            rendered.map_or_else(|| serde_json::json!({"error": error.message}), |value| value.to_json());
        Answer { content, error: Some(error), world: world.clone(), changed: false }
    }
}

impl Staged {
    /// Arguments that the schema does not have are refused, as functions do; then the schema decides.
    fn check(&self, arguments: &Json) -> std::result::Result<(), ToolError> {
        let known = self.dressed.spec.parameters.get("properties").and_then(Json::as_object);
        let unexpected = arguments
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .find(|name| !known.is_some_and(|k| k.contains_key(*name)));
        let violation = self.checker.check(arguments).err();
        match (unexpected, violation) {
            (Some(name), violation) if violation.as_ref().is_none_or(|v| v.missing.is_none()) => {
                let error =
                    ToolError::new(ErrorKind::InvalidArgument, format!("unexpected argument `{name}`"));
                Err(ToolError { path: format!("/{name}"), ..error })
            }
            (_, Some(violation)) => {
                let error = ToolError::new(ErrorKind::InvalidArgument, violation.message);
                Err(ToolError { path: violation.path, expected: Some(violation.expected), ..error })
            }
            _ => Ok(()),
        }
    }
}
