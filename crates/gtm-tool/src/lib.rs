//! Tool specs: the one type that every importer produces, the gate that untrusted schemas pass,
//! the importers themselves, and the checking of arguments and replies.
//!
//! Invariants:
//! - Nothing here does I/O. What a spec points to over a network or in a file is never fetched;
//!   it is reported ([`gtm_error::Code::RefRefused`]).
//! - No third-party validator sees a schema before [`admit`] has bounded it.
//! - Hostile bytes give an error with a place. They never give a panic or a stack overflow, not
//!   even on a thread with a 2 MiB stack.

mod admit;
mod check;
mod document;
mod import;
mod limits;
mod normalise;
pub mod schema;
mod spec;

pub use admit::admit;
pub use check::{Checker, Violation};
pub use document::parse_document;
pub use import::{Imported, LinesSummary, Skipped, import, import_lines};
pub use limits::Limits;
pub use normalise::{Dialect, normalise};
pub use spec::{
    Annotations, ErrorSpec, Example, Format, HttpBinding, HttpBody, HttpParam, Origin, ParamLocation,
    ToolSpec,
};
