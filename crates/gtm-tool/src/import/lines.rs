//! JSON Lines: splitting a document into lines, and importing catalogues too large to hold.

use super::{Skipped, ZSTD_MAGIC, list};
use crate::Limits;
use crate::document::{self, Duplicates};
use crate::spec::ToolSpec;
use gtm_error::{Code, Error, Result};
use std::io::{BufRead, BufReader, Read};

/// The numbered lines of a document that is JSON Lines; `None` if it is something else.
pub(super) fn split<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Option<Vec<(usize, &'a str)>>> {
    if !bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().starts_with(b"{") {
        return Ok(None);
    }
    let text = document::utf8(bytes, limits.document_bytes)?;
    let mut lines =
        text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())).filter(|(_, line)| !line.is_empty());
    let whole = |line: &str| line.starts_with('{') && line.ends_with('}');
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return Ok(None) };
    if !whole(first.1)
        || !second.1.starts_with('{')
        || document::parse_json(first.1, limits, Duplicates::KeepLast).is_err()
    {
        return Ok(None);
    }
    Ok(Some([first, second].into_iter().chain(lines).collect()))
}

/// What [`import_lines`] went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinesSummary {
    /// Lines that were not empty.
    pub lines: usize,
    /// Tools that were handed over.
    pub tools: usize,
    /// Entries that were left out.
    pub skipped: usize,
}

/// Bytes of lines that are read before they are worked on; what is held at a time.
const BATCH_BYTES: usize = 2 << 20;

/// Imports tool specs from JSON Lines of any size, a batch at a time, on all cores: what is held
/// is one batch and its tools, a few tens of MiB. The text may be compressed with zstd.
///
/// Each tool or left-out entry is handed to `each` in the order of the lines, with the line's
/// number. Names are as given: a catalogue of many providers has every common name many times.
///
/// Fails where the reader fails ([`Code::FileUnreadable`]), or on a line longer than
/// `limits.line_bytes`. `limits.tools` and `limits.document_bytes` do not apply.
pub fn import_lines<R: BufRead>(
    mut reader: R,
    limits: &Limits,
    mut each: impl FnMut(usize, std::result::Result<ToolSpec, Skipped>),
) -> Result<LinesSummary> {
    let start = reader.fill_buf().map_err(unreadable)?;
    if start.starts_with(ZSTD_MAGIC) {
        let decoder = zstd::stream::read::Decoder::with_buffer(reader).map_err(unreadable)?;
        return plain_lines(BufReader::with_capacity(1 << 17, decoder), limits, &mut each);
    }
    plain_lines(reader, limits, &mut each)
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(Code::FileUnreadable, format!("cannot read the lines: {error}"))
}

type Outcome = (usize, std::result::Result<ToolSpec, Skipped>);

fn plain_lines<R: BufRead>(
    mut reader: R,
    limits: &Limits,
    each: &mut dyn FnMut(usize, std::result::Result<ToolSpec, Skipped>),
) -> Result<LinesSummary> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let mut summary = LinesSummary::default();
    let mut number = 0;
    loop {
        let batch = read_batch(&mut reader, limits, &mut number)?;
        if batch.is_empty() {
            return Ok(summary);
        }
        summary.lines += batch.len();
        for outcome in import_batch(&batch, workers, limits).into_iter().flatten() {
            match &outcome.1 {
                Ok(_) => summary.tools += 1,
                Err(_) => summary.skipped += 1,
            }
            each(outcome.0, outcome.1);
        }
    }
}

fn read_batch<R: BufRead>(
    reader: &mut R,
    limits: &Limits,
    number: &mut usize,
) -> Result<Vec<(usize, Vec<u8>)>> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while bytes < BATCH_BYTES {
        let mut line = Vec::new();
        let max = limits.line_bytes as u64 + 1;
        let read = reader.by_ref().take(max).read_until(b'\n', &mut line).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        *number += 1;
        if line.len() > limits.line_bytes {
            return Err(Error::new(Code::SpecTooLarge, "the line is too long")
                .expected(format!("at most {} bytes (`limits.line_bytes`)", limits.line_bytes))
                .at(format!("line {number}")));
        }
        if !line.trim_ascii().is_empty() {
            bytes += line.len();
            batch.push((*number, line));
        }
    }
    Ok(batch)
}

fn import_batch(batch: &[(usize, Vec<u8>)], workers: usize, limits: &Limits) -> Vec<Vec<Outcome>> {
    if workers < 2 || batch.len() < 2 {
        return vec![import_part(batch, limits)];
    }
    let parts = batch.chunks(batch.len().div_ceil(workers));
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            parts.map(|part| (part, scope.spawn(move || import_part(part, limits)))).collect();
        // A thread that could not finish is a bug; its lines are then done here, where it shows.
        threads.into_iter().map(|(part, t)| t.join().unwrap_or_else(|_| import_part(part, limits))).collect()
    })
}

fn import_part(part: &[(usize, Vec<u8>)], limits: &Limits) -> Vec<Outcome> {
    part.iter().flat_map(|(number, line)| import_line(*number, line, limits)).collect()
}

fn import_line(number: usize, line: &[u8], limits: &Limits) -> Vec<Outcome> {
    let place = format!("line {number}");
    let parsed = document::utf8(line, limits.line_bytes)
        .and_then(|text| document::parse_json(text.trim(), limits, Duplicates::KeepLast));
    let item = match parsed {
        Ok(item) => item,
        Err(error) => return vec![(number, Err(Skipped::new(&place, &error.at(&place))))],
    };
    let tools = list::tools(item, limits).into_iter().map(|tool| {
        let tool = tool.map_err(|(name, error)| {
            let operation = if name.is_empty() { place.clone() } else { format!("{name} ({place})") };
            Skipped::new(operation, &error)
        });
        (number, tool)
    });
    tools.collect()
}
