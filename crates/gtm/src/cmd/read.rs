//! `gtm read`: what the tools do, as YAML that the user may edit and use as a toolset.

use crate::mind::ModelFlag;
use crate::output::{self, Out, Result, Status};
use crate::source::{Live, Source};
use crate::{suggest, yaml};
use gtm_error::printable;
use gtm_sim::{Simulator, Toolset};
use gtm_world::behavior::Collection;
use gtm_world::{Behavior, Behaviors};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Print what the tools do, as YAML to edit
///
/// What is printed is a toolset file: save it, edit it, and give it where a toolset is asked for.
/// What it says wins over what GTM would read from the spec.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Toolset: spec file, folder, toolset file, or address
    toolset: Option<String>,
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    model: ModelFlag,
    /// Only this tool, with the collections it uses; may be repeated
    #[arg(long, value_name = "NAME")]
    tool: Vec<String>,
    /// Write the tool specs into the output, so that it stands alone; live servers are always written out
    #[arg(long)]
    inline: bool,
    /// Print JSON instead of YAML, directly answered tools included
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let source = args.live.one(args.toolset.as_deref())?;
    let simulator = args.model.simulator(source.load(&args.live)?)?;
    let wanted = wanted(&simulator, &args.tool)?;
    let mut reading = simulator.reading().clone();
    if !args.tool.is_empty() {
        reading.behaviors.retain(|name, _| wanted.contains(name.as_str()));
        reading.collections = used(&reading);
    }
    let mut out = Out::new();
    if args.json {
        let mut reading = json!(reading);
        if args.model.is_given() {
            reading["confidence"] = json!(sure(&simulator, &wanted));
        }
        out.json(&reading)?;
    } else {
        let text = text(&source, &simulator, reading, args.inline)?;
        out.line(text.trim_end())?;
        for (tool, confidence) in sure(&simulator, &wanted) {
            out.line(format!("# {} was read by the model (confidence {confidence:.2}).", printable(tool)))?;
        }
    }
    out.flush()?;
    Ok(Status::Done)
}

/// The names given, if they all exist; else all.
fn wanted<'a>(simulator: &'a Simulator, names: &'a [String]) -> Result<BTreeSet<&'a str>> {
    for name in names {
        if simulator.tool(name).is_none() {
            let near = suggest::near(name, simulator.tools().iter().map(|t| t.name.as_str()));
            let near: Vec<_> = near.iter().map(|n| printable(n)).collect();
            let error = output::usage(format!("there is no tool `{name}`"));
            return Err(match near.is_empty() {
                true => error.hint("list the tools with `gtm tools`"),
                false => error.hint(format!("did you mean {}?", near.join(", "))),
            }
            .into());
        }
    }
    Ok(names.iter().map(String::as_str).collect())
}

/// How sure the model is of the tools that it read.
fn sure<'a>(simulator: &Simulator, tools: &BTreeSet<&'a str>) -> BTreeMap<&'a str, f64> {
    tools.iter().filter_map(|tool| Some((*tool, simulator.confidence(tool)?))).collect()
}

/// The collections whose names occur in the behaviors. A name that occurs by chance does no harm:
/// the collection is then declared as it would have been anyway.
fn used(reading: &Behaviors) -> BTreeMap<String, Collection> {
    let text = json!(reading.behaviors).to_string();
    let mut used = reading.collections.clone();
    used.retain(|name, _| text.contains(name.as_str()));
    used
}

fn text(source: &Source, simulator: &Simulator, mut reading: Behaviors, inline: bool) -> Result<String> {
    let direct: Vec<(String, Behavior)> = reading.behaviors.extract_if(.., |_, b| b.direct).collect();
    let toolset = simulator.toolset();
    let alone = inline || source.path().is_none();
    // A toolset file has all else already; only the parts to be put into it are printed.
    let parts_only = !alone && *toolset != Toolset::from_tools(toolset.name.clone(), toolset.tools.clone());
    let mut document = Map::new();
    let mut out = format!("# What GTM understands of {}.\n", printable(&source.to_string()));
    if parts_only {
        out.push_str(
            "# To change it, put these parts into the toolset and edit them: what the toolset says wins.\n",
        );
    } else {
        out.push_str("# This is a toolset. To change what the tools do, save it, edit it, and use it in place of the\n");
        out.push_str("# spec. What you leave out is read from the spec as before.\n");
        match source.path().filter(|_| !alone) {
            Some(path) => {
                out.push_str("# `specs` are paths relative to the file that you save this in.\n");
                document.insert("name".into(), toolset.name.clone().into());
                document.insert("specs".into(), json!([path.to_string_lossy()]));
            }
            None => document = members(toolset.to_file()),
        }
    }
    out.push_str(
        "# docs/behaviors.md describes the language; `gtm schema toolset` prints its JSON Schema.\n",
    );
    if !direct.is_empty() {
        out.push_str("#\n# No behavior was found for these. Their replies are made from the return schema and the call:\n");
        for (name, behavior) in &direct {
            let note =
                behavior.note.as_deref().map(|note| format!(": {}", printable(note))).unwrap_or_default();
            out.push_str(&format!("#   {}{note}\n", printable(name)));
        }
    }
    document.extend(members(reading));
    out.push_str(&yaml::block(&Value::Object(document)));
    Ok(out)
}

fn members(value: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
