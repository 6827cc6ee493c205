//! Checking packs: everything that makes one wrong (errors) or weak (warnings), all at once.

mod content;
mod expressions;
mod formulas;
mod lifecycles;
mod references;
mod simulators;
mod words;

use crate::pack::Pack;
use gtm_error::Error;
use serde::Serialize;
use std::path::Path;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pack cannot be used.
    Error,
    /// The pack can be used, but teaches less than it could.
    Warning,
}

/// One thing that is wrong with a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// JSON pointer into the pack.
    pub place: String,
    /// What is wrong and, where it helps, what would be right.
    pub message: String,
}

/// The findings so far, and where the check stands.
#[derive(Debug, Default)]
struct Findings {
    found: Vec<Finding>,
    place: Vec<String>,
}

impl Findings {
    fn add(&mut self, severity: Severity, message: impl Into<String>) {
        let place = self.place.iter().map(|part| format!("/{part}")).collect();
        self.found.push(Finding { severity, place, message: message.into() });
    }

    fn error(&mut self, message: impl Into<String>) {
        self.add(Severity::Error, message);
    }

    fn warn(&mut self, message: impl Into<String>) {
        self.add(Severity::Warning, message);
    }

    /// An error of another crate: its place lies inside the present one.
    fn fault(&mut self, error: &Error) {
        let mut message = error.message().to_owned();
        // Where an expression is at fault the place says at which character, as text.
        let place = error.place().unwrap_or("");
        if !place.is_empty() && !place.starts_with('/') {
            message.push_str(&format!(" ({place})"));
        }
        if let Some(expected) = error.expectation() {
            message.push_str(&format!("; expected {expected}"));
        }
        self.error(message);
    }

    fn within<T>(&mut self, part: impl ToString, work: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(part.to_string());
        let result = work(self);
        self.place.pop();
        result
    }
}

/// Checks a pack. `path` is its file, if it has one: it must be called as the pack says.
pub fn lint(pack: &Pack, path: Option<&Path>) -> Vec<Finding> {
    let mut findings = Findings::default();
    words::check(pack, path, &mut findings);
    references::check(pack, &mut findings);
    lifecycles::check(pack, &mut findings);
    expressions::check(pack, &mut findings);
    formulas::check(pack, &mut findings);
    simulators::check(pack, &mut findings);
    content::check(pack, &mut findings);
    findings.found.sort_by_key(|finding| finding.severity);
    findings.found
}
