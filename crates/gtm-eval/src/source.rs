//! Where recorded sessions come from: files and folders, plain or compressed, read line by line.

use gtm_error::{Code, Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Longest line, in bytes: one session with its tools and state.
const MAX_LINE: u64 = 256 << 20;
/// Most entries of a folder that are looked at.
const MAX_FILES: usize = 10_000;
/// Bytes of a file's beginning that must show whether it holds sessions.
const PEEK: u64 = 1 << 20;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A file of recorded sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFile {
    /// Where it is.
    pub path: PathBuf,
    /// Name of the suite for sessions that name none: the file's name without extension and a
    /// leading `sessions.`.
    pub suite: String,
}

/// The session files that the paths name. Of a folder, those `*.jsonl` and `*.jsonl.zst` count
/// whose first line is a session; what else lies there is left alone.
///
/// # Errors
/// [`Code::FileUnreadable`], also for a folder without sessions.
pub fn session_files(paths: &[PathBuf]) -> Result<Vec<SessionFile>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            open(path, Arc::default())?;
            found.push(SessionFile::new(path.clone()));
            continue;
        }
        let before = found.len();
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|e| unreadable(path, &e))?.take(MAX_FILES) {
            entries.push(entry.map_err(|e| unreadable(path, &e))?.path());
        }
        entries.sort();
        for file in entries {
            if is_lines(&file) && file.is_file() && holds_sessions(&file)? {
                found.push(SessionFile::new(file));
            }
        }
        if found.len() == before {
            return Err(Error::new(Code::FileUnreadable, "the folder holds no session files")
                .in_file(path.display())
                .expected("files named *.jsonl or *.jsonl.zst, one session a line"));
        }
    }
    Ok(found)
}

impl SessionFile {
    fn new(path: PathBuf) -> SessionFile {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = name.trim_end_matches(".zst").trim_end_matches(".jsonl").trim_end_matches(".json");
        let stem = stem.strip_prefix("sessions.").unwrap_or(stem);
        SessionFile { suite: if stem.is_empty() { "sessions".into() } else { stem.into() }, path }
    }
}

fn is_lines(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && (name.ends_with(".jsonl") || name.ends_with(".jsonl.zst"))
}

/// Whether the first line has the members of a session. The line may be longer than what is
/// looked at, so this asks for the names only.
fn holds_sessions(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    // A file that is damaged is a session file or not by what could be read of it.
    let _ = open(path, Arc::default())?.take(PEEK).read_to_end(&mut start);
    let line = start.trim_ascii_start().split(|b| *b == b'\n').next().unwrap_or_default();
    let has = |name: &[u8]| line.windows(name.len()).any(|part| part == name);
    Ok(line.starts_with(b"{")
        && has(b"\"session_id\"")
        && (has(b"\"turns\"") || line.len() as u64 >= PEEK / 2))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::FileUnreadable, error.to_string()).in_file(path.display())
}

/// A reader that counts what is read through it.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The text of a file, decompressed if need be (told by its content).
fn open(path: &Path, bytes: Arc<AtomicU64>) -> Result<Box<dyn BufRead + Send>> {
    let fail = |e: std::io::Error| unreadable(path, &e);
    let mut file = BufReader::new(Counted { inner: File::open(path).map_err(fail)?, bytes });
    if !file.fill_buf().map_err(fail)?.starts_with(&ZSTD_MAGIC) {
        return Ok(Box::new(file));
    }
    let decoder = zstd::stream::read::Decoder::with_buffer(file).map_err(fail)?;
    Ok(Box::new(BufReader::with_capacity(1 << 17, decoder)))
}

/// The lines of a file that are not empty, each with its number from 1.
///
/// A line may fail with [`Code::RecordingInvalid`] (no UTF-8, too long) or
/// [`Code::FileUnreadable`]; none follows then.
pub struct Lines {
    reader: Option<Box<dyn BufRead + Send>>,
    number: usize,
}

impl Lines {
    /// Opens a file. Bytes read of it, as they are on disk, are added to `bytes`.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`].
    pub fn open(path: &Path, bytes: Arc<AtomicU64>) -> Result<Lines> {
        Ok(Lines { reader: Some(open(path, bytes)?), number: 0 })
    }
}

impl Iterator for Lines {
    type Item = (usize, Result<String>);

    fn next(&mut self) -> Option<(usize, Result<String>)> {
        loop {
            self.number += 1;
            match next_line(&mut **self.reader.as_mut()?) {
                Ok(None) => self.reader = None,
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => return Some((self.number, Ok(line))),
                Err(error) => {
                    self.reader = None;
                    return Some((self.number, Err(error)));
                }
            }
        }
    }
}

fn next_line(reader: &mut dyn BufRead) -> Result<Option<String>> {
    let mut line = Vec::new();
    let read = reader.take(MAX_LINE + 1).read_until(b'\n', &mut line);
    let read = read.map_err(|e| Error::new(Code::FileUnreadable, format!("cannot read on: {e}")))?;
    if read == 0 {
        return Ok(None);
    }
    if line.len() as u64 > MAX_LINE {
        return Err(Error::new(Code::RecordingInvalid, "the line is too long")
            .expected(format!("at most {MAX_LINE} bytes")));
    }
    let text =
        String::from_utf8(line).map_err(|_| Error::new(Code::RecordingInvalid, "the line is not UTF-8"))?;
    Ok(Some(text))
}
