//! Reading toolsets: a toolset file, any spec file, or a folder of spec files.

use crate::names;
use crate::recording::{Recording, read_recordings};
use crate::toolset::{Toolset, ToolsetFile, WorldKind};
use gtm_error::{Code, Error, Result, printable};
use gtm_tool::{Checker, Limits, ToolSpec, Violation, import, parse_document};
use gtm_world::Behaviors;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map as JsonMap, Value as Json, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most files read from one folder.
const MAX_FILES: usize = 10_000;

/// Extensions that a folder is searched for.
const EXTENSIONS: [&str; 5] = ["json", "yaml", "yml", "jsonl", "zst"];

/// Keys by which a toolset file is told from a spec; `tools` and `name` alone are no sign, since
/// lists of tools have them too.
const OWN_KEYS: [&str; 19] = [
    "specs",
    "behaviors",
    "learned",
    "unknown_tool",
    "otherwise",
    "collections",
    "envelope",
    "state",
    "state_file",
    "world",
    "seed",
    "instructions",
    "clock",
    "arguments",
    "faults",
    "recordings",
    "live",
    "limits",
    "$schema",
];

impl Toolset {
    /// Reads a toolset file, any file that tool specs can be imported from, or a folder of these.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`], [`Code::ToolsetInvalid`] with the place and, for an unknown key,
    /// the nearest known one, [`Code::DuplicateTool`], [`Code::TooManyTools`], and whatever
    /// importing a spec or compiling a behavior fails with.
    pub fn load(path: &Path) -> Result<Toolset> {
        let limits = Limits::default();
        if path.is_dir() {
            let mut tools = Vec::new();
            for file in spec_files(path)? {
                tools.push(import_file(&file, &limits)?);
            }
            return Ok(Toolset::from_tools(stem(path), join(tools, &limits)?));
        }
        let bytes = read(path, &limits)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Toolset::read(&bytes, folder, &stem(path)).map_err(|e| e.in_file(path.display()))
    }

    /// Reads a toolset file or any spec that tools can be imported from, as [`Toolset::load`] does.
    /// Paths in a toolset are relative to `folder`; `name` is for one that has none of its own.
    ///
    /// # Errors
    /// As [`Toolset::load`].
    pub fn read(bytes: &[u8], folder: &Path, name: &str) -> Result<Toolset> {
        let limits = Limits::default();
        match toolset_document(bytes, &limits) {
            Some(document) => from_document(document, folder, name),
            None => {
                let imported = import(bytes, &limits)?;
                Ok(Toolset::from_tools(name, join(vec![imported.tools], &limits)?))
            }
        }
    }

    /// Reads the text of a toolset file whose paths are relative to `folder`.
    ///
    /// # Errors
    /// As [`Toolset::load`].
    pub fn parse(text: impl AsRef<[u8]>, folder: &Path) -> Result<Toolset> {
        from_document(parse_document(text, &Limits::default())?, folder, "toolset")
    }
}

/// The document, if it is a toolset file and not a spec.
fn toolset_document(bytes: &[u8], limits: &Limits) -> Option<Json> {
    let document = parse_document(bytes, limits).ok()?;
    let object = document.as_object()?;
    let spec = ["openapi", "swagger", "info", "paths"].iter().any(|key| object.contains_key(*key));
    let own = OWN_KEYS.iter().any(|key| object.contains_key(*key));
    (own && !spec).then_some(document)
}

fn from_document(document: Json, folder: &Path, name: &str) -> Result<Toolset> {
    let file = toolset_file(&document)?;
    let limits = &file.limits.tool;
    let mut sources = Vec::new();
    if !file.tools.is_empty() {
        let list = serde_json::to_vec(&json!({"tools": file.tools})).unwrap_or_default();
        let imported = import(&list, limits).map_err(|e| e.at("/tools"))?;
        // In a file that the user wrote, a tool that cannot be used is a mistake, not bad luck.
        if let Some(skipped) = imported.skipped.first() {
            let what = format!("the tool `{}` cannot be used: {}", skipped.operation, skipped.reason);
            return Err(Error::new(Code::ToolsetInvalid, what).at("/tools"));
        }
        sources.push(imported.tools);
    }
    for (at, spec) in file.specs.iter().enumerate() {
        let path = folder.join(spec);
        let files = if path.is_dir() { spec_files(&path) } else { Ok(vec![path]) };
        for path in files.map_err(|e| e.at(format!("/specs/{at}")))? {
            sources.push(import_file(&path, limits)?);
        }
    }
    let mut recordings = Vec::new();
    for (at, path) in file.recordings.iter().enumerate() {
        recordings.extend(read_recordings(&folder.join(path)).map_err(|e| match e.place() {
            Some(_) => e,
            None => e.at(format!("/recordings/{at}")),
        })?);
    }
    if sources.is_empty() && !recordings.is_empty() {
        sources.push(recorded_tools(&recordings, limits)?);
    }
    let given = file.state.is_some() || file.state_file.is_some();
    let state = match (file.state, &file.state_file) {
        (Some(_), Some(_)) => {
            return Err(Error::new(Code::ToolsetInvalid, "both `state` and `state_file` are given")
                .at("/state_file")
                .expected("one of them"));
        }
        (Some(state), None) => Json::Object(state),
        (None, Some(path)) => read_state(&folder.join(path), limits)?,
        (None, None) => Json::Object(JsonMap::new()),
    };
    let tools = join(sources, limits)?;
    let known: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    for (at, live) in file.live.iter().enumerate() {
        live.check(&known).map_err(|e| e.at(format!("/live/{at}")))?;
    }
    let learned = match &file.learned {
        Some(path) => read_learned(&folder.join(path), limits).map_err(|e| e.at("/learned"))?,
        None => Behaviors::default(),
    };
    Ok(Toolset {
        name: file.name.unwrap_or_else(|| name.to_owned()),
        description: file.description,
        tools,
        specs: file.specs,
        state,
        state_file: file.state_file,
        world: file.world.unwrap_or(if given { WorldKind::Closed } else { WorldKind::Open }),
        seed: file.seed,
        instructions: file.instructions,
        clock: file.clock,
        arguments: file.arguments,
        behaviors: Behaviors {
            collections: file.collections,
            envelope: file.envelope,
            unknown_tool: file.unknown_tool,
            otherwise: file.otherwise,
            behaviors: file.behaviors,
        },
        learned,
        learned_file: file.learned,
        faults: file.faults,
        recording_files: file.recordings,
        recordings,
        live: file.live,
        limits: file.limits,
    })
}

/// The tools that recorded sessions had. Of several specs under one name the newest counts.
fn recorded_tools(recordings: &[Recording], limits: &Limits) -> Result<Vec<ToolSpec>> {
    let mut order = Vec::new();
    let mut newest = HashMap::new();
    for tool in recordings.iter().flat_map(|recording| &recording.tools) {
        let name = tool.get("name").and_then(Json::as_str).unwrap_or_default();
        if newest.insert(name, tool).is_none() {
            order.push(name);
        }
    }
    if order.is_empty() {
        let what = "neither specs nor recorded tools are given";
        return Err(Error::new(Code::ToolsetInvalid, what).at("/recordings").expected("`specs` or `tools`"));
    }
    let tools: Vec<&Json> = order.iter().filter_map(|name| newest.get(name).copied()).collect();
    let list = serde_json::to_vec(&json!({ "tools": tools })).unwrap_or_default();
    Ok(import(&list, limits).map_err(|e| e.at("/recordings"))?.tools)
}

fn toolset_file(document: &Json) -> Result<ToolsetFile> {
    read_document(document, &Toolset::json_schema(), Code::ToolsetInvalid)
}

/// Reads a document that a user wrote. It is checked against its own JSON Schema first: that names the
/// place of a mistake, and the nearest key or word that is allowed there, which a deserialiser does not.
///
/// # Errors
/// `code`, with the place.
pub fn read_document<T: DeserializeOwned>(document: &Json, schema: &Json, code: Code) -> Result<T> {
    let checker = Checker::new(schema, &Limits::default())?;
    checker.check(document).map_err(|violation| mistake(schema, document, violation, code))?;
    T::deserialize(document).map_err(|e| Error::new(code, e.to_string().trim_end_matches('.').to_owned()))
}

/// What is wrong with the document, in the words of the format.
fn mistake(schema: &Json, document: &Json, violation: Violation, code: Code) -> Error {
    let invalid = |what: String| Error::new(code, what);
    let near_or_all = |error: Error, word: &str, known: Vec<String>| match names::nearest(
        word,
        known.iter().map(String::as_str),
    )
    .first()
    {
        Some(near) => error.expected(format!("perhaps `{near}`")),
        None => error.expected(format!("one of `{}`", known.join("`, `"))),
    };
    if let Some(key) = &violation.unexpected {
        let known = names::known_keys(schema, document, &violation.path);
        let error = near_or_all(invalid(format!("unknown key `{}`", printable(key))), key, known);
        return error.at(format!("{}/{}", violation.path, names::escape(key)));
    }
    let place = if violation.path.is_empty() { "/" } else { &violation.path };
    let choices = names::node_at(schema, document, &violation.path).map(|node| names::choices(schema, node));
    let word = document.pointer(&violation.path).and_then(Json::as_str);
    if let (Some(word), Some(known)) = (word, choices.filter(|known| !known.is_empty())) {
        return near_or_all(
            invalid(format!("`{}` is none of the words allowed here", printable(word))),
            word,
            known,
        )
        .at(place);
    }
    // The checker speaks of arguments, since that is what it checks most.
    invalid(violation.message.replace("argument `", "`").replace("the arguments", "the document"))
        .expected(violation.expected)
        .at(place)
}

fn read_state(path: &Path, limits: &Limits) -> Result<Json> {
    let state = parse_document(read(path, limits)?, limits).map_err(|e| e.in_file(path.display()))?;
    match state {
        Json::Object(_) => Ok(state),
        other => {
            let what = format!("the state is of type {}", gtm_tool::schema::type_of(&other));
            Err(Error::new(Code::StateInvalid, what).in_file(path.display()).expected("an object"))
        }
    }
}

fn read_learned(path: &Path, limits: &Limits) -> Result<Behaviors> {
    let document = parse_document(read(path, limits)?, limits).map_err(|e| e.in_file(path.display()))?;
    Behaviors::deserialize(document).map_err(|e| {
        let what = e.to_string().trim_end_matches('.').to_owned();
        Error::new(Code::BehaviorInvalid, what).in_file(path.display())
    })
}

fn import_file(path: &Path, limits: &Limits) -> Result<Vec<ToolSpec>> {
    let bytes = read(path, limits)?;
    Ok(import(&bytes, limits).map_err(|e| e.in_file(path.display()))?.tools)
}

/// Reads a whole file of at most `limits.document_bytes`.
///
/// # Errors
/// [`Code::FileUnreadable`], [`Code::SpecTooLarge`].
pub fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let unreadable =
        |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
    let mut bytes = Vec::new();
    let max = limits.document_bytes as u64;
    File::open(path)
        .map_err(unreadable)?
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > max {
        return Err(Error::new(Code::SpecTooLarge, format!("the file is larger than {max} bytes"))
            .in_file(path.display())
            .expected(format!("at most {max} bytes (`limits.tool.document_bytes`)")));
    }
    Ok(bytes)
}

/// Files of a folder that may hold specs, by name; hidden ones are left out.
fn spec_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable =
        |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if !hidden && EXTENSIONS.contains(&&*extension) && path.is_file() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(Error::new(
                Code::SpecTooLarge,
                format!("the folder holds more than {MAX_FILES} files"),
            )
            .in_file(folder.display()));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::new(Code::FileUnreadable, "the folder holds no spec files")
            .in_file(folder.display())
            .expected(format!("files named *.{}", EXTENSIONS.join(", *."))));
    }
    Ok(files)
}

/// The name that a file or folder gives to what it holds.
pub fn stem(path: &Path) -> String {
    let name = path.file_stem().or(path.file_name()).unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".jsonl").trim_end_matches(".toolset");
    if name.is_empty() { "toolset".into() } else { name.to_owned() }
}

/// One list of the tools of all specs. Names that occur in several specs get the name of their API
/// in front; the same tool given twice counts once.
fn join(specs: Vec<Vec<ToolSpec>>, limits: &Limits) -> Result<Vec<ToolSpec>> {
    let count: usize = specs.iter().map(Vec::len).sum();
    if count > limits.tools {
        return Err(Error::new(Code::TooManyTools, format!("{count} tools"))
            .expected(format!("at most {} (`limits.tool.tools`)", limits.tools)));
    }
    names::join(specs)
}
