//! Import of tool specs: a document of any known format in, [`ToolSpec`]s out.

mod bfcl;
mod common;
mod detect;
mod gtm;
mod lines;
mod list;
mod mcp;
mod openai;
mod openapi;
mod toolbench;

use crate::Limits;
use crate::document::{self, Duplicates};
use crate::spec::{Format, ToolSpec};
use detect::Kind;
use gtm_error::{Code, Error, Result};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::io::Read;

pub use lines::{LinesSummary, import_lines};

/// What was understood of one document. Importing does no I/O and fetches nothing.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Detected format.
    pub format: Format,
    /// How many operations (HTTP operations, tools, functions) the document holds.
    pub operations: usize,
    /// Those that became tools, in document order, with unique names.
    pub tools: Vec<ToolSpec>,
    /// Those that did not, and why.
    pub skipped: Vec<Skipped>,
}

/// An operation that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// `METHOD /path`, or the tool's name, or its place in the document.
    pub operation: String,
    /// Why, with code and place.
    pub reason: String,
}

impl Skipped {
    fn new(operation: impl Into<String>, error: &Error) -> Self {
        let mut reason = format!("[{}] {}", error.code().id(), error.message());
        if let Some(place) = error.place() {
            reason.push_str(&format!(" (at {place})"));
        }
        Self { operation: operation.into(), reason }
    }
}

/// Reads a document of any known format; which one is told by its content, not by a name. Text may
/// be compressed with zstd.
///
/// An operation that cannot be used is left out and listed with the reason. Fails only if the
/// document as a whole cannot be read: [`Code::SpecSyntax`] with line and column,
/// [`Code::SpecFormatUnknown`], [`Code::SpecMalformed`] or [`Code::SpecTooLarge`].
pub fn import(text: &[u8], limits: &Limits) -> Result<Imported> {
    let text = decompressed(text, limits.document_bytes)?;
    if let Some(lines) = lines::split(&text, limits)? {
        return list::import_lines_document(lines, limits);
    }
    let document = document::parse(&text, limits, Duplicates::KeepLast)?;
    match detect::document(&document) {
        Some(Kind::OpenApi(format)) => openapi::import(&document, format, limits),
        Some(Kind::List(format)) => list::import(list::items(document), format, limits),
        None => Err(unknown(&document)),
    }
}

fn unknown(document: &Value) -> Error {
    let keys =
        document.as_object().map(|m| m.keys().take(5).map(String::as_str).collect::<Vec<_>>().join("`, `"));
    let found = match (document, keys) {
        (_, Some(keys)) if keys.is_empty() => "an empty object".to_owned(),
        (_, Some(keys)) => format!("an object with `{keys}`"),
        (Value::Array(items), _) => match items.first() {
            Some(first) => format!("an array of {}", plural(first)),
            None => "an empty array".into(),
        },
        _ => format!("a single {}", crate::schema::type_of(document)),
    };
    Error::new(Code::SpecFormatUnknown, format!("the document is {found}, which is no known list of tools"))
        .expected("OpenAPI, Swagger, MCP tools/list, OpenAI tools, BFCL, ToolBench or GTM's own tool specs")
}

fn plural(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let keys = map.keys().take(5).map(String::as_str).collect::<Vec<_>>().join("`, `");
            format!("objects with `{keys}`")
        }
        other => format!("{} values", crate::schema::type_of(other)),
    }
}

/// The first bytes of every zstd frame.
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

fn decompressed(bytes: &[u8], max: usize) -> Result<Cow<'_, [u8]>> {
    if !bytes.starts_with(ZSTD_MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    let broken = |e: std::io::Error| Error::new(Code::SpecSyntax, format!("not valid zstd data: {e}"));
    let reader = zstd::stream::read::Decoder::with_buffer(bytes).map_err(broken)?;
    let mut out = Vec::new();
    reader.take(max as u64 + 1).read_to_end(&mut out).map_err(broken)?;
    if out.len() > max {
        return Err(Error::new(Code::SpecTooLarge, "the document is too large once decompressed")
            .expected(format!("at most {max} bytes (`limits.document_bytes`)")));
    }
    Ok(Cow::Owned(out))
}
