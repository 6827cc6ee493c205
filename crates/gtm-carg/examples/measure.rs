//! Makes a dataset, verifies it and prints counts: `cargo run -p gtm-carg --example measure -- PACKS OUT SESSIONS JOBS`.

use gtm_carg::catalogue::Catalogue;
use gtm_carg::dataset::{self, Shard};
use gtm_carg::stats::stats;
use gtm_carg::verify::{Counters, verify};
use std::collections::HashMap;
use std::path::Path;

fn main() -> gtm_error::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let text = |at: usize, usual: &str| args.get(at).cloned().unwrap_or_else(|| usual.into());
    let number = |at: usize, usual: u64| args.get(at).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let catalogue = Catalogue::load(&[text(1, "packs").into()])?;
    println!("{:?}", stats(catalogue.fields.iter().map(|field| (&*field.domain, field.plans.as_slice()))));
    let start = std::time::Instant::now();
    let recipe = catalogue.recipe(1, number(3, 500));
    let folder = text(2, "dataset");
    let folder = Path::new(&folder);
    let counts = dataset::make(
        &catalogue.fields,
        &recipe,
        folder,
        number(4, 2) as usize,
        Shard { index: 0, of: 1 },
        &|_| {},
    )?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{counts:#?}\n{:.1} s, {:.0} pairs/s", seconds, counts.pairs as f64 / seconds);
    let mut counters = Counters::default();
    let (mut bad, mut tools, mut fields) = (0, HashMap::<String, u64>::new(), HashMap::<String, u64>::new());
    dataset::read(folder, |trace| {
        let violations = verify(&trace, &mut counters);
        bad += usize::from(!violations.is_empty());
        for tool in &trace.tools {
            *tools.entry(tool.name.clone()).or_default() += 1;
            for schema in [Some(&tool.parameters), tool.returns.as_ref()].into_iter().flatten() {
                for name in schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
                    *fields.entry(name.clone()).or_default() += 1;
                }
            }
        }
        Ok(())
    })?;
    let most = |names: &HashMap<String, u64>| {
        let mut names: Vec<(&String, &u64)> = names.iter().collect();
        names.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
        names
            .into_iter()
            .take(8)
            .map(|(name, count)| format!("{name} {count}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    println!("verify: {bad} bad sessions");
    println!(
        "{} tool names (most: {}), {} parameter and field names (most: {})",
        tools.len(),
        most(&tools),
        fields.len(),
        most(&fields)
    );
    Ok(())
}
