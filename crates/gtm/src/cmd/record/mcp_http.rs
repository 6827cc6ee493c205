//! Reading along at an MCP server over HTTP: requests are posted, answers come as JSON or as events.

use super::body::{Copy, MAX_ANSWER, Tap};
use super::messages::Conversation;
use super::proxy::{Asked, Head, Recording};
use super::recorder::Recorder;
use axum::http::{HeaderMap, Method};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The header that names a session in the revisions that have them.
const SESSION: &str = "mcp-session-id";
/// Conversations that are followed at once; beyond, the oldest is forgotten.
const MAX_CONVERSATIONS: usize = 1_000;

type Shared = Arc<Mutex<Conversation>>;

/// The conversations with one server.
pub(super) struct McpHttp {
    recorder: Arc<Recorder>,
    conversations: Mutex<Conversations>,
}

#[derive(Default)]
struct Conversations {
    by_session: HashMap<String, Shared>,
    order: VecDeque<String>,
}

impl McpHttp {
    pub(super) fn new(recorder: Arc<Recorder>) -> McpHttp {
        McpHttp { recorder, conversations: Mutex::default() }
    }

    /// The conversation of a session. Clients of revisions without sessions share one.
    fn conversation(&self, headers: &HeaderMap) -> Shared {
        let session = session(headers).unwrap_or_default();
        let mut all = lock(&self.conversations);
        if let Some(known) = all.by_session.get(session) {
            return known.clone();
        }
        let conversation = Arc::new(Mutex::new(Conversation::new(self.recorder.clone(), session)));
        all.by_session.insert(session.to_owned(), conversation.clone());
        all.order.push_back(session.to_owned());
        if all.order.len() > MAX_CONVERSATIONS
            && let Some(oldest) = all.order.pop_front()
        {
            all.by_session.remove(&oldest);
        }
        conversation
    }
}

fn session(headers: &HeaderMap) -> Option<&str> {
    headers.get(SESSION)?.to_str().ok().filter(|session| !session.is_empty())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recording for McpHttp {
    fn asked(&self, asked: &Asked) {
        if asked.method == Method::POST {
            lock(&self.conversation(&asked.headers)).said_by_client(&asked.body);
        }
    }

    fn answered(&self, asked: Asked, head: &Head) -> Option<Box<dyn Tap>> {
        if asked.method == Method::DELETE {
            if let Some(session) = session(&asked.headers).filter(|_| head.status.is_success()) {
                self.recorder.end_session(session);
                lock(&self.conversations).by_session.remove(session);
            }
            return None;
        }
        if session(&asked.headers).is_none() && session(&head.headers).is_none() && begins(&asked.body) {
            // A server without sessions: each client that introduces itself begins one.
            self.recorder.end_session("");
        }
        let conversation = self.conversation(&asked.headers);
        let recorder = self.recorder.clone();
        match head.is_events() {
            true => Some(Box::new(Events {
                conversation,
                recorder,
                data: Vec::new(),
                line: Vec::new(),
                over: false,
            })),
            false => Some(Box::new(Copy::new(move |answer: Option<Vec<u8>>| match answer {
                Some(answer) => lock(&conversation).said_by_server(&answer),
                None => recorder.passed(TOO_LONG),
            }))),
        }
    }
}

const TOO_LONG: &str = "answers that are too long to be read along";

/// Whether a request opens a conversation.
fn begins(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Method {
        method: String,
    }
    serde_json::from_slice::<Method>(body).is_ok_and(|message| message.method == "initialize")
}

/// Reads the messages in a stream of events.
struct Events {
    conversation: Shared,
    recorder: Arc<Recorder>,
    /// Data of the event so far.
    data: Vec<u8>,
    line: Vec<u8>,
    /// The event is too long to be read along.
    over: bool,
}

impl Events {
    fn line(&mut self) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if line.is_empty() {
            if !self.over && !self.data.is_empty() {
                lock(&self.conversation).said_by_server(&self.data);
            }
            self.data.clear();
            self.over = false;
        } else if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
        self.line.clear();
    }
}

impl Tap for Events {
    fn part(&mut self, part: &[u8]) {
        for piece in part.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            match self.line.len() + self.data.len() + text.len() <= MAX_ANSWER {
                true => self.line.extend_from_slice(text),
                false => {
                    if !std::mem::replace(&mut self.over, true) {
                        self.recorder.passed(TOO_LONG);
                    }
                    self.line.clear();
                    self.data.clear();
                }
            }
            if ends {
                self.line();
            }
        }
    }

    fn end(&mut self) {
        // An event ends with an empty line; what is behind the last one is none.
    }
}
