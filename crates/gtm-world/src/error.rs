//! Errors that a simulated tool returns to the agent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a simulated call failed. The engine decides the kind; the tool's envelope decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// An argument is missing, of the wrong type, out of range, or makes no sense.
    InvalidArgument,
    /// No such tool.
    UnknownTool,
    /// What the call refers to does not exist.
    NotFound,
    /// The call does not fit the present state: exists already, wrong status, not enough left.
    Conflict,
    /// Known caller, not allowed.
    PermissionDenied,
    /// Caller not known: not logged in.
    Unauthenticated,
    /// Too many calls.
    RateLimited,
    /// The service is down.
    Unavailable,
    /// The service took too long.
    Timeout,
    /// A fault inside the tool.
    Internal,
}

impl ErrorKind {
    /// The HTTP status for this kind where the spec declares none (RFC 9110, RFC 6585).
    pub fn http_status(self) -> u16 {
        match self {
            ErrorKind::InvalidArgument => 400,
            ErrorKind::Unauthenticated => 401,
            ErrorKind::PermissionDenied => 403,
            ErrorKind::NotFound | ErrorKind::UnknownTool => 404,
            ErrorKind::Conflict => 409,
            ErrorKind::RateLimited => 429,
            ErrorKind::Internal => 500,
            ErrorKind::Unavailable => 503,
            ErrorKind::Timeout => 504,
        }
    }

    /// The name used in JSON and YAML, such as `not_found`.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::InvalidArgument => "invalid_argument",
            ErrorKind::UnknownTool => "unknown_tool",
            ErrorKind::NotFound => "not_found",
            ErrorKind::Conflict => "conflict",
            ErrorKind::PermissionDenied => "permission_denied",
            ErrorKind::Unauthenticated => "unauthenticated",
            ErrorKind::RateLimited => "rate_limited",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Internal => "internal",
        }
    }
}

/// A failed call: the call changed nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolError {
    /// Kind.
    pub kind: ErrorKind,
    /// One sentence for the agent.
    pub message: String,
    /// JSON pointer to the offending argument, such as `/passengers`; empty for the call as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What would have been right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// HTTP status, where the behavior states one other than the kind's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The whole of what the agent sees, where the behavior states it.
    #[serde(skip)]
    pub body: Option<crate::Value>,
}

impl ToolError {
    /// An error without path or expectation.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), path: String::new(), expected: None, status: None, body: None }
    }

    /// The HTTP status it is answered with.
    pub fn http_status(&self) -> u16 {
        self.status.unwrap_or(self.kind.http_status())
    }
}

impl std::fmt::Display for ToolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for ToolError {}
