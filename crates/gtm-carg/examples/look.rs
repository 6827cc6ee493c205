//! Prints sessions of the packs, to be read: `cargo run -p gtm-carg --example look -- PACKS FIRST COUNT [SPECS]`:
//! with specs, sessions are of these alone.

use gtm_carg::catalogue::Catalogue;
use gtm_carg::dataset::Config;
use gtm_carg::session::generate;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |at: usize, usual: u64| args.get(at).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let packs = vec![args.get(1).map_or("packs", String::as_str).into()];
    let specs = args.get(4).map(Into::into).into_iter().collect();
    let config = Config { packs, specs, seed: 7, spec_share: 1.0, ..Config::default() };
    let catalogue = Catalogue::of(&config).expect("sound packs");
    let recipe = catalogue.recipe(&config);
    for field in &catalogue.fields {
        println!("== {}: {} plans", field.domain.pack.domain, field.plans.len());
    }
    let start = std::time::Instant::now();
    let (first, count) = (number(2, 0), number(3, 3));
    let (mut turns, mut errors) = (0usize, 0usize);
    for at in first..first + count {
        let trace = match generate(&catalogue, &recipe, at) {
            Ok(trace) => trace,
            Err(error) => {
                println!("session {at}: {error}");
                continue;
            }
        };
        turns += trace.turns.len();
        errors += trace.turns.iter().filter(|turn| turn.is_error).count();
        if count > 20 {
            for turn in trace.turns.iter().filter(|turn| turn.error.as_deref() == Some("internal")) {
                println!(
                    "session {at}: INTERNAL {} {} -> {}",
                    turn.call.name, turn.call.arguments, turn.response
                );
            }
            continue;
        }
        println!("\n#### session {at} ({}): {} tools", trace.group, trace.tools.len());
        for tool in &trace.tools {
            println!("* {} -- {}\n    {}", tool.name, tool.description, tool.parameters);
        }
        for turn in &trace.turns {
            let mutation = turn.mutation.as_deref().map(|m| format!(" [{m}]")).unwrap_or_default();
            println!(
                "> {} {}{mutation}\n{} {}",
                turn.call.name,
                turn.call.arguments,
                if turn.is_error { "✗" } else { "<" },
                turn.response
            );
        }
        if let Some(task) = &trace.task {
            println!(
                "TASK {}\n  END {}",
                task.instruction,
                serde_json::to_string(&task.end_state).unwrap_or_default()
            );
        }
    }
    println!("{turns} turns, {errors} errors, {:?}", start.elapsed());
}
