//! Datasets: a folder of parts, each made independently, so that any number of workers, any shard and any
//! restart gives the same bytes.
//!
//! `dataset.json` says what the dataset is; `part-NNNNNN.jsonl.zst` holds [`SESSIONS_PER_PART`] sessions, one a line;
//! `samples/SPLIT-NNNNNN.*` what a model learns from them; `part-NNNNNN.json` what was counted while making it. The
//! sessions of a part are renamed into place last: where they are, everything of the part is. Once all parts are
//! there, `README.md` describes the dataset.

mod card;
mod census;
mod config;
mod counts;
mod files;
mod split;
mod table;

pub use census::Census;
pub use config::{Config, Format, Recipe, json_schema};
pub use counts::Counts;
pub use files::{read, read_samples};
pub use split::{Split, Splits};

use crate::catalogue::Catalogue;
use crate::samples::{self, Sample};
use crate::session::generate;
use crate::verify::verify;
use files::{cannot, write_whole};
use gtm_error::{Code, Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Sessions in one part.
pub const SESSIONS_PER_PART: u64 = 256;

/// Which parts to make: the `index`-th of `of` equal runs of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u64,
    /// How many shards there are.
    pub of: u64,
}

/// Makes a dataset, or what is missing of it, and gives the counts of the shard. `progress` is told of each part,
/// from many threads.
///
/// # Errors
/// [`Code::StorageFailed`] if something cannot be written, [`Code::DatasetOther`] if the folder holds a dataset of
/// another recipe, and what a pack's tools fail to compile with.
pub fn make(
    catalogue: &Catalogue,
    recipe: &Recipe,
    folder: &Path,
    jobs: usize,
    shard: Shard,
    progress: &(dyn Fn(&Counts) + Sync),
) -> Result<Counts> {
    let samples = folder.join("samples");
    std::fs::create_dir_all(&samples).map_err(|e| cannot(&e, &samples))?;
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
                    match make_part(catalogue, recipe, folder, part) {
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
    if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    let made = total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Who makes the last part writes the card; it is the same whoever does.
    if (0..parts).all(|part| files::part(folder, part).exists()) {
        let whole = match shard.of {
            1 => made.clone(),
            _ => counts(folder, recipe)?,
        };
        write_whole(&folder.join("README.md"), card::card(recipe, &whole).as_bytes())?;
    }
    Ok(made)
}

/// The counts of all parts of a dataset that is complete.
///
/// # Errors
/// [`Code::FileUnreadable`] and [`Code::StorageCorrupt`].
pub fn counts(folder: &Path, recipe: &Recipe) -> Result<Counts> {
    let mut whole = Counts::default();
    for part in 0..recipe.sessions.div_ceil(SESSIONS_PER_PART) {
        whole.add(&counted(folder, part)?);
    }
    Ok(whole)
}

/// Sessions that the parts made so far have dropped, by reason.
///
/// # Errors
/// [`Code::FileUnreadable`] and [`Code::StorageCorrupt`].
pub fn dropped(folder: &Path) -> Result<BTreeMap<String, u64>> {
    let unreadable =
        |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(folder.display());
    let mut whole = Counts::default();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let part =
            name.to_str().and_then(|name| name.strip_prefix("part-")?.strip_suffix(".json")?.parse().ok());
        if let Some(part) = part {
            whole.add(&counted(folder, part)?);
        }
    }
    Ok(whole.dropped)
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

fn counted(folder: &Path, part: u64) -> Result<Counts> {
    let path = files::counts(folder, part);
    let text = std::fs::read(&path)
        .map_err(|e| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display()))?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::new(Code::StorageCorrupt, e.to_string()).in_file(path.display()))
}

fn make_part(catalogue: &Catalogue, recipe: &Recipe, folder: &Path, part: u64) -> Result<Counts> {
    let data = files::part(folder, part);
    if data.exists() {
        return counted(folder, part);
    }
    let mut counts = Counts::default();
    let mut lines = Vec::new();
    let mut made: Vec<Sample> = Vec::new();
    let from = part * SESSIONS_PER_PART;
    for number in from..(from + SESSIONS_PER_PART).min(recipe.sessions) {
        let trace = generate(catalogue, recipe, number)?;
        let violations = verify(&trace, &mut counts.checks);
        if let Some(violation) = violations.first() {
            *counts.dropped.entry(violation.check.name().to_owned()).or_default() += 1;
            continue;
        }
        counts.keep(&trace);
        samples::add(&trace, &recipe.samples, &mut made);
        serde_json::to_writer(&mut lines, &trace).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
        lines.push(b'\n');
    }
    made.iter().for_each(|sample| counts.sample(sample));
    counts.close();
    for split in Split::ALL {
        let rows: Vec<&Sample> = made.iter().filter(|sample| sample.split == split).collect();
        if rows.is_empty() {
            continue;
        }
        for format in &recipe.formats {
            let name = format!("samples/{}-{part:06}.{}", split.name(), format.extension());
            write_whole(&folder.join(name), &format.write(&rows)?)?;
        }
    }
    let packed = zstd::encode_all(lines.as_slice(), table::LEVEL).map_err(|e| cannot(&e, &data))?;
    write_whole(&files::counts(folder, part), &serde_json::to_vec(&counts).unwrap_or_default())?;
    write_whole(&data, &packed)?;
    Ok(counts)
}
