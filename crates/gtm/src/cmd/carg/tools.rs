//! `gtm carg tools`: what tools the packs give.

use crate::output::{Out, Result, Status};
use gtm_carg::catalogue::Catalogue;
use gtm_carg::rng::Rng;
use gtm_carg::style::{Names, Style, api_words, dress};
use gtm_error::printable;
use serde_json::json;
use std::path::PathBuf;

/// List the tools that packs give: one a line, or as specs in a style
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pack files, or folders that are searched for *.yaml
    #[arg(default_value = "packs")]
    paths: Vec<PathBuf>,
    /// Only tools of this domain
    #[arg(long)]
    domain: Option<String>,
    /// Dress the tools in the style of this seed
    #[arg(long, value_name = "SEED")]
    style: Option<u64>,
    /// Print one line of JSON a tool: domain, plan, family, and with --style spec and behavior
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let catalogue = Catalogue::load(&args.paths)?;
    let mut out = Out::new();
    for field in &catalogue.fields {
        let pack = &field.domain.pack;
        if args.domain.as_ref().is_some_and(|wanted| *wanted != pack.domain) {
            continue;
        }
        let mut rng = Rng::new(args.style.unwrap_or(0), &["tools", &pack.domain]);
        let style = Style::draw(&mut rng, &api_words(pack));
        let names = Names::new(&field.domain, &catalogue.vocabulary, &style, None, &mut rng);
        for plan in &field.plans {
            let dressed = args.style.map(|_| dress(plan, &names, &mut rng));
            if args.json {
                let mut line = json!({"domain": pack.domain, "plan": plan.key, "family": plan.family, "about": plan.about});
                if let Some(dressed) = &dressed {
                    line["spec"] = json!(dressed.spec);
                    line["behavior"] = json!(dressed.behavior);
                }
                out.json(&line)?;
                continue;
            }
            let (name, about) = match &dressed {
                Some(dressed) => (dressed.spec.name.clone(), dressed.spec.description.clone()),
                None => (plan.key.clone(), plan.about.clone()),
            };
            out.line(format!(
                "{}  {}  {}",
                out.paint.dim(&pack.domain),
                out.paint.name(&printable(&name)),
                printable(&about)
            ))?;
        }
    }
    out.flush()?;
    Ok(Status::Done)
}
