//! The state as the changes told by calls make it.

use crate::trace::Expected;
use serde_json::Value as Json;

/// Deepest place in a state.
const MAX_DEPTH: usize = 64;

/// A state that changes are applied to.
pub(super) struct State(Json);

impl State {
    pub(super) fn new(first: &Json) -> State {
        State(first.clone())
    }

    pub(super) fn now(&self) -> &Json {
        &self.0
    }

    /// Applies what a call says it changed; an error names the place that does not exist.
    pub(super) fn apply(&mut self, changes: &[Expected]) -> Result<(), String> {
        for change in changes {
            self.put(change).ok_or_else(|| format!("there is no place {} in the state", change.path))?;
        }
        Ok(())
    }

    fn put(&mut self, change: &Expected) -> Option<()> {
        let mut names = change.path.strip_prefix('/')?.split('/').map(unescaped);
        let mut at = &mut self.0;
        let mut name = names.next()?;
        for (depth, next) in names.enumerate() {
            if depth > MAX_DEPTH {
                return None;
            }
            at = at.as_object_mut()?.get_mut(&name)?;
            name = next;
        }
        let members = at.as_object_mut()?;
        if change.value.is_null() {
            members.shift_remove(&name);
        } else {
            members.insert(name, change.value.clone());
        }
        Some(())
    }
}

/// A name in a JSON pointer.
pub(super) fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}
