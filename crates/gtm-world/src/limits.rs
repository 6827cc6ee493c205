//! What one call and one session may cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits on executing behaviors. Behaviors are untrusted: these make every call total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Work per call, in steps: one expression node evaluated, one row looked at, or 16 bytes of
    /// text produced. About 20 million a second, so the default ends a runaway call within 0.1 s.
    pub fuel: u64,
    /// Bytes of new values one call may build (approximate heap size).
    pub call_bytes: usize,
    /// Bytes of a session's whole state (approximate heap size).
    pub state_bytes: usize,
    /// Nesting of any value put into the state or a reply, in objects and lists.
    pub depth: usize,
    /// Rows one `list` step returns when neither the behavior nor the call sets a limit.
    pub list_rows: usize,
    /// Calls kept in a session's history. Older ones are dropped from transcript and rollback.
    pub history: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 2_000_000,
            call_bytes: 8 << 20,
            state_bytes: 256 << 20,
            depth: 64,
            list_rows: 1_000,
            history: 100_000,
        }
    }
}

/// What is left of one call's allowance. Taken from everywhere a call can spend time or memory.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    fuel: u64,
    bytes: usize,
    used: usize,
}

impl Budget {
    /// A full allowance.
    pub fn new(limits: &Limits) -> Self {
        Self { fuel: limits.fuel, bytes: limits.call_bytes, used: 0 }
    }

    /// Spends `steps` of work.
    pub fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        self.fuel = self.fuel.checked_sub(steps).ok_or(Exhausted::Fuel)?;
        Ok(())
    }

    /// Accounts for `bytes` of new values, and for the work of building them.
    pub fn allocate(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Exhausted::Bytes)?;
        self.used += bytes;
        self.spend(bytes as u64 / 16)
    }

    /// Bytes accounted for so far.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Work left.
    pub fn fuel(&self) -> u64 {
        self.fuel
    }
}

/// Which allowance ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// [`Limits::fuel`].
    Fuel,
    /// [`Limits::call_bytes`].
    Bytes,
}

impl std::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Exhausted::Fuel => "the call ran out of fuel (limits.fuel)",
            Exhausted::Bytes => "the call would build too much data (limits.call_bytes)",
        })
    }
}
