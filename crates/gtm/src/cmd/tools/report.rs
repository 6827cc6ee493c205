//! What is reported of one file.

use super::{Item, Progress};
use crate::source::{Live, Source};
use gtm_error::{Code, Error, Result, printable};
use gtm_sim::Toolset;
use gtm_tool::{Format, Imported, Limits, Skipped, ToolSpec};
use serde::{Serialize, Serializer};
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Characters of a description that are shown beside a tool's name.
const SHORT: usize = 70;

/// One line of `gtm tools --json`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// File, folder, address or command, as named.
    pub(super) file: String,
    /// Detected format; none if the file could not be read.
    pub(super) format: Option<String>,
    /// Operations that the file holds.
    pub(super) operations: usize,
    /// Operations that became tools.
    pub(super) tools: usize,
    /// Operations that did not, and why.
    pub(super) skipped: Vec<Skipped>,
    /// Why the file as a whole could not be read.
    #[serde(serialize_with = "problem")]
    pub(super) error: Option<Error>,
    /// Names and short descriptions, if they are to be shown.
    #[serde(skip)]
    pub(super) names: Vec<(String, String)>,
}

fn problem<S: Serializer>(error: &Option<Error>, s: S) -> std::result::Result<S::Ok, S::Error> {
    error.as_ref().map(Error::problem).serialize(s)
}

/// Reads one file. Whatever happens, there is a report.
pub(super) fn of(item: &Item, live: &Live, names: bool, progress: &Progress) -> Report {
    let (source, read) = match item {
        Ok(source) => {
            let work = || read(source, live, names, progress);
            let read = catch_unwind(AssertUnwindSafe(work));
            (
                source,
                read.unwrap_or_else(|_| Err(Error::new(Code::Internal, "reading the file ran into a bug"))),
            )
        }
        Err((source, error)) => (source, Err(error.clone())),
    };
    let report = read.unwrap_or_else(|error| Report { error: Some(error), ..Report::default() });
    Report { file: source.to_string(), ..report }
}

fn read(source: &Source, live: &Live, names: bool, progress: &Progress) -> Result<Report> {
    let limits = Limits::default();
    let Some(path) = source.path() else {
        return Ok(imported(source.import(live)?, names));
    };
    if is_lines(path) {
        return lines(path, &limits, names, progress);
    }
    let bytes = bytes(path, &limits)?;
    match gtm_tool::import(&bytes, &limits) {
        Ok(found) => Ok(imported(found, names)),
        // It may be a toolset: then what counts is whether that loads.
        Err(error) if error.code() == Code::SpecFormatUnknown => match Toolset::load(path) {
            Ok(toolset) => Ok(Report {
                format: Some("toolset".into()),
                operations: toolset.tools.len(),
                tools: toolset.tools.len(),
                names: if names { toolset.tools.iter().map(short).collect() } else { Vec::new() },
                ..Report::default()
            }),
            Err(better) if better.code() != Code::SpecFormatUnknown => Err(better),
            Err(_) => Err(error.in_file(path.display())),
        },
        Err(error) => Err(error.in_file(path.display())),
    }
}

fn imported(found: Imported, names: bool) -> Report {
    Report {
        format: Some(format_name(found.format)),
        operations: found.operations,
        tools: found.tools.len(),
        names: if names { found.tools.iter().map(short).collect() } else { Vec::new() },
        skipped: found.skipped,
        ..Report::default()
    }
}

/// A catalogue of one JSON object a line, of any length: read a batch at a time.
fn lines(path: &Path, limits: &Limits, names: bool, progress: &Progress) -> Result<Report> {
    let mut report = Report::default();
    let mut format = None;
    let mut seen: u64 = 0;
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let each = |_, tool: std::result::Result<ToolSpec, Skipped>| {
        match tool {
            Ok(tool) => {
                format = format.or(tool.origin.format);
                if names {
                    report.names.push(short(&tool));
                }
            }
            Err(skipped) => report.skipped.push(skipped),
        }
        seen += 1;
        if seen.is_multiple_of(500) {
            progress.tools(seen);
        }
    };
    let summary = gtm_tool::import_lines(BufReader::with_capacity(1 << 17, file), limits, each)
        .map_err(|e| e.in_file(path.display()))?;
    if summary.tools == 0 && summary.lines > 0 {
        let why = report.skipped.first().map(|s| format!(": {}", s.reason)).unwrap_or_default();
        return Err(Error::new(Code::SpecFormatUnknown, format!("no line is a known kind of tool{why}"))
            .in_file(path.display()));
    }
    report.format = Some(format_name(format.unwrap_or(Format::Gtm)));
    report.operations = summary.tools + summary.skipped;
    report.tools = summary.tools;
    Ok(report)
}

/// Whether the name says JSON Lines.
fn is_lines(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".zst").unwrap_or(&name);
    name.ends_with(".jsonl") || name.ends_with(".ndjson")
}

fn bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let max = limits.document_bytes as u64;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    // One byte more than is allowed, so that the importer refuses the document in its own words.
    file.take(max + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::FileUnreadable, error.to_string()).in_file(path.display())
}

fn format_name(format: Format) -> String {
    let name = serde_json::to_value(format).ok();
    name.and_then(|n| n.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A tool's name and the beginning of its description, safe to print.
fn short(tool: &ToolSpec) -> (String, String) {
    let first = tool.description.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut text: String = first.chars().take(SHORT).collect();
    if first.chars().nth(SHORT).is_some() {
        text.truncate(text.trim_end().len());
        text.push('…');
    }
    (printable(&tool.name).into_owned(), printable(&text).into_owned())
}
