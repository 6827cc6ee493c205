//! What the names in an expression stand for.

use super::functions::Patterns;
use crate::{Str, Value};

/// Names in force: a stack of variables, and below it the members of the state.
#[derive(Clone, Debug)]
pub struct Scope {
    variables: Vec<(Str, Value)>,
    state: Value,
    now: i64,
    /// Patterns computed in this scope: a filter uses the same one on every row.
    pub(super) patterns: Patterns,
}

impl Scope {
    /// A scope without variables. `state` is an object; `now` is the logical clock in seconds since
    /// 1970-01-01T00:00:00Z.
    pub fn new(state: Value, now: i64) -> Self {
        Self { variables: Vec::new(), state, now, patterns: Patterns::default() }
    }

    /// Binds a name, hiding any earlier one.
    pub fn push(&mut self, name: Str, value: Value) {
        self.variables.push((name, value));
    }

    /// Removes the variable bound last.
    pub fn pop(&mut self) {
        self.variables.pop();
    }

    /// The height of the stack, for [`Scope::truncate`].
    pub fn mark(&self) -> usize {
        self.variables.len()
    }

    /// Removes every variable bound since `mark`.
    pub fn truncate(&mut self, mark: usize) {
        self.variables.truncate(mark);
    }

    /// What a name stands for: the variable bound last under it, else a member of the state.
    pub fn lookup(&self, name: &str) -> Option<&Value> {
        let variable = self.variables.iter().rev().find(|(bound, _)| &**bound == name);
        variable.map(|(_, value)| value).or_else(|| self.state.get(name))
    }

    /// Replaces the state.
    pub fn set_state(&mut self, state: Value) {
        self.state = state;
    }

    /// The state.
    pub fn state(&self) -> &Value {
        &self.state
    }

    /// The logical clock, in seconds since 1970-01-01T00:00:00Z.
    pub fn now(&self) -> i64 {
        self.now
    }
}

/// A scope and the variables that macros have bound above it. Macro variables live on the native
/// stack and only borrow their values: going through a list copies nothing.
#[derive(Clone, Copy)]
pub(super) struct Env<'a> {
    pub(super) scope: &'a Scope,
    pub(super) frame: Option<&'a Frame<'a>>,
}

/// One macro variable.
pub(super) struct Frame<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a Value,
    pub(super) outer: Option<&'a Frame<'a>>,
}

impl<'a> Env<'a> {
    /// What a name stands for.
    pub(super) fn lookup(self, name: &str) -> Option<&'a Value> {
        let mut frame = self.frame;
        while let Some(at) = frame {
            if at.name == name {
                return Some(at.value);
            }
            frame = at.outer;
        }
        self.scope.lookup(name)
    }
}
