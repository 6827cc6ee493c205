//! Recordings from files: lines of JSON, plain or compressed with zstd, or a folder of such files.

use crate::{Reader, Recording};
use gtm_error::{Code, Error, Result};
use gtm_tool::ToolSpec;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest line, in bytes.
const MAX_LINE: u64 = 256 << 20;

/// Reads the recordings of a file or folder. `tools` are those of sessions that name none.
///
/// # Errors
/// [`Code::FileUnreadable`], and [`Code::SpecMalformed`] with the number of the line.
pub fn load(path: &Path, tools: &Arc<Vec<ToolSpec>>) -> Result<Vec<Recording>> {
    let mut out = Vec::new();
    for file in files(path)? {
        let mut reader = Reader::default();
        let mut lines = open(&file)?;
        for number in 1.. {
            let mut line = String::new();
            let read = (&mut lines).take(MAX_LINE).read_line(&mut line).map_err(|e| unreadable(&file, &e))?;
            if read == 0 {
                break;
            }
            if line.trim().is_empty() {
                continue;
            }
            let mut recording =
                reader.read(&line).map_err(|e| e.at(format!("line {number}")).in_file(file.display()))?;
            if recording.tools.is_empty() {
                recording.tools = tools.clone();
            }
            out.push(recording);
        }
    }
    Ok(out)
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|e| unreadable(path, &e))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|e| unreadable(path, &e))?.path();
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".jsonl") || name.ends_with(".jsonl.zst") {
            files.push(file);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(Error::new(Code::FileUnreadable, "the folder holds no recordings")
            .in_file(path.display())
            .expected("files named *.jsonl or *.jsonl.zst")),
        false => Ok(files),
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    Ok(match path.extension().is_some_and(|e| e == "zst") {
        true => {
            let plain = zstd::stream::read::Decoder::new(file).map_err(|e| unreadable(path, &e))?;
            Box::new(BufReader::new(plain))
        }
        false => Box::new(BufReader::new(file)),
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::FileUnreadable, error.to_string()).in_file(path.display())
}
