//! Writing recordings, a turn at a time, so that a killed recorder loses no turn that it finished.
//!
//! The file is a valid recording after every turn: a turn takes the place of the end of its
//! session's line (`]}`) and writes it anew, in one write. Where another session has written behind
//! it in the meantime, in this process or in another, the session goes on in a new line that is
//! marked as continued. Appending holds a lock on the file, so several recorders may share one.

use super::{Recording, mend};
use gtm_error::{Code, Error, Result};
use serde_json::{Value as Json, json};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How every line begins.
const START: &[u8] = b"{\"suite\":";
/// How every line ends.
const END: &[u8] = b"]}\n";
/// Largest unfinished last line that is mended, in bytes.
const MAX_TORN: u64 = 1 << 30;
/// How long to wait for another recorder that writes to the same file.
const PATIENCE: Duration = Duration::from_secs(5);

/// A file that recordings are appended to.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

/// A session that is being recorded.
#[derive(Clone, Debug)]
pub struct JournalSession {
    about: Recording,
    /// How many of the tools are written.
    tools: Option<usize>,
    /// Length of the file when this session had written last.
    end: Option<u64>,
}

impl JournalSession {
    /// A session of this name. Nothing is written before its first turn.
    pub fn new(suite: &str, session_id: &str) -> JournalSession {
        let about = Recording {
            suite: suite.into(),
            session_id: session_id.into(),
            group: session_id.into(),
            kind: "logged".into(),
            ..Recording::default()
        };
        JournalSession { about, tools: None, end: None }
    }

    /// Gives the specs of the tools, which go into the file with the next turn.
    pub fn set_tools(&mut self, tools: Vec<Json>) {
        if tools != self.about.tools {
            self.about.tools = tools;
            // What is written is another list.
            self.tools = self.tools.map(|_| usize::MAX);
        }
    }

    /// Whether the tools are known.
    pub fn has_tools(&self) -> bool {
        !self.about.tools.is_empty()
    }

    /// The line with these turns, all of it but its end.
    fn line(&self, turn: &str) -> String {
        let Recording { suite, session_id, group, kind, tools, .. } = &self.about;
        let mut head = json!({"suite": suite, "session_id": session_id, "group": group, "kind": kind});
        if self.tools.is_some() {
            head["continued"] = true.into();
        }
        let written = self.tools == Some(tools.len());
        head["tools"] = if written { json!([]) } else { json!(tools) };
        let mut line = head.to_string();
        line.pop();
        line.push_str(",\"turns\":[");
        line.push_str(turn);
        line
    }
}

impl Journal {
    /// Opens a file to append to, or makes it.
    ///
    /// # Errors
    /// [`Code::StorageFailed`] if that cannot be done, [`Code::Usage`] if the file holds something
    /// else than recordings, which is then left as it is.
    pub fn open(path: &Path) -> Result<Journal> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // What real tools say is nobody else's business.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|e| failed(&e, path))?;
        let mut journal = Journal { path: path.to_owned(), file };
        match journal.holds_recordings() {
            Ok(true) => Ok(journal),
            Ok(false) => Err(Error::new(Code::Usage, "the file holds something else than recordings")
                .in_file(path.display())
                .hint("name another file; this one is left as it is")),
            Err(e) => Err(failed(&e, path)),
        }
    }

    /// Appends a turn to a session.
    ///
    /// # Errors
    /// [`Code::StorageFailed`]. The file is then as it was before, as far as the system lets it.
    pub fn append(&mut self, session: &mut JournalSession, turn: &super::RecordedTurn) -> Result<()> {
        let turn = serde_json::to_string(turn)
            .map_err(|e| Error::new(Code::Internal, format!("a turn cannot be written: {e}")))?;
        self.lock().map_err(|e| failed(&e, &self.path))?;
        let written = self.write(session, &turn);
        // Nothing can be done if that fails, and the lock goes with the file.
        let _ = self.file.unlock();
        written.map_err(|e| {
            session.end = None;
            failed(&e, &self.path)
        })
    }

    /// Sees to it that what was appended outlives a loss of power.
    ///
    /// # Errors
    /// [`Code::StorageFailed`].
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|e| failed(&e, &self.path))
    }

    fn write(&mut self, session: &mut JournalSession, turn: &str) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let tools = session.about.tools.len();
        let last = session.end == Some(length) && session.tools == Some(tools);
        let (at, mut text) = match last {
            true => (length - END.len() as u64, format!(",{turn}")),
            false => (self.mended_length(length)?, session.line(turn)),
        };
        text.push_str("]}\n");
        let put = self.put(at, text.as_bytes());
        if put.is_err() {
            // What is there of it would make the file unreadable.
            let end: &[u8] = if last { END } else { b"" };
            self.put(at, end)?;
            self.file.set_len(at + end.len() as u64)?;
        }
        put?;
        session.end = Some(at + text.len() as u64);
        session.tools = Some(tools);
        Ok(())
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)
    }

    /// Where the next line may begin: behind the last one, which is closed first if a recorder was
    /// killed while it wrote it.
    fn mended_length(&mut self, length: u64) -> io::Result<u64> {
        if length == 0 || self.bytes(length - 1, length)? == b"\n" {
            return Ok(length);
        }
        let start = self.last_line(length)?;
        if length - start > MAX_TORN {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the last line of the file is not whole"));
        }
        let mut mended = self.bytes(start, length)?;
        let whole = |text: &[u8]| serde_json::from_slice::<Recording>(text).is_ok();
        if !whole(&mended) {
            // What has no whole turn in it says nothing, if it is a recorder's at all.
            let ours = mended.starts_with(START) || START.starts_with(&mended);
            let saved = mend::mend(&mended).filter(|text| whole(text));
            mended = match saved {
                Some(saved) => saved,
                None if ours => Vec::new(),
                None => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the last line is not a session"));
                }
            };
        }
        if !mended.is_empty() {
            mended.push(b'\n');
        }
        self.put(start, &mended)?;
        self.file.set_len(start + mended.len() as u64)?;
        Ok(start + mended.len() as u64)
    }

    /// Where the last line begins.
    fn last_line(&mut self, length: u64) -> io::Result<u64> {
        const STEP: u64 = 1 << 16;
        let mut end = length;
        while end > 0 {
            let start = end.saturating_sub(STEP);
            if let Some(at) = self.bytes(start, end)?.iter().rposition(|b| *b == b'\n') {
                return Ok(start + at as u64 + 1);
            }
            end = start;
        }
        Ok(0)
    }

    fn bytes(&mut self, start: u64, end: u64) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        (&mut self.file).take(end - start).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether the file is empty or begins as every line does that is written here or elsewhere.
    fn holds_recordings(&mut self) -> io::Result<bool> {
        let length = self.file.metadata()?.len();
        let start = self.bytes(0, length.min(1 << 12))?;
        let text = String::from_utf8_lossy(&start);
        let text = text.trim_start();
        let known = ["\"suite\"", "\"session_id\"", "\"turns\""];
        // A writer may have been killed at the very beginning of the file.
        Ok(START.starts_with(text.as_bytes())
            || (text.starts_with('{') && known.iter().any(|name| text.contains(name))))
    }

    fn lock(&self) -> io::Result<()> {
        let start = Instant::now();
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(e)) => return Err(e),
                Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the file"));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

fn failed(error: &io::Error, path: &Path) -> Error {
    Error::new(Code::StorageFailed, format!("cannot write the recording: {error}"))
        .in_file(path.display())
        .hint("check that the folder exists, may be written to and has room")
}

#[cfg(test)]
mod tests {
    use super::super::{RecordedCall, RecordedTurn, read_recordings};
    use super::*;

    fn turn(n: u32) -> RecordedTurn {
        let call = RecordedCall { name: "f".into(), arguments: json!({"n": n}) };
        RecordedTurn { call, response: json!({"é": n}), ..RecordedTurn::default() }
    }

    fn turns(path: &Path) -> Vec<(String, Vec<u64>)> {
        let n = |turn: &RecordedTurn| turn.call.arguments["n"].as_u64().expect("a number");
        let read = read_recordings(path).expect("readable");
        read.iter().map(|r| (r.session_id.clone(), r.turns.iter().map(n).collect())).collect()
    }

    #[test]
    fn the_file_is_whole_after_every_turn() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.jsonl");
        let mut journal = Journal::open(&path).expect("opened");
        let mut session = JournalSession::new("suite", "a");
        session.set_tools(vec![json!({"name": "f", "parameters": {}})]);
        for n in 0..5 {
            journal.append(&mut session, &turn(n)).expect("written");
            let text = std::fs::read_to_string(&path).expect("readable");
            assert_eq!(text.lines().count(), 1);
            let line: Json = serde_json::from_str(&text).expect("one line of JSON");
            assert_eq!(line["turns"].as_array().map(Vec::len), Some(n as usize + 1));
        }
        assert_eq!(turns(&path), [("a".into(), vec![0, 1, 2, 3, 4])]);
    }

    #[test]
    fn sessions_and_recorders_share_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.jsonl");
        let mut journals = [Journal::open(&path).expect("opened"), Journal::open(&path).expect("opened")];
        let mut sessions = [JournalSession::new("suite", "a"), JournalSession::new("suite", "b")];
        for n in 0..6 {
            let which = (n as usize / 2) % 2;
            journals[which].append(&mut sessions[which], &turn(n)).expect("written");
        }
        assert_eq!(turns(&path), [("a".into(), vec![0, 1, 4, 5]), ("b".into(), vec![2, 3])]);
        // Tools that become known later are in the file as well.
        sessions[0].set_tools(vec![json!({"name": "f"})]);
        journals[0].append(&mut sessions[0], &turn(9)).expect("written");
        assert_eq!(read_recordings(&path).expect("readable")[0].tools.len(), 1);
    }

    #[test]
    fn a_file_torn_anywhere_is_mended_by_the_next_recorder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.jsonl");
        let mut journal = Journal::open(&path).expect("opened");
        let mut session = JournalSession::new("suite", "a");
        for n in 0..3 {
            journal.append(&mut session, &turn(n)).expect("written");
        }
        let whole = std::fs::read(&path).expect("readable");
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("written");
            let mut journal = Journal::open(&path).expect("opened");
            journal.append(&mut JournalSession::new("suite", "b"), &turn(7)).expect("written");
            let found = turns(&path);
            assert_eq!(found.last(), Some(&("b".into(), vec![7])), "cut at {cut}");
            let text = std::fs::read_to_string(&path).expect("text");
            assert!(text.lines().all(|line| serde_json::from_str::<Recording>(line).is_ok()), "{text}");
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "my notes").expect("written");
        assert_eq!(Journal::open(&path).expect_err("refused").code(), Code::Usage);
        assert_eq!(std::fs::read_to_string(&path).expect("text"), "my notes");
        assert_eq!(Journal::open(folder.path()).expect_err("a folder").code(), Code::StorageFailed);
    }
}
