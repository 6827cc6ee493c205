//! The last step of an import: giving every tool its own copy of the definitions it reaches, and
//! admitting the result. It is most of the work, and tools do not need each other for it, so it is
//! done on all cores.

use super::defs::{Defs, Ready};
use super::params::Arguments;
use crate::import::common::admitted_reply;
use crate::spec::{ErrorSpec, ToolSpec};
use crate::{Limits, admit};
use gtm_error::Result;
use serde_json::{Map, Value};

/// A tool without its schemas.
pub(super) struct Draft {
    pub(super) tool: ToolSpec,
    pub(super) arguments: Arguments,
    pub(super) returns: Option<Ready>,
    /// Status, and index of what is said about it.
    pub(super) errors: Vec<(Option<u16>, usize)>,
}

/// What the tools of a document share while they are finished.
pub(super) struct Shared<'a, 'd> {
    pub(super) requests: &'d Defs<'a>,
    pub(super) replies: &'d Defs<'a>,
    pub(super) errors: &'d [ErrorSpec],
    pub(super) limits: &'a Limits,
}

/// Values that one schema's definitions may take up however many schemas there are.
const MIN_ROOM: usize = 200;
/// Fewer operations than this are not worth a thread.
const MIN_PER_THREAD: usize = 32;

impl Shared<'_, '_> {
    /// Finishes all, in order. What was an error stays one.
    pub(super) fn finish(&self, drafts: Vec<Result<Draft>>) -> Vec<Result<ToolSpec>> {
        let room = self.room(&drafts);
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let per_thread = drafts.len().div_ceil(cores).max(MIN_PER_THREAD);
        if drafts.len() <= per_thread {
            return drafts.into_iter().map(|draft| self.one(draft?, room)).collect();
        }
        let mut finished: Vec<Option<Result<ToolSpec>>> = drafts.iter().map(|_| None).collect();
        let mut drafts: Vec<Option<Result<Draft>>> = drafts.into_iter().map(Some).collect();
        std::thread::scope(|scope| {
            for (inputs, outputs) in drafts.chunks_mut(per_thread).zip(finished.chunks_mut(per_thread)) {
                scope.spawn(move || {
                    for (input, output) in inputs.iter_mut().zip(outputs) {
                        *output = input.take().map(|draft| self.one(draft?, room));
                    }
                });
            }
        });
        finished.into_iter().flatten().collect()
    }

    /// The largest room for each schema's definitions with which all of them stay within the
    /// limit for the document.
    fn room(&self, drafts: &[Result<Draft>]) -> usize {
        let most = self.limits.defs_nodes.max(MIN_ROOM);
        let mut sizes = Vec::with_capacity(drafts.len() * 2);
        for draft in drafts.iter().flatten() {
            sizes.push(self.requests.size(draft.arguments.parts(), most));
            sizes.extend(draft.returns.as_ref().map(|r| self.replies.size(std::slice::from_ref(r), most)));
        }
        sizes.sort_unstable();
        let mut left = self.limits.total_defs_nodes;
        for (i, &size) in sizes.iter().enumerate() {
            let share = left / (sizes.len() - i);
            if size > share {
                return share.clamp(MIN_ROOM, most);
            }
            left -= size;
        }
        most
    }

    fn one(&self, draft: Draft, room: usize) -> Result<ToolSpec> {
        let Draft { mut tool, arguments, returns, errors } = draft;
        tool.parameters = self.parameters(arguments, room)?;
        tool.returns = returns.map(|ready| reply(self.replies, ready, room, self.limits));
        let errors = errors.into_iter().filter_map(|(status, at)| Some((status, self.errors.get(at)?)));
        tool.errors = errors.map(|(status, error)| ErrorSpec { status, ..error.clone() }).collect();
        Ok(tool)
    }

    /// The arguments' schema with its definitions, admitted.
    fn parameters(&self, arguments: Arguments, room: usize) -> Result<Value> {
        let (mut schema, parts) = arguments.into_schema();
        self.requests.attach(&mut schema, &parts, room);
        let schema = Value::Object(schema);
        admit(&schema, self.limits)?;
        Ok(schema)
    }
}

/// A schema of the reply side with its definitions. What it needs from outside of the document is
/// left open there.
pub(super) fn reply(defs: &Defs<'_>, mut ready: Ready, room: usize, limits: &Limits) -> Value {
    let mut map = match std::mem::take(&mut ready.value) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    defs.attach(&mut map, std::slice::from_ref(&ready), room);
    admitted_reply(Value::Object(map), limits)
}
