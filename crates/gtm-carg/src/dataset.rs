//! Datasets: a folder of parts, each made independently, so that any number of workers, any shard and any
//! restart gives the same bytes.
//!
//! `dataset.json` says what the dataset is; `part-NNNNNN.jsonl.zst` holds [`SESSIONS_PER_PART`] sessions, one a line;
//! `part-NNNNNN.json` what was counted while making it. A part's data is renamed into place last: where it is,
//! everything of the part is.

use crate::session::{Field, generate};
use crate::trace::Trace;
use crate::verify::{Counters, verify};
use gtm_error::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Sessions in one part.
pub const SESSIONS_PER_PART: u64 = 256;
/// Level of compression: the best that costs less time than making the sessions.
const LEVEL: i32 = 3;

/// What determines a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Seed of everything.
    pub seed: u64,
    /// Number of sessions asked for, those that are dropped included.
    pub sessions: u64,
    /// Version of GTM.
    pub version: String,
    /// Domains, in order.
    pub domains: Vec<String>,
    /// Digest of the packs.
    pub packs: String,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Sessions kept.
    pub sessions: u64,
    /// Call and reply pairs in them.
    pub pairs: u64,
    /// Replies that are failures.
    pub errors: u64,
    /// Sessions with a task.
    pub tasks: u64,
    /// Sessions dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Checks made and failed.
    pub checks: Counters,
    /// Pairs by kind of tool.
    pub families: BTreeMap<String, u64>,
    /// Failures by kind.
    pub error_kinds: BTreeMap<String, u64>,
    /// Calls spoilt on purpose, by way.
    pub mutations: BTreeMap<String, u64>,
    /// Sessions by domain.
    pub domains: BTreeMap<String, u64>,
}

impl Counts {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Counts) {
        self.sessions += other.sessions;
        self.pairs += other.pairs;
        self.errors += other.errors;
        self.tasks += other.tasks;
        self.checks.add(&other.checks);
        for (into, from) in [
            (&mut self.dropped, &other.dropped),
            (&mut self.families, &other.families),
            (&mut self.error_kinds, &other.error_kinds),
            (&mut self.mutations, &other.mutations),
            (&mut self.domains, &other.domains),
        ] {
            for (name, count) in from {
                *into.entry(name.clone()).or_default() += count;
            }
        }
    }

    fn keep(&mut self, trace: &Trace) {
        self.sessions += 1;
        self.pairs += trace.turns.len() as u64;
        self.tasks += u64::from(trace.task.is_some());
        *self.domains.entry(trace.group.clone()).or_default() += 1;
        let families: BTreeMap<&str, &str> = trace
            .tools
            .iter()
            .zip(&trace.facts)
            .map(|(tool, fact)| (tool.name.as_str(), fact.family.as_str()))
            .collect();
        for turn in &trace.turns {
            let family = families.get(turn.call.name.as_str()).copied().unwrap_or("unknown_tool");
            *self.families.entry(family.to_owned()).or_default() += 1;
            self.errors += u64::from(turn.is_error);
            for (into, name) in [(&mut self.error_kinds, &turn.error), (&mut self.mutations, &turn.mutation)]
            {
                if let Some(name) = name {
                    *into.entry(name.clone()).or_default() += 1;
                }
            }
        }
    }
}

/// Which parts to make: the `index`-th of `of` equal runs of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u64,
    /// How many shards there are.
    pub of: u64,
}

/// Makes a dataset, or what is missing of it. `progress` is told of the pairs made, from many threads.
///
/// # Errors
/// [`Code::StorageFailed`] if something cannot be written, [`Code::DatasetOther`] if the folder holds a dataset of
/// another recipe, and what a pack's tools fail to compile with.
pub fn make(
    fields: &[Field],
    recipe: &Recipe,
    folder: &Path,
    jobs: usize,
    shard: Shard,
    progress: &(dyn Fn(&Counts) + Sync),
) -> Result<Counts> {
    std::fs::create_dir_all(folder).map_err(|e| cannot(e, folder))?;
    settle(recipe, folder)?;
    let parts = recipe.sessions.div_ceil(SESSIONS_PER_PART);
    let (first, end) = (parts * shard.index / shard.of, parts * (shard.index + 1) / shard.of);
    let next = AtomicU64::new(first);
    let stop = AtomicBool::new(false);
    let total = Mutex::new(Counts::default());
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let part = next.fetch_add(1, Ordering::Relaxed);
                    if part >= end {
                        return;
                    }
                    match make_part(fields, recipe, folder, part) {
                        Ok(counts) => {
                            progress(&counts);
                            lock(&total).add(&counts);
                        }
                        Err(error) => {
                            stop.store(true, Ordering::Relaxed);
                            lock(&failure).get_or_insert(error);
                        }
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Writes what the dataset is, or checks that it is the same.
fn settle(recipe: &Recipe, folder: &Path) -> Result<()> {
    let path = folder.join("dataset.json");
    let text = format!("{}\n", serde_json::to_string_pretty(recipe).unwrap_or_default());
    match std::fs::read_to_string(&path) {
        Ok(there) if there == text => Ok(()),
        Ok(_) => Err(Error::new(Code::DatasetOther, "the folder holds a dataset of another recipe")
            .in_file(path.display())),
        Err(_) => write_whole(&path, text.as_bytes()),
    }
}

fn make_part(fields: &[Field], recipe: &Recipe, folder: &Path, part: u64) -> Result<Counts> {
    let data = part_path(folder, part);
    let counted = data.with_extension("").with_extension("json");
    if data.exists() {
        let text = std::fs::read(&counted).map_err(|e| cannot(e, &counted))?;
        return serde_json::from_slice(&text)
            .map_err(|e| Error::new(Code::StorageCorrupt, e.to_string()).in_file(counted.display()));
    }
    let mut counts = Counts::default();
    let mut lines = Vec::new();
    let from = part * SESSIONS_PER_PART;
    for number in from..(from + SESSIONS_PER_PART).min(recipe.sessions) {
        let trace = generate(fields, recipe.seed, number)?;
        let violations = verify(&trace, &mut counts.checks);
        if let Some(violation) = violations.first() {
            let reason =
                serde_json::to_value(violation.check).ok().and_then(|v| v.as_str().map(str::to_owned));
            *counts.dropped.entry(reason.unwrap_or_default()).or_default() += 1;
            continue;
        }
        counts.keep(&trace);
        serde_json::to_writer(&mut lines, &trace).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
        lines.push(b'\n');
    }
    let packed = zstd::encode_all(lines.as_slice(), LEVEL).map_err(|e| cannot(e, &data))?;
    write_whole(&counted, &serde_json::to_vec(&counts).unwrap_or_default())?;
    write_whole(&data, &packed)?;
    Ok(counts)
}

fn part_path(folder: &Path, part: u64) -> PathBuf {
    folder.join(format!("part-{part:06}.jsonl.zst"))
}

/// Writes a file so that it is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let made = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&made)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&made, path)
    };
    write().map_err(|e| {
        // What could not be written whole is of no use, and a full disk needs the room.
        let _ = std::fs::remove_file(&made);
        cannot(e, path)
    })
}

fn cannot(error: std::io::Error, path: &Path) -> Error {
    Error::new(Code::StorageFailed, format!("cannot write the dataset: {error}"))
        .in_file(path.display())
        .hint("free disk space or choose another folder, and run the same command again: it goes on where it stopped")
}

/// Goes through the sessions of a dataset, in order. A line that is no session is an error.
///
/// # Errors
/// [`Code::FileUnreadable`] and [`Code::StorageCorrupt`], with the file.
pub fn read(folder: &Path, mut see: impl FnMut(Trace) -> Result<()>) -> Result<()> {
    let unreadable = |e: std::io::Error, path: &Path| {
        Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display())
    };
    let mut parts: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(e, folder))? {
        let path = entry.map_err(|e| unreadable(e, folder))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("part-") && name.ends_with(".jsonl.zst") {
            parts.push(path);
        }
    }
    parts.sort();
    if parts.is_empty() {
        return Err(Error::new(Code::FileUnreadable, "the folder holds no parts of a dataset")
            .in_file(folder.display()));
    }
    for path in parts {
        let corrupt = |what: String| Error::new(Code::StorageCorrupt, what).in_file(path.display());
        let file = File::open(&path).map_err(|e| unreadable(e, &path))?;
        let decoder = zstd::Decoder::new(file).map_err(|e| corrupt(e.to_string()))?;
        for (at, line) in BufReader::new(decoder).lines().enumerate() {
            let line = line.map_err(|e| corrupt(e.to_string()))?;
            let trace = serde_json::from_str(&line).map_err(|e| corrupt(format!("line {}: {e}", at + 1)))?;
            see(trace)?;
        }
    }
    Ok(())
}
