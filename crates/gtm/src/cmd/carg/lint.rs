//! `gtm carg lint`: is a pack sound?

use crate::output::{Out, Result, Status};
use gtm_carg::lint::{Finding, Severity, lint};
use gtm_carg::pack;
use gtm_error::printable;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Check domain packs: schema, references, rules, lifecycles, formulas against worked values
///
/// The exit code is 1 if any pack has an error. Warnings are advice.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pack files, or folders that are searched for *.yaml
    #[arg(default_value = "packs")]
    paths: Vec<PathBuf>,
    /// Leave warnings out
    #[arg(long)]
    errors_only: bool,
    /// Print one line of JSON a pack: file, domain, area, counts, findings
    #[arg(long)]
    pub(super) json: bool,
}

/// What one file turned out to be.
struct Checked {
    pack: Option<pack::Pack>,
    findings: Vec<Finding>,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let mut out = Out::new();
    let (mut errors, mut warnings, mut packs, mut worked) = (0, 0, 0, 0);
    for file in pack::pack_files(&args.paths)? {
        let mut checked = check(&file);
        if args.errors_only {
            checked.findings.retain(|finding| finding.severity == Severity::Error);
        }
        packs += 1;
        errors += checked.findings.iter().filter(|f| f.severity == Severity::Error).count();
        warnings += checked.findings.iter().filter(|f| f.severity == Severity::Warning).count();
        worked += checked.pack.as_ref().map_or(0, worked_values);
        match args.json {
            true => json_line(&file, &checked, &mut out)?,
            false => show(&file, &checked, &mut out)?,
        }
    }
    if !args.json {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let text = format!(
            "{}: {}, {}; {} checked",
            count(packs, "pack"),
            count(errors, "error"),
            count(warnings, "warning"),
            count(worked, "worked value")
        );
        out.line(if errors == 0 { out.paint.good(&text) } else { out.paint.bad(&text) })?;
    }
    out.flush()?;
    Ok(if errors == 0 { Status::Done } else { Status::Findings })
}

fn check(file: &Path) -> Checked {
    match pack::load(file) {
        Ok(pack) => Checked { findings: lint(&pack, Some(file)), pack: Some(pack) },
        Err(error) => {
            let place =
                error.place().and_then(|place| place.split_once('#')).map_or("", |(_, pointer)| pointer);
            let expected = error.expectation().map(|e| format!("; expected {e}")).unwrap_or_default();
            let finding = Finding {
                severity: Severity::Error,
                place: place.to_owned(),
                message: format!("{}{expected}", error.message()),
            };
            Checked { pack: None, findings: vec![finding] }
        }
    }
}

fn worked_values(pack: &pack::Pack) -> usize {
    let formulas: usize = pack.formulas.values().map(|f| f.worked.len()).sum();
    formulas + pack.simulators.values().map(|s| s.worked.len()).sum::<usize>()
}

fn show(file: &Path, checked: &Checked, out: &mut Out) -> Result<()> {
    for finding in &checked.findings {
        let label = match finding.severity {
            Severity::Error => out.paint.bad("error"),
            Severity::Warning => out.paint.dim("warning"),
        };
        let place = format!("{}#{}", file.display(), finding.place);
        out.line(format!("{label}: {}: {}", printable(&place), printable(&finding.message)))?;
    }
    Ok(())
}

fn json_line(file: &Path, checked: &Checked, out: &mut Out) -> Result<()> {
    let counts = checked.pack.as_ref().map(|pack| {
        json!({
            "entities": pack.entities.len(), "singletons": pack.singletons.len(),
            "operations": pack.operations.len(), "reports": pack.reports.len(), "formulas": pack.formulas.len(),
            "simulators": pack.simulators.len(), "worked_values": worked_values(pack),
        })
    });
    out.json(&json!({
        "file": file.display().to_string(),
        "domain": checked.pack.as_ref().map(|pack| &pack.domain),
        "area": checked.pack.as_ref().map(|pack| &pack.area),
        "counts": counts,
        "findings": checked.findings,
    }))
}
