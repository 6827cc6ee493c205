//! Errors that GTM itself reports: a stable code, the place, what was expected and what to do.
//!
//! These are errors *of* GTM (a malformed spec, an unknown session, a full disk). Errors that a
//! *simulated tool* returns to an agent are replies, not errors; see `gtm_world::ErrorKind`.
//!
//! Every face shows the same error: the command line through [`Error`]'s `Display`, HTTP through
//! [`Error::problem`] (RFC 9457), MCP through [`Error::problem`] as JSON-RPC error data.

mod code;
mod text;

pub use code::Code;
pub use text::printable;

use serde_json::{Value, json};
use std::fmt;

/// Result with GTM's own error.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, where, what was expected and what to do about it.
///
/// Boxed inside, so a `Result<T, Error>` stays one pointer wide.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    code: Code,
    message: String,
    place: Option<String>,
    expected: Option<String>,
    hint: Option<String>,
}

impl Error {
    /// A new error. `message` says what is wrong in one sentence, without a full stop.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts { code, message: message.into(), place: None, expected: None, hint: None }))
    }

    /// Where it is wrong: a file with line and column, or a JSON pointer. Places nest: an outer
    /// caller that knows the file prefixes it, giving `file#/a/b`. A file is told from a pointer by
    /// the pointer's leading `/`, so give absolute file names through [`Error::in_file`].
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        let place = place.to_string();
        self.0.place = Some(match self.0.place.take() {
            None => place,
            Some(inner) if place.starts_with('/') && inner.starts_with('/') => format!("{place}{inner}"),
            Some(inner) if inner.starts_with(['/', '#']) => {
                format!("{place}#{}", inner.trim_start_matches('#'))
            }
            Some(inner) => format!("{place}: {inner}"),
        });
        self
    }

    /// In which file it is wrong. Unlike [`Error::at`], takes absolute paths too.
    pub fn in_file(mut self, file: impl fmt::Display) -> Self {
        self.0.place = Some(match self.0.place.take() {
            None => file.to_string(),
            Some(inner) if inner.starts_with(['/', '#']) => {
                format!("{file}#{}", inner.trim_start_matches('#'))
            }
            Some(inner) => format!("{file}: {inner}"),
        });
        self
    }

    /// What would have been right here.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    /// What the user can do now. Replaces the code's general advice.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// One sentence saying what is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where, if known.
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// What would have been right at the place, if the error knows.
    pub fn expectation(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// What to do: the error's own hint or the code's general advice.
    pub fn advice(&self) -> &str {
        self.0.hint.as_deref().unwrap_or(self.code().advice())
    }

    /// The RFC 9457 problem document for this error, used as HTTP body and as MCP error data.
    pub fn problem(&self) -> Value {
        let mut problem = json!({
            "type": format!("urn:gtm:error:{}", self.code().id()),
            "title": self.code().title(),
            "status": self.code().http_status(),
            "code": self.code().id(),
            "detail": printable(&self.0.message),
        });
        let object = problem.as_object_mut().expect("just built as an object");
        if let Some(place) = &self.0.place {
            object.insert("place".into(), printable(place).into());
        }
        if let Some(expected) = &self.0.expected {
            object.insert("expected".into(), printable(expected).into());
        }
        object.insert("hint".into(), printable(self.advice()).into());
        problem
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code().id(), printable(&self.0.message))?;
        if let Some(place) = &self.0.place {
            write!(f, "\n  at: {}", printable(place))?;
        }
        if let Some(expected) = &self.0.expected {
            write!(f, "\n  expected: {}", printable(expected))?;
        }
        write!(f, "\n  hint: {}", printable(self.advice()))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_nest_into_file_and_pointer() {
        let error = Error::new(Code::SpecMalformed, "no paths").at("/get").at("/paths").at("a.yaml");
        assert_eq!(error.place(), Some("a.yaml#/paths/get"));
    }

    #[test]
    fn problem_carries_code_place_and_advice() {
        let error = Error::new(Code::SessionUnknown, "no session \u{1b}[31mx").expected("a session id");
        let problem = error.problem();
        assert_eq!(problem["code"], "GTM0301");
        assert_eq!(problem["status"], 404);
        assert_eq!(problem["detail"], "no session \\u{1b}[31mx");
        assert!(problem["hint"].as_str().is_some_and(|h| !h.is_empty()));
    }
}
