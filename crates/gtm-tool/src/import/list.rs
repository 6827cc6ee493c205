//! Documents that are lists of tools, in whichever format each entry is.

use super::common::Names;
use super::detect::{self, Entry};
use super::{Imported, Skipped, bfcl, gtm, mcp, openai, toolbench};
use crate::Limits;
use crate::document::{self, Duplicates};
use crate::spec::{Format, ToolSpec};
use gtm_error::{Code, Error, Result};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The entries of a document that [`detect::document`] called a list.
pub(super) fn items(document: Value) -> Vec<Value> {
    match document {
        Value::Array(list) => list,
        Value::Object(map) if detect::entry(&map).is_some() => vec![Value::Object(map)],
        Value::Object(mut map) => {
            if let Some(Value::Object(result)) = map.remove("result") {
                map = result;
            }
            match detect::WRAPPERS.iter().find_map(|key| map.remove(*key).filter(Value::is_array)) {
                Some(Value::Array(list)) => list,
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

pub(super) fn import(items: Vec<Value>, format: Format, limits: &Limits) -> Result<Imported> {
    let mut collector = Collector::new(limits);
    for (i, item) in items.into_iter().enumerate() {
        collector.add(item, &format!("entry {}", i + 1))?;
    }
    Ok(collector.finish(format))
}

/// A document of one JSON object a line.
pub(super) fn import_lines_document(lines: Vec<(usize, &str)>, limits: &Limits) -> Result<Imported> {
    let mut collector = Collector::new(limits);
    let mut format = None;
    for (number, line) in lines {
        let place = format!("line {number}");
        match document::parse_json(line, limits, Duplicates::KeepLast) {
            Ok(item) => {
                if format.is_none() {
                    format = item.as_object().and_then(detect::entry).map(Entry::format);
                }
                collector.add(item, &place)?;
            }
            Err(error) => collector.skip(&place, &error.at(&place)),
        }
    }
    match format {
        Some(format) => Ok(collector.finish(format)),
        None => {
            Err(Error::new(Code::SpecFormatUnknown, "none of the lines is a known kind of tool").at("line 1"))
        }
    }
}

/// The tools that one entry holds; names as given. `Err` carries the tool's name where known.
pub(super) fn tools(item: Value, limits: &Limits) -> Vec<std::result::Result<ToolSpec, (String, Error)>> {
    let Value::Object(map) = item else {
        return vec![Err((String::new(), Error::new(Code::SpecMalformed, "the entry is not an object")))];
    };
    match detect::entry(&map) {
        Some(Entry::BfclTask) => bfcl::task(map, limits),
        Some(Entry::ToolbenchTool) => toolbench::tool(map, limits),
        Some(entry) => vec![one(map, entry, limits)],
        None => {
            let name = super::common::text(&map, "name").to_owned();
            vec![Err((name, Error::new(Code::SpecFormatUnknown, "the entry is no known kind of tool")))]
        }
    }
}

pub(super) fn one(
    map: Map<String, Value>,
    entry: Entry,
    limits: &Limits,
) -> std::result::Result<ToolSpec, (String, Error)> {
    let name = match map.get("function") {
        Some(Value::Object(function)) => super::common::text(function, "name"),
        _ => super::common::text(&map, "name"),
    }
    .to_owned();
    let tool = match entry {
        Entry::Mcp => mcp::tool(map, limits),
        Entry::OpenaiChat | Entry::OpenaiResponses => openai::tool(map, limits),
        Entry::Bfcl | Entry::BfclTask => bfcl::tool(map, limits),
        Entry::ToolbenchTool | Entry::ToolbenchApi => toolbench::api(map, "", limits),
        Entry::Gtm => gtm::tool(map, limits),
    };
    tool.map_err(|error| (name, error))
}

struct Collector<'a> {
    limits: &'a Limits,
    names: Names,
    /// Index of the first tool of each given name, to tell a repetition from another tool.
    given: HashMap<String, usize>,
    imported: Imported,
}

impl<'a> Collector<'a> {
    fn new(limits: &'a Limits) -> Self {
        let imported =
            Imported { format: Format::Gtm, operations: 0, tools: Vec::new(), skipped: Vec::new() };
        Self { limits, names: Names::default(), given: HashMap::new(), imported }
    }

    fn add(&mut self, item: Value, place: &str) -> Result<()> {
        for tool in tools(item, self.limits) {
            match tool {
                Ok(tool) => self.tool(tool),
                Err((name, error)) => {
                    let operation =
                        if name.is_empty() { place.to_owned() } else { format!("{name} ({place})") };
                    self.skip(&operation, &error);
                }
            }
            if self.imported.operations > self.limits.tools {
                return Err(Error::new(Code::SpecTooLarge, "the document holds too many tools")
                    .expected(format!("at most {} (`limits.tools`)", self.limits.tools)));
            }
        }
        Ok(())
    }

    fn tool(&mut self, mut tool: ToolSpec) {
        // Suites repeat a function in every task that offers it.
        if let Some(&first) = self.given.get(&tool.name)
            && same(&self.imported.tools[first], &tool)
        {
            return;
        }
        self.imported.operations += 1;
        self.given.entry(tool.name.clone()).or_insert(self.imported.tools.len());
        tool.name = self.names.unique(std::mem::take(&mut tool.name), self.limits.name_chars);
        self.imported.tools.push(tool);
    }

    fn skip(&mut self, operation: &str, error: &Error) {
        self.imported.operations += 1;
        self.imported.skipped.push(Skipped::new(operation, error));
    }

    fn finish(mut self, format: Format) -> Imported {
        self.imported.format = format;
        self.imported
    }
}

fn same(a: &ToolSpec, b: &ToolSpec) -> bool {
    a.name == b.name
        && a.parameters == b.parameters
        && a.description == b.description
        && a.returns == b.returns
        && a.origin == b.origin
}
