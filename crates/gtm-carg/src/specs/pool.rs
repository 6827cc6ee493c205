//! The specs that are at hand, compressed: tens of thousands of them take less than 100 MB.

use crate::dataset::{Split, Splits};
use crate::rng::Rng;
use gtm_error::{Code, Error, Result};
use gtm_tool::{Limits, ToolSpec};
use gtm_world::seed;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Most tools of an API that are taken as one: sessions have up to 40.
const SLICE: usize = 48;
/// Largest spec of one tool, in bytes of JSON: larger ones make no prompt that a model could read.
const MAX_TOOL: usize = 64 << 10;
/// Most files looked at in all folders.
const MAX_FILES: usize = 20_000;

/// HTTP operations by provider.
#[derive(Debug, Default)]
pub struct Pool {
    /// In order of name.
    pub providers: Vec<Provider>,
    /// What the specs determine and nothing else does.
    pub digest: String,
    /// Operations in the pool.
    pub tools: usize,
    /// Operations left out: faulty, too large, or without a path that says what they are about.
    pub skipped: usize,
    /// Documents that could not be read at all, and why.
    pub unread: Vec<String>,
}

/// All APIs of one provider: what splits keep together.
#[derive(Debug)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Its APIs, large ones in slices.
    pub apis: Vec<Api>,
}

/// Operations of one API whose paths are neighbours.
#[derive(Debug)]
pub struct Api {
    /// Title of the API.
    pub title: String,
    tools: Vec<Box<[u8]>>,
}

impl Api {
    /// The operations, names made unique by leaving later ones out.
    pub(super) fn tools(&self) -> Vec<ToolSpec> {
        let mut tools: Vec<ToolSpec> = Vec::with_capacity(self.tools.len());
        for packed in &self.tools {
            if let Some(tool) = unpack(packed)
                && !tools.iter().any(|other| other.name == tool.name)
            {
                tools.push(tool);
            }
        }
        tools
    }
}

fn unpack(packed: &[u8]) -> Option<ToolSpec> {
    let json = zstd::bulk::decompress(packed, MAX_TOOL).ok()?;
    serde_json::from_slice(&json).ok()
}

impl Pool {
    /// Reads specs from files, and from folders that are searched through. A document that is none is left out and told of.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`] for what cannot be read, or if no operation is found in what was named.
    pub fn load(paths: &[PathBuf]) -> Result<Pool> {
        let mut gathered = Gathered::default();
        for file in files(paths)? {
            gathered.file(&file)?;
        }
        if !paths.is_empty() && gathered.by_api.is_empty() {
            return Err(Error::new(Code::FileUnreadable, "the specs hold no HTTP operation")
                .expected("OpenAPI documents, or tool specs with `method` and `path`")
                .hint(gathered.unread.first().cloned().unwrap_or_default()));
        }
        Ok(gathered.close())
    }

    /// Some of the operations: the first of each API, up to `most` APIs at equal distances.
    pub(crate) fn sample(&self, most: usize) -> impl Iterator<Item = ToolSpec> + '_ {
        let apis: Vec<&Api> = self.providers.iter().flat_map(|provider| &provider.apis).collect();
        let step = apis.len().div_ceil(most.max(1)).max(1);
        let first =
            |api: &Api| api.tools.iter().take(3).filter_map(|packed| unpack(packed)).collect::<Vec<_>>();
        apis.into_iter().step_by(step).flat_map(first)
    }

    /// A provider and one of its APIs. All providers are as frequent, so that large ones do not drown the others.
    pub(crate) fn draw(&self, splits: &Splits, split: Split, rng: &mut Rng) -> Option<(&Provider, &Api)> {
        let fitting: Vec<&Provider> =
            self.providers.iter().filter(|provider| splits.of(&provider.name) == split).collect();
        let provider = rng.try_pick(&fitting)?;
        Some((provider, rng.try_pick(&provider.apis)?))
    }
}

#[derive(Default)]
struct Gathered {
    /// Provider and API → path, name, packed spec.
    by_api: BTreeMap<(String, String), Vec<(String, String, Box<[u8]>)>>,
    digest: u64,
    tools: usize,
    skipped: usize,
    unread: Vec<String>,
}

impl Gathered {
    fn file(&mut self, path: &Path) -> Result<()> {
        let limits = Limits::default();
        let unreadable =
            |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = name.split('.').next().unwrap_or_default().to_owned();
        if name.ends_with(".jsonl") || name.ends_with(".jsonl.zst") || name.ends_with(".ndjson") {
            let reader = BufReader::with_capacity(1 << 17, File::open(path).map_err(unreadable)?);
            gtm_tool::import_lines(reader, &limits, |_, outcome| match outcome {
                Ok(tool) => self.tool(tool, &stem),
                Err(_) => self.skipped += 1,
            })
            .map_err(|e| e.in_file(path.display()))?;
            return Ok(());
        }
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        let read = match size > limits.document_bytes as u64 {
            true => Err(Error::new(Code::SpecTooLarge, format!("the file has {size} bytes"))),
            false => gtm_tool::import(&std::fs::read(path).map_err(unreadable)?, &limits),
        };
        match read {
            Ok(imported) => {
                self.skipped += imported.skipped.len();
                imported.tools.into_iter().for_each(|tool| self.tool(tool, &stem));
            }
            Err(error) => self.unread.push(format!("{}: {}", path.display(), error.message())),
        }
        Ok(())
    }

    fn tool(&mut self, tool: ToolSpec, stem: &str) {
        let json = serde_json::to_vec(&tool).unwrap_or_default();
        let packed = (gtm_read::rest::is_rest(&tool) && json.len() <= MAX_TOOL)
            .then(|| zstd::bulk::compress(&json, 1).ok())
            .flatten();
        let Some(packed) = packed else {
            self.skipped += 1;
            return;
        };
        self.tools += 1;
        self.digest = seed::derive(self.digest, &[&String::from_utf8_lossy(&json)]);
        let or_stem = |name: &str| if name.is_empty() { stem.to_owned() } else { name.to_owned() };
        let key = (or_stem(&tool.origin.provider), or_stem(&tool.origin.api));
        let path = tool.http.map(|http| http.path).unwrap_or_default();
        self.by_api.entry(key).or_default().push((path, tool.name, packed.into()));
    }

    fn close(self) -> Pool {
        let mut providers: Vec<Provider> = Vec::new();
        for ((provider, title), mut tools) in self.by_api {
            tools.sort();
            if providers.last().is_none_or(|last| last.name != provider) {
                providers.push(Provider { name: provider, apis: Vec::new() });
            }
            let Some(last) = providers.last_mut() else { continue };
            while !tools.is_empty() {
                let rest = tools.split_off(SLICE.min(tools.len()));
                let tools = std::mem::replace(&mut tools, rest);
                let tools = tools.into_iter().map(|(_, _, packed)| packed).collect();
                last.apis.push(Api { title: title.clone(), tools });
            }
        }
        Pool {
            providers,
            digest: format!("{:016x}", self.digest),
            tools: self.tools,
            skipped: self.skipped,
            unread: self.unread,
        }
    }
}

/// Spec files, folders searched through, in order of name.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open: Vec<(PathBuf, bool)> = paths.iter().rev().map(|path| (path.clone(), true)).collect();
    while let Some((path, named)) = open.pop() {
        let unreadable =
            |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
        if !std::fs::metadata(&path).map_err(unreadable)?.is_dir() {
            let name = path.to_string_lossy();
            let ends = [".json", ".yaml", ".yml", ".jsonl", ".ndjson", ".jsonl.zst", ".json.zst"];
            if named || ends.iter().any(|end| name.ends_with(end)) {
                found.push(path);
            }
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            // Links are not followed: a link to a folder above would never end.
            if entry.file_type().map_err(unreadable)?.is_symlink() {
                continue;
            }
            inside.push(entry.path());
        }
        inside.sort();
        open.extend(inside.into_iter().rev().map(|path| (path, false)));
        if found.len() + open.len() > MAX_FILES {
            return Err(Error::new(Code::FileUnreadable, format!("more than {MAX_FILES} files"))
                .in_file(path.display()));
        }
    }
    Ok(found)
}
