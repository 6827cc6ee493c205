//! Checkpoints: all that a run needs to go on exactly where it stood.
//!
//! A checkpoint is a folder, written beside its final place, brought to the disk and then renamed: it is there whole or not at
//! all, whenever the process dies.

use crate::data::MixerState;
use crate::optimizer::Optimizer;
use gtm_error::{Code, Error, Result};
use gtm_model::safetensors::{self, Dtype, Reader};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// How many checkpoints are kept.
const KEPT: usize = 2;

/// Where a run stands, beside its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Updates done.
    pub(crate) step: u64,
    /// Tokens seen.
    pub(crate) tokens: u64,
    /// Seconds spent.
    pub(crate) seconds: f64,
    pub(crate) mixer: MixerState,
    /// Of the data, to be sure that it is the same.
    pub(crate) data: u64,
    /// The configuration, for the same reason.
    pub(crate) config: serde_json::Value,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |e| Error::new(Code::StorageFailed, e.to_string()).in_file(&path)
}

/// Makes folder `dir` hold what `write` puts into it: all of it or what was there before.
pub(crate) fn replace_folder(dir: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let aside = |suffix: &str| {
        let mut name = dir.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        dir.with_file_name(name)
    };
    let (new, old) = (aside(".new"), aside(".old"));
    for left_over in [&new, &old] {
        if left_over.exists() {
            fs::remove_dir_all(left_over).map_err(failed(left_over))?;
        }
    }
    fs::create_dir_all(&new).map_err(failed(&new))?;
    write(&new)?;
    for entry in fs::read_dir(&new).map_err(failed(&new))? {
        let path = entry.map_err(failed(&new))?.path();
        File::open(&path).and_then(|f| f.sync_all()).map_err(failed(&path))?;
    }
    if dir.exists() {
        fs::rename(dir, &old).map_err(failed(dir))?;
    }
    fs::rename(&new, dir).map_err(failed(dir))?;
    if let Some(parent) = dir.parent() {
        // Renames are in the parent; where folders cannot be synced, the system does it in its own time.
        let _ = File::open(parent).and_then(|f| f.sync_all());
    }
    if old.exists() {
        fs::remove_dir_all(&old).map_err(failed(&old))?;
    }
    Ok(())
}

/// Writes a checkpoint and removes all but the newest.
pub(crate) fn save(folder: &Path, state: &State, numbers: &[f32], optimizer: &Optimizer) -> Result<()> {
    replace_folder(&folder.join(format!("{:010}", state.step)), |dir| {
        let shape = [numbers.len()];
        let tensors = [("numbers", numbers), ("mean", &optimizer.mean), ("square", &optimizer.square)]
            .map(|(n, d)| (n, &shape[..], d));
        safetensors::write(&dir.join("trainer.safetensors"), Dtype::F32, &[], &tensors)?;
        let path = dir.join("trainer.json");
        let text = serde_json::to_string_pretty(state).unwrap_or_default();
        fs::write(&path, text).map_err(failed(&path))
    })?;
    for old in list(folder)?.iter().rev().skip(KEPT) {
        fs::remove_dir_all(old).map_err(failed(old))?;
    }
    Ok(())
}

/// The checkpoints of a folder, oldest first.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.len() == 10 && name.bytes().all(|b| b.is_ascii_digit()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads the newest checkpoint, if there is one, into `numbers` and `optimizer`.
pub(crate) fn load(folder: &Path, numbers: &mut [f32], optimizer: &mut Optimizer) -> Result<Option<State>> {
    let Some(dir) = list(folder)?.pop() else { return Ok(None) };
    let state = state(&dir)?;
    let mut reader = Reader::open(&dir.join("trainer.safetensors"))?;
    let shape = [numbers.len()];
    reader.read("numbers", &shape, numbers)?;
    reader.read("mean", &shape, &mut optimizer.mean)?;
    reader.read("square", &shape, &mut optimizer.square)?;
    Ok(Some(state))
}

/// Where the newest checkpoint stands, if there is one.
pub(crate) fn newest(folder: &Path) -> Result<Option<State>> {
    list(folder)?.pop().map(|dir| state(&dir)).transpose()
}

fn state(dir: &Path) -> Result<State> {
    let path = dir.join("trainer.json");
    let text = fs::read_to_string(&path)
        .map_err(|e| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display()))?;
    serde_json::from_str(&text)
        .map_err(|e| Error::new(Code::ModelInvalid, e.to_string()).in_file(path.display()))
}
