//! The file that carries a session from one process to the next: `gtm call` and `gtm mcp`.
//!
//! Written to a temporary file that then takes the old one's place, so a crash leaves the old or
//! the new session, never half of one. A lock beside it (`FILE.lock`) makes concurrent calls wait
//! for each other; the lock is not put on the file itself, since that is replaced by each call.

use crate::output::{note, usage};
use gtm_error::{Code, Error, Result};
use gtm_sim::{Session, SessionOptions, Simulator};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a call waits for another one that uses the same file.
const PATIENCE: Duration = Duration::from_secs(10);

/// Largest session file read, in bytes. Sessions are bounded by `limits.world` long before.
const MAX_BYTES: u64 = 1 << 30;

/// A session file, locked until dropped.
#[derive(Debug)]
pub(crate) struct SessionFile {
    path: PathBuf,
    _lock: File,
}

impl SessionFile {
    /// Locks the file, which need not exist yet.
    pub(crate) fn lock(path: &Path) -> Result<SessionFile> {
        let lock_path = beside(path, ".lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|e| failed("cannot make the lock", &lock_path, &e))?;
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(SessionFile { path: path.to_owned(), _lock: lock }),
                Err(TryLockError::Error(e)) => return Err(failed("cannot lock", &lock_path, &e)),
                Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                    return Err(Error::new(
                        Code::StorageFailed,
                        "the session file is in use by another process",
                    )
                    .in_file(path.display())
                    .hint("wait for the other `gtm` to end, or give each agent a file of its own"));
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
            }
        }
    }

    /// The stored session; `None` if there is none yet.
    pub(crate) fn read(&self) -> Result<Option<Session>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed("cannot read the session", &self.path, &e)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|e| failed("cannot read the session", &self.path, &e))?;
        if bytes.trim_ascii().is_empty() {
            // As `mktemp` leaves it.
            return Ok(None);
        }
        let stored = serde_json::from_slice(&bytes)
            .map_err(|e| Error::new(Code::StorageCorrupt, format!("not a saved session: {e}")))
            .and_then(|json| Session::from_json(&json));
        stored.map(Some).map_err(|e| {
            e.in_file(self.path.display())
                .expected("a file made by `gtm call --session`")
                .hint("name another file; this one is left as it is")
        })
    }

    /// The stored session, or a new one.
    ///
    /// # Errors
    /// As [`SessionFile::read`], and if the stored session has another seed than is asked for.
    pub(crate) fn open(&self, simulator: &Simulator, options: SessionOptions) -> Result<Session> {
        let Some(session) = self.read()? else { return simulator.open(options) };
        if let Some(seed) = options.seed.filter(|seed| *seed != session.seed()) {
            let what = format!("the session has seed {}, not {seed}", session.seed());
            return Err(usage(what)
                .at(self.path.display())
                .hint("leave out --seed, or name a new session file"));
        }
        if options.state.is_some() {
            note("--state is for new sessions; this one goes on from its own state");
        }
        Ok(session)
    }

    /// Replaces the stored session.
    pub(crate) fn write(&self, session: &Session) -> Result<()> {
        let text = session.to_json().to_string();
        let new = beside(&self.path, &format!(".{}.tmp", std::process::id()));
        let written = File::create(&new)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.write_all(b"\n")?;
                file.sync_all()
            })
            .and_then(|()| std::fs::rename(&new, &self.path));
        written.map_err(|e| {
            // What is left of a failed attempt is of no use to anyone.
            let _ = std::fs::remove_file(&new);
            failed("cannot write the session", &self.path, &e)
        })
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(Code::StorageFailed, format!("{what}: {error}"))
        .in_file(path.display())
        .hint("check that the folder exists, may be written to and has room")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gtm_sim::{Call, Toolset};
    use serde_json::json;

    fn session(calls: usize) -> Session {
        let simulator = Simulator::new(Toolset::from_tools("none", Vec::new())).expect("a simulator");
        let mut session = simulator.open(SessionOptions::default()).expect("a session");
        for _ in 0..calls {
            simulator.call(&mut session, &Call::new("nothing", json!({})));
        }
        session
    }

    fn turns(file: &SessionFile) -> Option<usize> {
        file.read().expect("readable").map(|session| session.turns())
    }

    #[test]
    fn a_session_is_kept_and_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.json");
        let file = SessionFile::lock(&path).expect("a lock");
        assert_eq!(turns(&file), None);
        for n in [1, 2] {
            file.write(&session(n)).expect("written");
            assert_eq!(turns(&file), Some(n));
        }
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).expect("entries").flatten().map(|e| e.file_name()).collect();
        assert_eq!(names.len(), 2, "only the file and its lock remain: {names:?}");
    }

    #[test]
    fn other_files_are_not_taken_for_sessions() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.json");
        for text in ["{\"mine\": 1}", "[]", "text"] {
            std::fs::write(&path, text).expect("written");
            let file = SessionFile::lock(&path).expect("a lock");
            assert_eq!(file.read().expect_err("not a session").code(), Code::StorageCorrupt);
        }
        std::fs::write(&path, " \n").expect("written");
        assert_eq!(turns(&SessionFile::lock(&path).expect("a lock")), None);
    }

    #[test]
    fn a_second_user_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.json");
        let first = SessionFile::lock(&path).expect("a lock");
        let other = {
            let path = path.clone();
            std::thread::spawn(move || SessionFile::lock(&path).map(|file| turns(&file)))
        };
        std::thread::sleep(Duration::from_millis(50));
        assert!(!other.is_finished());
        first.write(&session(3)).expect("written");
        drop(first);
        assert_eq!(other.join().expect("no panic").expect("a lock"), Some(3));
    }
}
