//! Task files: GTM's own lists, and those of others. What a file is, is told by what it holds.

mod bfcl;
mod carg;
mod python;
mod tau;

use crate::file::{Task, tasks_schema};
use gtm_error::{Code, Error, Result};
use gtm_sim::Toolset;
use gtm_sim::load::{read, read_document};
use gtm_tool::{Limits, parse_document};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

/// A task from a file.
#[derive(Clone, Debug)]
pub struct Source {
    /// The task.
    pub task: Task,
    /// Its own toolset, where the file has one for each task.
    pub toolset: Option<Toolset>,
}

impl Source {
    fn of(task: Task) -> Source {
        Source { task, toolset: None }
    }

    /// Whether a path is a dataset of executed sessions, or a part of one.
    pub fn is_dataset(path: &Path) -> bool {
        let part = || path.file_name().is_some_and(|name| carg::is_part(&name.to_string_lossy()));
        part() || path.join("dataset.json").is_file()
    }
}

/// Reads the tasks of a file or of a dataset's folder, at most `limit` of them.
///
/// # Errors
/// [`Code::FileUnreadable`], [`Code::EnvironmentInvalid`] with the place.
pub fn read_tasks(path: &Path, limit: usize) -> Result<Vec<Source>> {
    if path.is_dir() || Source::is_dataset(path) {
        return carg::read_dataset(path, limit);
    }
    let limits = Limits::default();
    let bytes = read(path, &limits)?;
    let records = records(&bytes, &limits).map_err(|e| e.in_file(path.display()))?;
    let answers = bfcl::answers_beside(path, &limits)?;
    let convert = || -> Result<Vec<Source>> {
        let first = records.first();
        let has = |key: &str| first.is_some_and(|record| record.get(key).is_some());
        if has("question") {
            return bfcl::tasks(&records, &answers);
        }
        if has("actions") || has("evaluation_criteria") {
            return tau::tasks(&records);
        }
        let list = Json::Array(records.clone());
        let tasks: Vec<Task> = read_document(&list, &tasks_schema(), Code::EnvironmentInvalid)?;
        Ok(tasks.into_iter().map(Source::of).collect())
    };
    let mut tasks = convert().map_err(|e| e.in_file(path.display()))?;
    tasks.truncate(limit);
    Ok(tasks)
}

/// The records of a file: the items of a list, of a list under `tasks`, or of JSON Lines.
fn records(bytes: &[u8], limits: &Limits) -> Result<Vec<Json>> {
    let document = match parse_document(bytes, limits) {
        Ok(document) => document,
        Err(error) => {
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            let records: Option<Vec<Json>> =
                lines.iter().map(|line| serde_json::from_str(line).ok().filter(Json::is_object)).collect();
            return records.filter(|records| !records.is_empty()).ok_or(error);
        }
    };
    let list = match document {
        Json::Object(mut object) => match object.remove("tasks") {
            Some(list) => list,
            // A file of JSON Lines that has one line.
            None => Json::Array(vec![Json::Object(object)]),
        },
        other => other,
    };
    match list {
        Json::Array(records) => Ok(records),
        _ => Err(Error::new(Code::EnvironmentInvalid, "the file holds no list of tasks")),
    }
}

fn text(record: &Json, key: &str) -> Option<String> {
    match record.get(key)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn invalid(what: impl Into<String>) -> Error {
    Error::new(Code::EnvironmentInvalid, what)
}

/// The same file in a folder called `possible_answer` beside it.
fn beside(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.join("possible_answer").join(path.file_name()?))
}
