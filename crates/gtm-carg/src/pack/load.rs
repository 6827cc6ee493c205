//! Reading packs from files.

use super::Pack;
use gtm_error::{Code, Error, Result};
use gtm_tool::{Limits, parse_document};
use std::path::{Path, PathBuf};

/// Largest pack file, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Most files looked at in one folder.
const MAX_FILES: usize = 20_000;

/// Reads one pack.
///
/// # Errors
/// [`Code::FileUnreadable`], [`Code::SpecSyntax`], or [`Code::PackInvalid`] with the place of what does
/// not fit the schema.
pub fn load(path: &Path) -> Result<Pack> {
    let unreadable =
        |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_BYTES {
        return Err(Error::new(Code::PackInvalid, format!("the file has {size} bytes"))
            .in_file(path.display())
            .expected(format!("at most {MAX_BYTES}")));
    }
    let text = std::fs::read(path).map_err(unreadable)?;
    parse(&text).map_err(|e| e.in_file(path.display()))
}

/// Reads a pack from YAML or JSON text.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &[u8]) -> Result<Pack> {
    let document = parse_document(text, &Limits::default())?;
    serde_path_to_error::deserialize(&document).map_err(|e: serde_path_to_error::Error<serde_json::Error>| {
        let pointer: String = e.path().iter().map(segment).collect();
        let what = e.inner().to_string();
        let error = Error::new(Code::PackInvalid, what.trim_end_matches('.').to_owned())
            .at(if pointer.is_empty() { "/".into() } else { pointer });
        // An unquoted comma inside `{...}` ends a value and begins a key without one.
        match what.contains("invalid type: null") {
            true => error.expected("a value; inside {...} and [...], quote text that has a comma in it"),
            false => error,
        }
    })
}

fn segment(segment: &serde_path_to_error::Segment) -> String {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{key}"),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

/// The pack files among `paths`, folders searched through for `*.yaml` and `*.yml`, in order of name.
///
/// # Errors
/// [`Code::FileUnreadable`] if something cannot be listed or there are none.
pub fn pack_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = paths.iter().rev().cloned().collect();
    while let Some(path) = open.pop() {
        let unreadable =
            |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
        if !std::fs::metadata(&path).map_err(unreadable)?.is_dir() {
            files.push(path);
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            // Links are not followed: a link to a folder above would never end.
            let kind = entry.file_type().map_err(unreadable)?;
            let path = entry.path();
            let yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
            if kind.is_dir() || (kind.is_file() && yaml) {
                inside.push(path);
            }
        }
        inside.sort();
        open.extend(inside.into_iter().rev());
        if files.len() + open.len() > MAX_FILES {
            return Err(Error::new(Code::FileUnreadable, format!("more than {MAX_FILES} files"))
                .in_file(path.display()));
        }
    }
    match files.is_empty() {
        true => Err(Error::new(Code::FileUnreadable, "no pack files (*.yaml) found")
            .hint("name a pack file or a folder of them, such as packs/")),
        false => Ok(files),
    }
}
