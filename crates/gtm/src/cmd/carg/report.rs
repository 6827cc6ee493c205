//! `gtm carg report`: one page about a dataset.

use crate::output::{Out, Result, Status, note};
use gtm_carg::catalogue::Catalogue;
use gtm_carg::dataset;
use gtm_carg::report::{Real, Report};
use gtm_error::{Code, Error};
use gtm_tool::{Limits, import, import_lines};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Show what a dataset is made of, how it compares with real tools, and sessions to read
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the dataset
    dataset: PathBuf,
    /// Real tools and recorded sessions to compare with: spec files, *.jsonl or *.jsonl.zst, or folders of them
    #[arg(long, value_name = "PATH", num_args = 1..)]
    specs: Vec<PathBuf>,
    /// Packs, which tell the areas that domains are in
    #[arg(long, default_value = "packs")]
    packs: PathBuf,
    /// Write the page here
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let mut report = Report::default();
    dataset::read(&args.dataset, |trace| {
        report.see(trace);
        Ok(())
    })?;
    for (reason, sessions) in dataset::dropped(&args.dataset)? {
        report.drop(&reason, sessions);
    }
    let mut real = Real::default();
    for path in &args.specs {
        compare_with(path, &mut real)?;
    }
    let figures = report.to_json(&mut real);
    let mut out = Out::new();
    if args.json {
        out.json(&figures)?;
    } else {
        out.line(format!(
            "{} sessions, {} pairs, {} names of tools",
            figures["sessions"], figures["pairs"], figures["tool_names"]
        ))?;
        for (of, bits) in report.divergences(&real) {
            if let Some(bits) = bits {
                out.line(format!("  {:<24} divergence from real {bits:.3}", of.title()))?;
            }
        }
    }
    if let Some(path) = &args.html {
        let page = report.html(&mut real, &areas(&args.packs));
        std::fs::write(path, page).map_err(|e| {
            Error::new(Code::StorageFailed, format!("cannot write the page: {e}")).in_file(path.display())
        })?;
        note(&format!("written: {}", path.display()));
    }
    out.flush()?;
    Ok(Status::Done)
}

/// Areas by domain; none if there are no packs.
fn areas(packs: &Path) -> BTreeMap<String, String> {
    let Ok(catalogue) = Catalogue::load(&[packs.to_owned()]) else { return BTreeMap::new() };
    let packs = catalogue.fields.iter().map(|field| &field.domain.pack);
    packs.map(|pack| (pack.domain.clone(), pack.area.clone())).collect()
}

/// A recorded session, as far as it is looked at.
#[derive(Deserialize)]
struct Recorded {
    turns: Vec<RecordedTurn>,
}

#[derive(Deserialize)]
struct RecordedTurn {
    response: Json,
    #[serde(default)]
    is_error: bool,
}

fn compare_with(path: &Path, real: &mut Real) -> Result<()> {
    let unreadable =
        |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
            .map_err(unreadable)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()
            .map_err(unreadable)?;
        entries.sort();
        for entry in entries {
            let name = entry.to_string_lossy();
            let fits =
                [".jsonl", ".jsonl.zst", ".json", ".yaml", ".yml"].iter().any(|end| name.ends_with(end));
            if entry.is_dir() || fits {
                compare_with(&entry, real)?;
            }
        }
        return Ok(());
    }
    let name = path.to_string_lossy();
    if !(name.ends_with(".jsonl") || name.ends_with(".jsonl.zst")) {
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let imported = import(&bytes, &Limits::default()).map_err(|e| e.in_file(path.display()))?;
        imported.tools.iter().for_each(|tool| real.tool(tool));
        return Ok(());
    }
    let open = || File::open(path).map(BufReader::new).map_err(unreadable);
    let first =
        lines(open()?).map_err(unreadable)?.next().transpose().map_err(unreadable)?.unwrap_or_default();
    if serde_json::from_str::<Recorded>(&first).is_err() {
        import_lines(open()?, &Limits::default(), |_, tool| {
            if let Ok(tool) = tool {
                real.tool(&tool);
            }
        })
        .map_err(|e| e.in_file(path.display()))?;
        return Ok(());
    }
    for line in lines(open()?).map_err(unreadable)? {
        let line = line.map_err(unreadable)?;
        let session: Recorded = serde_json::from_str(&line)
            .map_err(|e| Error::new(Code::RecordingInvalid, e.to_string()).in_file(path.display()))?;
        session.turns.iter().for_each(|turn| real.reply(&turn.response, turn.is_error));
    }
    Ok(())
}

/// Lines of a file, plain or compressed.
fn lines(mut reader: BufReader<File>) -> std::io::Result<Box<dyn Iterator<Item = std::io::Result<String>>>> {
    let packed = reader.fill_buf()?.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    Ok(match packed {
        true => Box::new(BufReader::new(zstd::stream::read::Decoder::with_buffer(reader)?).lines()),
        false => Box::new(reader.lines()),
    })
}
