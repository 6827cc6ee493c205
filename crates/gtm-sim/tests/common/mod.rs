//! Toolsets and storage for the tests.
#![allow(dead_code)] // Each test file uses a part.

use gtm_sim::{Simulator, Storage, Toolset};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A key-value store with explicit behaviors, small enough to be modelled by a map.
pub(crate) const NOTES: &str = r#"
name: notes
tools:
  - {name: put, parameters: {type: object, required: [key, text], properties: {key: {type: string}, text: {type: string}, stars: {type: integer}}}}
  - {name: add, parameters: {type: object, required: [text], properties: {text: {type: string}}}}
  - {name: get, parameters: {type: object, required: [key], properties: {key: {type: string}}}}
  - {name: drop, parameters: {type: object, required: [key], properties: {key: {type: string}}}}
  - {name: all, parameters: {type: object, properties: {limit: {type: integer}}}}
  - {name: roll, parameters: {type: object, properties: {}}, returns: {type: object, required: [n, word], properties: {n: {type: integer}, word: {type: string}}}}
state: {notes: {}}
collections:
  notes: {id: key, ids: {pattern: "n-????????"}}
behaviors:
  put:
    steps:
      - update: {in: notes, id: args.key, set: {key: args.key, text: args.text, stars: args.stars}, upsert: true, as: note}
      - reply: note
  add:
    steps:
      - create: {in: notes, set: {text: args.text, at: "string(now())"}, as: note}
      - reply: note
  get:
    steps:
      - get: {in: notes, id: args.key, as: note}
      - reply: note
  drop:
    steps:
      - delete: {in: notes, id: args.key, as: note}
      - reply: {dropped: note.key}
  all:
    steps:
      - list: {in: notes, limit: args.limit, as: rows, total: total}
      - reply: {rows: rows, total: total}
  roll:
    direct: true
"#;

/// A simulator for the text of a toolset file.
pub(crate) fn simulator(text: &str) -> Simulator {
    Simulator::new(Toolset::parse(text, Path::new("")).unwrap()).unwrap()
}

/// The same with some faults.
pub(crate) fn with_faults(text: &str, faults: Json) -> Simulator {
    let mut toolset = Toolset::parse(text, Path::new("")).unwrap();
    toolset.faults = serde_json::from_value(faults).unwrap();
    Simulator::new(toolset).unwrap()
}

/// Storage in memory whose writes fail from the k-th on, for as long as wished. A failing write
/// leaves half of its bytes behind.
#[derive(Default)]
pub(crate) struct Flaky {
    pub(crate) files: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(crate) writes: AtomicUsize,
    pub(crate) fail_from: AtomicUsize,
    pub(crate) fail_count: AtomicUsize,
}

impl Flaky {
    /// Storage that fails `count` writes, beginning with the k-th (from 0).
    pub(crate) fn failing(from: usize, count: usize) -> Arc<Flaky> {
        Arc::new(Flaky { fail_from: from.into(), fail_count: count.into(), ..Flaky::default() })
    }

    /// Storage that never fails, with these files.
    pub(crate) fn holding(files: BTreeMap<String, Vec<u8>>) -> Arc<Flaky> {
        Arc::new(Flaky { files: Mutex::new(files), ..Flaky::default() })
    }

    fn fails(&self) -> bool {
        let write = self.writes.fetch_add(1, Ordering::SeqCst);
        let from = self.fail_from.load(Ordering::SeqCst);
        (from..from + self.fail_count.load(Ordering::SeqCst)).contains(&write)
    }
}

impl Storage for Flaky {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.files.lock().unwrap().keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.files.lock().unwrap().get(name).cloned().ok_or(io::ErrorKind::NotFound.into())
    }

    fn append(&self, name: &str, length: u64, bytes: &[u8]) -> io::Result<()> {
        let fails = self.fails();
        let mut files = self.files.lock().unwrap();
        let file = files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        assert!(file.len() as u64 >= length, "a gap in {name}");
        file.truncate(length as usize);
        file.extend_from_slice(if fails { &bytes[..bytes.len() / 2] } else { bytes });
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.fails() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.files.lock().unwrap().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.lock().unwrap().remove(name);
        Ok(())
    }

    fn place(&self, name: &str) -> String {
        format!("memory/{name}")
    }
}
