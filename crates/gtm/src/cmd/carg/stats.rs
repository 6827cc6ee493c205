//! `gtm carg stats`: what packs amount to.

use crate::output::{Out, Result, Status};
use gtm_carg::catalogue::Catalogue;
use gtm_carg::stats::stats;
use std::path::PathBuf;

/// Count domains, areas, tools apart from style, near-duplicates, formulas and worked values
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pack files, or folders that are searched for *.yaml
    #[arg(default_value = "packs")]
    paths: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let catalogue = Catalogue::load(&args.paths)?;
    let stats = stats(catalogue.fields.iter().map(|field| (&*field.domain, field.plans.as_slice())));
    let mut out = Out::new();
    if args.json {
        out.json(&stats)?;
    } else {
        out.line(format!("{} domains in {} areas", stats.domains, stats.areas))?;
        out.line(format!(
            "{} tools, {} distinct, {:.2} % near-duplicates",
            stats.tools,
            stats.distinct_tools,
            100.0 * stats.near_duplicate_rate
        ))?;
        out.line(format!(
            "{} entities, {} operations and reports, {} simulators",
            stats.entities, stats.operations, stats.simulators
        ))?;
        out.line(format!("{} formulas, {} worked values", stats.formulas, stats.worked_values))?;
    }
    out.flush()?;
    Ok(Status::Done)
}
