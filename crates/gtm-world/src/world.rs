//! A world: the state of one session, with the bookkeeping that keeps it coherent.

use crate::{Map, Str, Value};
use gtm_error::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The session's logical clock. Real time never enters a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Clock {
    /// Time at the start of a session, RFC 3339.
    pub start: String,
    /// Seconds that pass with each call that changes something.
    pub tick_s: u32,
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: "2025-01-01T00:00:00Z".into(), tick_s: 1 }
    }
}

impl Clock {
    /// Start in seconds since 1970-01-01T00:00:00Z.
    pub fn start_seconds(&self) -> Result<i64> {
        let start: jiff::Timestamp = self.start.parse().map_err(|e: jiff::Error| {
            Error::new(Code::ToolsetInvalid, format!("the clock's start is not a time: {e}"))
                .at("/clock/start")
                .expected("RFC 3339, such as 2025-01-01T00:00:00Z")
        })?;
        Ok(start.as_second())
    }
}

/// The state of one session. A clone costs a few pointers and shares everything.
#[derive(Clone, Debug)]
pub struct World {
    root: Value,
    books: Map,
    version: u64,
    seed: u64,
    open: bool,
    clock: (i64, u32),
    /// Upper bound on the approximate heap bytes of `root` and `books`.
    bytes: usize,
}

/// What is known of a collection besides its records. Kept out of the visible state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Book {
    /// Highest number given to an id, by collection.
    Counter,
    /// Collections that were listed, so are known completely.
    Listed,
    /// Ids that were deleted, so must not be invented again.
    Deleted,
    /// Ids that the session made: what belongs to them starts empty instead of invented.
    Made,
    /// Records with invented members: true for all of them, else their names.
    Invented,
}

impl Book {
    fn key(self, collection: &str, id: &str) -> Str {
        let mark = match self {
            Book::Counter => 'c',
            Book::Listed => 'l',
            Book::Deleted => 'd',
            Book::Made => 'm',
            Book::Invented => 'i',
        };
        // A NUL cannot be confused with a character of a collection path: paths are escaped JSON pointers
        // and ids are last.
        Arc::from(format!("{mark}{collection}\0{id}"))
    }
}

impl World {
    /// A world that starts from `initial`, which must be an object.
    ///
    /// # Errors
    /// [`Code::StateInvalid`] if it is not, [`Code::ToolsetInvalid`] if the clock's start is no time.
    pub fn new(initial: Value, seed: u64, open: bool, clock: &Clock) -> Result<World> {
        if initial.as_map().is_none() {
            return Err(Error::new(Code::StateInvalid, format!("the state is {}", initial.type_name()))
                .expected("an object"));
        }
        let clock = (clock.start_seconds()?, clock.tick_s);
        let bytes = initial.size().0;
        Ok(World { root: initial, books: Map::new(), version: 0, seed, open, clock, bytes })
    }

    /// The visible state, an object.
    pub fn state(&self) -> &Value {
        &self.root
    }

    /// Number of calls that changed something.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Logical time, in seconds since 1970-01-01T00:00:00Z.
    pub fn now(&self) -> i64 {
        let ticks = i64::try_from(self.version).unwrap_or(i64::MAX);
        self.clock.0.saturating_add(ticks.saturating_mul(i64::from(self.clock.1)))
    }

    /// Seed of everything that varies.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether unknown records may be invented on first look.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Replaces the visible state, as when a real outcome is observed. Counts as a change.
    pub fn set_state(&mut self, state: Value) {
        self.bytes = state.size().0;
        self.root = state;
        self.version += 1;
    }

    /// The same world as a different session: everything invented from now on differs.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    pub(crate) fn root_mut(&mut self) -> &mut Value {
        &mut self.root
    }

    /// Counts a change that built `bytes` of new values. False if the state may be over `limit`:
    /// an upper bound is kept, and the state is measured only when the bound says so.
    pub(crate) fn commit(&mut self, bytes: usize, limit: usize) -> bool {
        self.version += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > limit {
            self.bytes = self.root.size().0 + self.books.len() * 128;
        }
        self.bytes <= limit
    }

    pub(crate) fn book(&self, book: Book, collection: &str, id: &str) -> Option<&Value> {
        self.books.get(&book.key(collection, id))
    }

    pub(crate) fn note(&mut self, book: Book, collection: &str, id: &str, value: Value) {
        self.books.insert(book.key(collection, id), value);
    }

    pub(crate) fn forget(&mut self, book: Book, collection: &str, id: &str) {
        self.books.remove(&book.key(collection, id));
    }

    /// The bookkeeping, an object to be stored and given back as it is.
    pub fn books(&self) -> Value {
        Value::Map(self.books.clone())
    }

    /// This world with other contents: for storage that keeps changes instead of whole worlds.
    /// `grown` bounds how many more bytes it takes. `None` unless state and books are objects.
    pub fn with_contents(&self, state: Value, books: Value, version: u64, grown: usize) -> Option<World> {
        let (root @ Value::Map(_), Value::Map(books)) = (state, books) else { return None };
        Some(World { root, books, version, bytes: self.bytes.saturating_add(grown), ..self.clone() })
    }

    /// Everything, for storage. [`World::restore`] reads it back.
    pub fn save(&self) -> serde_json::Value {
        serde_json::json!({
            "state": self.root.to_json(),
            "books": self.books.iter().map(|(k, v)| (k.to_string(), v.to_json())).collect::<serde_json::Map<_, _>>(),
            "version": self.version,
            "seed": self.seed,
            "open": self.open,
            "clock": [self.clock.0, self.clock.1],
        })
    }

    /// Reads back what [`World::save`] wrote.
    ///
    /// # Errors
    /// [`Code::StorageCorrupt`] if it is anything else.
    pub fn restore(saved: &serde_json::Value) -> Result<World> {
        #[derive(Deserialize)]
        struct Saved {
            state: Value,
            books: Value,
            version: u64,
            seed: u64,
            open: bool,
            clock: (i64, u32),
        }
        let corrupt = |what: String| Error::new(Code::StorageCorrupt, what);
        let saved = Saved::deserialize(saved).map_err(|e| corrupt(format!("not a saved world: {e}")))?;
        match (saved.state, saved.books) {
            (root @ Value::Map(_), Value::Map(books)) => Ok(World {
                bytes: root.size().0 + books.len() * 128,
                root,
                books,
                version: saved.version,
                seed: saved.seed,
                open: saved.open,
                clock: saved.clock,
            }),
            _ => Err(corrupt("not a saved world: state and books must be objects".into())),
        }
    }
}
