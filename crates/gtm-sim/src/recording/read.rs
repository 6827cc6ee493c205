//! Reading recordings: a file of lines, plain or compressed, or a folder of such files.

use super::{Recording, mend};
use gtm_error::{Code, Error, Result, printable};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Longest line, in bytes: one session.
pub const MAX_RECORDING_LINE: usize = 256 << 20;
/// Most bytes of one file, unpacked.
pub const MAX_RECORDING_BYTES: u64 = 4 << 30;
/// Most files of one folder.
const MAX_FILES: usize = 100_000;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reads all sessions of a file (`.jsonl`, `.jsonl.zst`; told by what is in it, not by its name) or
/// of the files of a folder, in order of their names. What a recorder wrote in pieces is put
/// together, and a last line that it did not finish keeps its whole turns.
///
/// # Errors
/// [`Code::FileUnreadable`], [`Code::SpecSyntax`] with the number of the line that is no session,
/// [`Code::SpecTooLarge`] beyond [`MAX_RECORDING_LINE`] and [`MAX_RECORDING_BYTES`].
pub fn read_recordings(path: &Path) -> Result<Vec<Recording>> {
    if !path.is_dir() {
        return file(path).map_err(|e| e.in_file(path.display()));
    }
    let mut recordings = Vec::new();
    for path in files(path)? {
        recordings.extend(file(&path).map_err(|e| e.in_file(path.display()))?);
    }
    Ok(recordings)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e: std::io::Error| unreadable(&e).in_file(folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with('.') && (name.ends_with(".jsonl") || name.ends_with(".jsonl.zst")) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(
                too_large(format!("the folder holds more than {MAX_FILES} files")).in_file(folder.display())
            );
        }
    }
    if files.is_empty() {
        return Err(Error::new(Code::FileUnreadable, "the folder holds no recordings")
            .in_file(folder.display())
            .expected("files named *.jsonl or *.jsonl.zst"));
    }
    files.sort();
    Ok(files)
}

fn file(path: &Path) -> Result<Vec<Recording>> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(|e| unreadable(&e))?);
    if reader.fill_buf().map_err(|e| unreadable(&e))?.starts_with(&ZSTD_MAGIC) {
        let decoder = zstd::stream::read::Decoder::with_buffer(reader).map_err(|e| unreadable(&e))?;
        return lines(BufReader::with_capacity(1 << 16, decoder));
    }
    lines(reader)
}

fn lines(mut reader: impl BufRead) -> Result<Vec<Recording>> {
    let mut all: Vec<Recording> = Vec::new();
    // Where the sessions are that a later line may go on with.
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let (mut total, mut number, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        number += 1;
        let longest = MAX_RECORDING_LINE as u64 + 1;
        let read = reader.by_ref().take(longest).read_until(b'\n', &mut line).map_err(|e| unreadable(&e))?;
        if read == 0 {
            return Ok(all);
        }
        total += read as u64;
        if line.len() > MAX_RECORDING_LINE || total > MAX_RECORDING_BYTES {
            return Err(too_large("the recording is too large".into())
                .at(format!("line {number}"))
                .expected(format!(
                    "lines of at most {MAX_RECORDING_LINE} bytes, {MAX_RECORDING_BYTES} in all"
                )));
        }
        let Some(recording) = session(&line).map_err(|e| e.at(format!("line {number}")))? else { continue };
        let name = (recording.suite.clone(), recording.session_id.clone());
        match places.get(&name) {
            Some(&at) if recording.continued => go_on(&mut all[at], recording),
            _ => {
                places.insert(name, all.len());
                all.push(Recording { continued: false, ..recording });
            }
        }
    }
}

/// The session on a line; `None` for a line that is empty or holds the beginning of one only.
fn session(line: &[u8]) -> Result<Option<Recording>> {
    let text = line.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    let problem = match serde_json::from_slice(text) {
        Ok(recording) => return Ok(Some(recording)),
        Err(problem) => problem,
    };
    // Only a last line can be one that its writer did not finish.
    if !line.ends_with(b"\n") && text.starts_with(b"{") && problem.is_eof() {
        let mended = mend::mend(text).and_then(|text| serde_json::from_slice(&text).ok());
        return Ok(mended.filter(|recording: &Recording| !recording.turns.is_empty()));
    }
    let what = problem.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    Err(Error::new(Code::SpecSyntax, format!("not a recorded session: {}", printable(what))).expected(
        "{\"session_id\": …, \"tools\": […], \"turns\": [{\"call\": …, \"response\": …, \"is_error\": …}]}",
    ))
}

/// Puts a later piece of a session behind an earlier one.
fn go_on(session: &mut Recording, piece: Recording) {
    let name = |tool: &Json| tool.get("name").and_then(Json::as_str).map(str::to_owned);
    for tool in piece.tools {
        let known = session.tools.iter().position(|old| name(old).is_some() && name(old) == name(&tool));
        match known {
            Some(at) => session.tools[at] = tool,
            None => session.tools.push(tool),
        }
    }
    session.turns.extend(piece.turns);
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::new(Code::FileUnreadable, error.to_string())
}

fn too_large(what: String) -> Error {
    Error::new(Code::SpecTooLarge, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Recording>> {
        lines(text.as_bytes())
    }

    const A: &str = r#"{"suite":"x","session_id":"a","tools":[{"name":"f"}],"turns":[{"call":{"name":"f"},"response":1,"is_error":false}]}"#;
    const MORE: &str = r#"{"suite":"x","session_id":"a","continued":true,"tools":[{"name":"g"}],"turns":[{"call":{"name":"g"},"response":2,"is_error":true}]}"#;

    #[test]
    fn pieces_are_put_together() {
        let other = A.replace("\"a\"", "\"b\"");
        let read = read(&format!("{A}\n\n{other}\n{MORE}\n")).expect("readable");
        assert_eq!(read.iter().map(|r| r.turns.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(read[0].tools.len(), 2);
        assert!(read[0].turns[1].is_error);
    }

    #[test]
    fn the_same_name_without_the_mark_is_another_session() {
        assert_eq!(read(&format!("{A}\n{A}\n")).expect("readable").len(), 2);
    }

    #[test]
    fn mistakes_are_told_by_line_and_torn_ends_are_not_mistakes() {
        let torn = &MORE[..MORE.len() - 30];
        for (text, line) in
            [("{}\n", "line 1"), ("\n[1]\n", "line 2"), (&format!("{A}\n{torn}\n{A}\n"), "line 2")]
        {
            let error = read(text).expect_err("not a session");
            assert_eq!((error.code(), error.place()), (Code::SpecSyntax, Some(line)), "{text}");
        }
        let whole = read(&format!("{A}\n{torn}")).expect("readable");
        assert_eq!(whole[0].turns.len(), 1, "the torn piece has no whole turn");
    }
}
