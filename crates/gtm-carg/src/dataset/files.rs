//! Files of a dataset: written whole or not at all, and read back in order.

use crate::samples::Sample;
use crate::trace::Trace;
use gtm_error::{Code, Error, Result};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Longest line that is read, in bytes: many times the longest that is written.
const MAX_LINE: u64 = 256 << 20;

/// Where the sessions of a part are.
pub(super) fn part(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("part-{number:06}.jsonl.zst"))
}

/// Where the counts of a part are.
pub(super) fn counts(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("part-{number:06}.json"))
}

/// Writes a file so that it is there whole or not at all, also after a loss of power.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let made = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&made)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&made, path)?;
        // The name, too, has to reach the disk.
        match path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(|e| {
        // What could not be written whole is of no use, and a full disk needs the room.
        let _ = std::fs::remove_file(&made);
        cannot(&e, path)
    })
}

pub(super) fn cannot(error: &std::io::Error, path: &Path) -> Error {
    Error::new(Code::StorageFailed, format!("cannot write the dataset: {error}"))
        .in_file(path.display())
        .hint("free disk space or choose another folder, and run the same command again: it goes on where it stopped")
}

/// Goes through the sessions of a dataset, in order. A line that is no session is an error.
///
/// # Errors
/// [`Code::FileUnreadable`] and [`Code::StorageCorrupt`], with the file, and what `see` fails with.
pub fn read(folder: &Path, mut see: impl FnMut(Trace) -> Result<()>) -> Result<()> {
    let parts = named(folder, |name| name.starts_with("part-"))?;
    if parts.is_empty() {
        return Err(none(folder, "parts of a dataset"));
    }
    parts.iter().try_for_each(|path| lines(path, &mut see))
}

/// Goes through the samples of a dataset, in order.
///
/// # Errors
/// As [`read`].
pub fn read_samples(folder: &Path, mut see: impl FnMut(Sample) -> Result<()>) -> Result<()> {
    let inner = folder.join("samples");
    let parts = match inner.is_dir() {
        true => named(&inner, |_| true)?,
        false => Vec::new(),
    };
    if parts.is_empty() {
        return Err(none(folder, "samples in JSON Lines")
            .hint("make the dataset with `formats: [jsonl]` and with rates of samples above 0"));
    }
    parts.iter().try_for_each(|path| lines(path, &mut see))
}

fn none(folder: &Path, of: &str) -> Error {
    Error::new(Code::FileUnreadable, format!("the folder holds no {of}")).in_file(folder.display())
}

fn unreadable(error: &std::io::Error, path: &Path) -> Error {
    Error::new(Code::FileUnreadable, error.to_string()).in_file(path.display())
}

fn named(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut parts: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(&e, folder))? {
        let path = entry.map_err(|e| unreadable(&e, folder))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if wanted(&name) && name.ends_with(".jsonl.zst") {
            parts.push(path);
        }
    }
    parts.sort();
    Ok(parts)
}

fn lines<T: DeserializeOwned>(path: &Path, see: &mut impl FnMut(T) -> Result<()>) -> Result<()> {
    let corrupt = |what: String| Error::new(Code::StorageCorrupt, what).in_file(path.display());
    let file = File::open(path).map_err(|e| unreadable(&e, path))?;
    let decoder = zstd::Decoder::new(file).map_err(|e| corrupt(e.to_string()))?;
    let mut reader = BufReader::new(decoder);
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let read = std::io::Read::take(&mut reader, MAX_LINE).read_until(b'\n', &mut line);
        if read.map_err(|e| corrupt(e.to_string()))? == 0 {
            break;
        }
        let item = serde_json::from_slice(&line).map_err(|e| corrupt(format!("line {number}: {e}")))?;
        see(item)?;
    }
    Ok(())
}
