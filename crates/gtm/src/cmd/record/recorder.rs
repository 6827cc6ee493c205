//! What all recorders share: sessions by name, and the file that their calls go to.

use crate::output::note;
use gtm_error::{Error, Result, printable};
use gtm_sim::recording::{Journal, JournalSession, RecordedTurn, Redaction};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Sessions whose names are remembered; beyond, the oldest goes on under a new name.
const MAX_SESSIONS: usize = 1_000;
/// Secrets of requests that are looked for.
const MAX_SECRETS: usize = 1_000;
/// Different notes that are shown; more are only counted.
const MAX_NOTES: usize = 20;

/// Writes the calls of some sessions to a file.
pub(super) struct Recorder {
    suite: String,
    redaction: Redaction,
    inner: Mutex<Inner>,
}

struct Inner {
    journal: Journal,
    sessions: HashMap<String, JournalSession>,
    order: VecDeque<String>,
    /// Tools of sessions that have not told theirs.
    tools: Vec<Value>,
    noted: BTreeSet<String>,
    /// Secrets that requests carried, which no answer may bring into the file, then or later.
    secrets: Vec<String>,
    summary: Summary,
}

/// What was recorded.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Calls in the file.
    pub(super) calls: u64,
    /// Sessions that they are of.
    pub(super) sessions: u64,
    /// Messages that were passed through and are not in the file.
    pub(super) passed: u64,
    /// Why some call could not be written.
    pub(super) failed: Option<Error>,
}

impl Recorder {
    /// Opens the file.
    pub(super) fn new(out: &Path, suite: &str, redaction: Redaction) -> Result<Recorder> {
        let inner = Inner {
            journal: Journal::open(out)?,
            sessions: HashMap::new(),
            order: VecDeque::new(),
            tools: Vec::new(),
            noted: BTreeSet::new(),
            secrets: Vec::new(),
            summary: Summary::default(),
        };
        Ok(Recorder { suite: suite.to_owned(), redaction, inner: Mutex::new(inner) })
    }

    /// A call is written whole or not at all, so a lock that a panic left behind guards a whole file.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which values are secret.
    pub(super) fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    /// The tools of sessions that do not tell theirs.
    pub(super) fn set_common_tools(&self, tools: Vec<Value>) {
        self.lock().tools = tools;
    }

    /// The tools of a session.
    pub(super) fn set_tools(&self, session: &str, tools: Vec<Value>) {
        self.lock().session(&self.suite, session).set_tools(tools);
    }

    /// Whether the tools of a session are known.
    pub(super) fn has_tools(&self, session: &str) -> bool {
        let inner = self.lock();
        !inner.tools.is_empty() || inner.sessions.get(session).is_some_and(JournalSession::has_tools)
    }

    /// Secrets that a request carries: from now on they are kept out of the file.
    pub(super) fn remember(&self, secrets: Vec<String>) {
        let mut inner = self.lock();
        for secret in secrets {
            if inner.secrets.len() < MAX_SECRETS && !inner.secrets.contains(&secret) {
                inner.secrets.push(secret);
            }
        }
        // One may be the beginning of another.
        inner.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// Writes a call to the file, without its secrets. What cannot be written is told, and the call
    /// goes its way all the same.
    pub(super) fn record(&self, session: &str, mut turn: RecordedTurn) {
        let mut inner = self.lock();
        self.redaction.redact(&mut turn.call.arguments, &inner.secrets);
        self.redaction.redact(&mut turn.response, &inner.secrets);
        inner.session(&self.suite, session);
        let Some(mut line) = inner.sessions.remove(session) else { return };
        match inner.journal.append(&mut line, &turn) {
            Ok(()) => inner.summary.calls += 1,
            Err(error) => {
                inner.note(&format!("not recorded: {error}"));
                inner.summary.failed.get_or_insert(error);
            }
        }
        inner.sessions.insert(session.to_owned(), line);
    }

    /// The next call under this name begins a new session.
    pub(super) fn end_session(&self, session: &str) {
        let mut inner = self.lock();
        inner.sessions.remove(session);
        inner.order.retain(|known| known != session);
    }

    /// Something was passed through that is not recorded.
    pub(super) fn passed(&self, what: &str) {
        let mut inner = self.lock();
        inner.summary.passed += 1;
        inner.note(&format!("passed through, not recorded: {}", printable(what)));
    }

    /// Brings the file to the disk, and says what is in it.
    pub(super) fn finish(&self) -> Summary {
        let mut inner = self.lock();
        if let Err(error) = inner.journal.sync() {
            inner.summary.failed.get_or_insert(error);
        }
        std::mem::take(&mut inner.summary)
    }
}

impl Inner {
    fn session(&mut self, suite: &str, name: &str) -> &mut JournalSession {
        if !self.sessions.contains_key(name) {
            let mut session = JournalSession::new(suite, &new_id());
            session.set_tools(self.tools.clone());
            self.sessions.insert(name.to_owned(), session);
            self.order.push_back(name.to_owned());
            self.summary.sessions += 1;
            if self.order.len() > MAX_SESSIONS
                && let Some(oldest) = self.order.pop_front()
            {
                self.sessions.remove(&oldest);
            }
        }
        self.sessions.entry(name.to_owned()).or_insert_with(|| JournalSession::new(suite, name))
    }

    fn note(&mut self, text: &str) {
        if self.noted.len() < MAX_NOTES && self.noted.insert(text.to_owned()) {
            note(text);
        }
    }
}

/// A name that no other session has: the time, for people, and 64 random bits.
fn new_id() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    // The standard library seeds each state from the system's random source.
    let random = RandomState::new().build_hasher().finish();
    format!("{seconds}-{random:016x}")
}
