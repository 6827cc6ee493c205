//! What is checked, how often, and what was found.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $check:ident = $name:literal,)*) => {
        /// What is checked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Check { $($(#[doc = $doc])+ $check,)* }

        impl Check {
            /// Every check.
            pub const ALL: &[Check] = &[$(Check::$check),*];

            /// Its name in counters and reports.
            pub fn name(self) -> &'static str {
                match self { $(Check::$check => $name),* }
            }
        }
    };
}

checks! {
    /// Specs, facts, state and turns are complete; schemas compile; what changed can be followed.
    Format = "format",
    /// A reply that is no failure satisfies the declared `returns`, formats included.
    Schema = "schema",
    /// Arguments that break the schema fail and say so, and a call of an unknown tool does.
    ArgumentErrors = "argument_errors",
    /// A call that succeeds breaks no rule of its tool; one that fails breaks one of the kind that it names.
    Rules = "rules",
    /// A failed call and a read change nothing.
    NoChange = "no_change",
    /// What a create or update was given is in the record.
    Echo = "echo",
    /// The same read on the same state gets the same reply.
    Repeat = "repeat",
    /// Records in replies are as the state has them, and what is there is found.
    ReadYourWrites = "read_your_writes",
    /// What was deleted is not found.
    Absence = "absence",
    /// Lists hold the records that belong in them, once each, in order; totals are what they count.
    Lists = "lists",
    /// Computed values, in replies and in the state, are what their formulas give.
    Arithmetic = "arithmetic",
    /// One quantity in two units is the same quantity.
    Units = "units",
    /// A new id was never seen before, looks as ids of its collection do, and is the record's own.
    NewIds = "new_ids",
    /// Records in replies are of this session's state, and nothing else is changed.
    Isolation = "isolation",
    /// The task's words are in no reply.
    NoLeak = "no_leak",
    /// Replies and arguments keep to bounds on size and depth.
    Bounds = "bounds",
    /// The task's reference has calls of the session's own tools and an end that is not there at the start.
    Task = "task",
    /// No session is nearly another one.
    NearDuplicates = "near_duplicates",
    /// Names, calls and replies are of many kinds.
    Diversity = "diversity",
}

/// A check that failed: which, at which turn, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which check.
    pub check: Check,
    /// The turn, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<usize>,
    /// Why.
    pub why: String,
}

/// How often each check was made and how often it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters(pub BTreeMap<String, (u64, u64)>);

impl Counters {
    /// Counts checks that were made, and those of them that failed.
    pub(super) fn made(&mut self, check: Check, times: u64, failed: u64) {
        if times > 0 {
            let entry = self.0.entry(check.name().to_owned()).or_default();
            entry.0 += times;
            entry.1 += failed;
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Counters) {
        for (check, (made, failed)) in &other.0 {
            let entry = self.0.entry(check.clone()).or_default();
            entry.0 += made;
            entry.1 += failed;
        }
    }
}

/// What is found while a session is gone through.
pub(super) struct Found<'c> {
    pub(super) violations: Vec<Violation>,
    /// The turn that is looked at.
    pub(super) turn: Option<usize>,
    counters: &'c mut Counters,
}

impl<'c> Found<'c> {
    pub(super) fn new(counters: &'c mut Counters) -> Self {
        Found { violations: Vec::new(), turn: None, counters }
    }

    /// One check.
    pub(super) fn check(&mut self, check: Check, holds: bool, why: impl FnOnce() -> String) {
        self.counters.made(check, 1, u64::from(!holds));
        if !holds {
            self.violations.push(Violation { check, turn: self.turn, why: why() });
        }
    }

    /// Many checks of one kind, with the reasons of those that failed.
    pub(super) fn checks(&mut self, check: Check, made: u64, failed: Vec<String>) {
        self.counters.made(check, made, failed.len() as u64);
        let turn = self.turn;
        self.violations.extend(failed.into_iter().map(|why| Violation { check, turn, why }));
    }
}
