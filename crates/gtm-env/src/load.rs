//! Reading environments: the file, the toolsets and the task files that it names.

use crate::environment::{Environment, MAX_TASKS};
use crate::file::{EnvironmentFile, Task};
use crate::import::{Source, read_tasks};
use gtm_error::{Code, Error, Result};
use gtm_sim::load::{read, read_document, stem};
use gtm_sim::{Simulator, Toolset};
use gtm_tool::{Limits, parse_document};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Keys by which an environment is told from a toolset.
const OWN_KEYS: [&str; 3] = ["toolset", "tasks", "task_files"];

/// Whether a file is an environment, or a dataset with tasks, rather than a toolset or a spec. A file
/// that cannot be read is neither.
pub fn is_environment(path: &Path) -> bool {
    if Source::is_dataset(path) {
        return true;
    }
    let limits = Limits::default();
    let Ok(bytes) = read(path, &limits) else { return false };
    // Specs may be large; most are told from an environment without being parsed.
    let text = String::from_utf8_lossy(&bytes);
    if !OWN_KEYS.iter().any(|key| text.contains(key)) {
        return false;
    }
    let document = parse_document(&bytes, &limits).unwrap_or_default();
    let spec = ["openapi", "swagger", "paths"].iter().any(|key| document.get(key).is_some());
    !spec && OWN_KEYS.iter().any(|key| document.get(key).is_some())
}

/// Reads an environment. `make` turns its toolsets into simulators.
///
/// # Errors
/// [`Code::FileUnreadable`], [`Code::EnvironmentInvalid`] with the place, and those of
/// [`Toolset::load`] and of `make`.
pub fn load(path: &Path, make: &dyn Fn(Toolset) -> Result<Simulator>) -> Result<Environment> {
    let name = stem(path);
    if Source::is_dataset(path) {
        let file = EnvironmentFile { task_files: vec![String::new()], ..EnvironmentFile::default() };
        return assemble(&file, &name, path, make);
    }
    let limits = Limits::default();
    let read = || -> Result<Environment> {
        let document = parse_document(read(path, &limits)?, &limits)?;
        let file: EnvironmentFile =
            read_document(&document, &EnvironmentFile::json_schema(), Code::EnvironmentInvalid)?;
        assemble(&file, &name, path.parent().unwrap_or(Path::new("")), make)
    };
    read().map_err(|e| e.in_file(path.display()))
}

/// Puts an environment together from its file; paths are relative to `folder`.
fn assemble(
    file: &EnvironmentFile,
    name: &str,
    folder: &Path,
    make: &dyn Fn(Toolset) -> Result<Simulator>,
) -> Result<Environment> {
    let mut shelf = Shelf { folder, make, toolsets: Vec::new(), known: HashMap::new() };
    let default = file.toolset.as_ref().map(|source| shelf.named(source, name)).transpose();
    let default = default.map_err(|e| e.at("/toolset"))?;
    let mut tasks: Vec<(Task, usize)> = Vec::new();
    for (at, task) in file.tasks.iter().enumerate() {
        let place = |e: Error| e.at(format!("/tasks/{at}"));
        tasks.push((task.clone(), shelf.of_task(task, default, at).map_err(place)?));
    }
    for (at, path) in file.task_files.iter().enumerate() {
        let place = |e: Error| match e.place() {
            Some(_) => e,
            None => e.at(format!("/task_files/{at}")),
        };
        // A path that is empty stands for the folder itself.
        let path = if path.is_empty() { folder.to_path_buf() } else { folder.join(path) };
        for found in read_tasks(&path, MAX_TASKS - tasks.len().min(MAX_TASKS)).map_err(place)? {
            let toolset = match found.toolset {
                Some(toolset) => shelf.own(toolset).map_err(place)?,
                None => shelf.of_task(&found.task, default, tasks.len()).map_err(place)?,
            };
            tasks.push((found.task, toolset));
        }
    }
    Environment::new(file, name, shelf.toolsets, tasks)
}

/// The toolsets of an environment, each made once.
struct Shelf<'a> {
    folder: &'a Path,
    make: &'a dyn Fn(Toolset) -> Result<Simulator>,
    toolsets: Vec<(String, Arc<Simulator>)>,
    known: HashMap<String, usize>,
}

impl Shelf<'_> {
    /// The number of a task's toolset.
    fn of_task(&mut self, task: &Task, default: Option<usize>, at: usize) -> Result<usize> {
        match (&task.toolset, default) {
            (Some(source), _) => self.named(source, &format!("task-{at}")).map_err(|e| e.at("/toolset")),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(Error::new(Code::EnvironmentInvalid, "the task has no toolset")
                .expected("`toolset` here or in the environment")),
        }
    }

    /// The number of the toolset at a path, or of one that is written out.
    fn named(&mut self, source: &Json, name: &str) -> Result<usize> {
        let key = source.to_string();
        if let Some(at) = self.known.get(&key) {
            return Ok(*at);
        }
        let toolset = match source {
            Json::String(path) => Toolset::load(&self.folder.join(path))?,
            inline => {
                let mut toolset = Toolset::parse(inline.to_string(), self.folder)?;
                if inline.get("name").is_none() {
                    toolset.name = name.to_owned();
                }
                toolset
            }
        };
        let at = self.own(toolset)?;
        self.known.insert(key, at);
        Ok(at)
    }

    /// Takes a toolset in, under a name that no other has.
    fn own(&mut self, toolset: Toolset) -> Result<usize> {
        let mut name = toolset.name.clone();
        let mut number = 2;
        while self.toolsets.iter().any(|(known, _)| *known == name) {
            name = format!("{}-{number}", toolset.name);
            number += 1;
        }
        self.toolsets.push((name, Arc::new((self.make)(toolset)?)));
        Ok(self.toolsets.len() - 1)
    }
}
