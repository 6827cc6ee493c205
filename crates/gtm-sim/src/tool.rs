//! One tool of a simulator, compiled as far as it was needed.

use crate::arguments::ArgumentCheck;
use crate::metrics::Metrics;
use crate::reply::Rung;
use crate::toolset::{ArgumentPolicy, Limits};
use gtm_error::Error;
use gtm_tool::{Checker, ToolSpec};
use gtm_world::{Behavior, ErrorKind, Library, Program, ToolError, Value};
use serde_json::{Map as JsonMap, Value as Json};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// A tool and what is compiled of it on first use: a toolset may have thousands of tools of which
/// a session calls five.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: Arc<str>,
    /// Place in the toolset's list of specs.
    pub(crate) at: usize,
    behavior: Behavior,
    /// The behavior derived from the spec, where another one refers to it.
    derived: Option<Behavior>,
    rung: Rung,
    derived_program: OnceLock<Option<Program>>,
    program: OnceLock<(Arc<Program>, Rung)>,
    arguments: OnceLock<Result<ArgumentCheck, Error>>,
    returns: OnceLock<Option<Checker>>,
}

impl Tool {
    pub(crate) fn new(name: Arc<str>, at: usize, behavior: Behavior, rung: Rung) -> Tool {
        let (derived_program, program, arguments, returns) = Default::default();
        Tool { name, at, behavior, derived: None, rung, derived_program, program, arguments, returns }
    }

    /// Keeps the derived behavior, too: what it makes up is told by what it replies.
    pub(crate) fn with_derived(self, derived: Option<Behavior>) -> Tool {
        Tool { derived, ..self }
    }

    /// The derived behavior, where another one refers to it.
    pub(crate) fn derived(&self, spec: &ToolSpec, library: &Arc<Library>) -> Option<&Program> {
        let derived = self.derived.as_ref()?;
        let compile = || Program::compile(&self.name, derived, spec.returns.as_ref(), library).ok();
        self.derived_program.get_or_init(compile).as_ref()
    }

    /// Compiles the behavior now, to learn of mistakes in it.
    ///
    /// # Errors
    /// As [`Program::compile`].
    pub(crate) fn compile(&self, spec: &ToolSpec, library: &Arc<Library>) -> gtm_error::Result<()> {
        let program = Program::compile(&self.name, &self.behavior, spec.returns.as_ref(), library)?;
        let _ = self.program.set((Arc::new(program), self.rung));
        Ok(())
    }

    /// The program and the rung it stands for. A behavior that was read and does not compile is a
    /// bug of the reader: it is counted, and the tool answers directly.
    pub(crate) fn program(
        &self,
        spec: &ToolSpec,
        library: &Arc<Library>,
        metrics: &Metrics,
    ) -> Option<&(Arc<Program>, Rung)> {
        if let Some(program) = self.program.get() {
            return Some(program);
        }
        let compile = |behavior: &_| Program::compile(&self.name, behavior, spec.returns.as_ref(), library);
        let compiled = compile(&self.behavior).map(|p| (Arc::new(p), self.rung)).or_else(|_| {
            metrics.unusable_behavior();
            let direct = Behavior { direct: true, ..Behavior::default() };
            compile(&direct).map(|p| (Arc::new(p), Rung::Direct))
        });
        compiled.ok().map(|program| self.program.get_or_init(|| program))
    }

    /// The arguments as the behavior gets to see them. A tool whose schema is not admitted answers
    /// every call with an internal error that names the code: one bad tool does not keep the other
    /// thousand from being served.
    pub(crate) fn check<'a>(
        &self,
        spec: &ToolSpec,
        policy: ArgumentPolicy,
        limits: &Limits,
        given: &'a Json,
    ) -> Result<Cow<'a, Json>, ToolError> {
        match self.arguments.get_or_init(|| ArgumentCheck::new(spec, policy, &limits.tool)) {
            Ok(check) => check.check(spec, given),
            Err(error) => {
                let message = format!("the parameters of this tool cannot be checked: {}", one_line(error));
                Err(ToolError::new(ErrorKind::Internal, message))
            }
        }
    }

    /// The arguments, and what is wrong with them: null, or as [`gtm_world::Behavior::unchecked`] says.
    pub(crate) fn examine<'a>(
        &self,
        spec: &ToolSpec,
        policy: ArgumentPolicy,
        limits: &Limits,
        given: &'a Json,
    ) -> (Cow<'a, Json>, Value) {
        let error = match self.check(spec, policy, limits, given) {
            Ok(args) => return (args, Value::Null),
            Err(error) => error,
        };
        let report = match self.arguments.get() {
            Some(Ok(check)) => check.report(spec, given, &error),
            _ => Value::Map([("message".into(), Value::from(error.message))].into_iter().collect()),
        };
        // A behavior may rely on `args` being an object.
        let args =
            if given.is_object() { Cow::Borrowed(given) } else { Cow::Owned(Json::Object(JsonMap::new())) };
        (args, report)
    }

    /// Whether a successful reply is as the tool declares. A schema that is not admitted says nothing.
    pub(crate) fn is_valid(&self, spec: &ToolSpec, limits: &Limits, content: &Json) -> bool {
        let Some(schema) = &spec.returns else { return true };
        let checker = self.returns.get_or_init(|| Checker::new(schema, &limits.tool).ok());
        checker.as_ref().is_none_or(|checker| checker.check(content).is_ok())
    }
}

fn one_line(error: &Error) -> String {
    format!("[{}] {}", error.code().id(), error.message())
}
