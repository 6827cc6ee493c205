//! Imports every file given and prints, for each kind, how much of it became tools, how long it
//! took and what was left out. `.jsonl` and `.jsonl.zst` files are read as a stream of lines.
//!
//! `cargo run --release -p gtm-tool --example import_stats -- [--compile] FILE...`

use gtm_tool::{Checker, Limits, import, import_lines};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::time::{Duration, Instant};

#[derive(Default)]
struct Totals {
    files: usize,
    failed: usize,
    operations: usize,
    tools: usize,
    compiled: usize,
    repaired: usize,
    times: Vec<Duration>,
}

fn main() {
    let limits = Limits::default();
    let compile = std::env::args().any(|arg| arg == "--compile");
    let mut totals: BTreeMap<String, Totals> = BTreeMap::new();
    let mut slowest: Vec<(Duration, String, usize)> = Vec::new();
    for path in std::env::args().skip(1).filter(|arg| arg != "--compile") {
        if path.ends_with(".jsonl") || path.ends_with(".jsonl.zst") {
            lines(&path, &limits, compile);
            continue;
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                println!("{path}: {error}");
                continue;
            }
        };
        let start = Instant::now();
        let result = import(&bytes, &limits);
        let took = start.elapsed();
        let kind = match &result {
            Ok(imported) => format!("{:?}", imported.format),
            Err(error) => format!("{:?}", error.code()),
        };
        let total = totals.entry(kind).or_default();
        total.files += 1;
        total.times.push(took);
        match result {
            Ok(imported) => {
                total.operations += imported.operations;
                total.tools += imported.tools.len();
                for skipped in &imported.skipped {
                    println!("{path}: {}: {}", skipped.operation, skipped.reason);
                }
                for tool in imported.tools.iter().filter(|_| compile) {
                    for schema in std::iter::once(&tool.parameters).chain(&tool.returns) {
                        match Checker::new(schema, &limits) {
                            Ok(checker) => {
                                total.compiled += 1;
                                total.repaired += usize::from(!checker.ignored().is_empty());
                            }
                            Err(error) => println!("{path}: {}: {error}", tool.name),
                        }
                    }
                }
                slowest.push((took, path, imported.operations));
            }
            Err(error) => {
                total.failed += 1;
                println!("{path}: {error}");
            }
        }
    }
    for (kind, mut total) in totals {
        total.times.sort();
        let at = |q: f64| total.times[((total.times.len() - 1) as f64 * q) as usize];
        println!(
            "{kind}: {} files ({} failed), {} of {} operations became tools; per file p50 {:?} max {:?}; {} schemas compiled, {} of them without some keyword",
            total.files,
            total.failed,
            total.tools,
            total.operations,
            at(0.5),
            at(1.0),
            total.compiled,
            total.repaired,
        );
    }
    slowest.sort();
    for (took, path, operations) in slowest.iter().rev().take(5) {
        println!("slowest: {took:?} {operations} operations {path}");
    }
    println!("peak memory: {}", peak_memory());
}

fn lines(path: &str, limits: &Limits, compile: bool) {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) => return println!("{path}: {error}"),
    };
    let start = Instant::now();
    let (mut bound, mut compiled, mut repaired, mut compiling) = (0, 0, 0, Duration::ZERO);
    let summary = import_lines(BufReader::with_capacity(1 << 17, file), limits, |line, tool| match tool {
        Ok(tool) => {
            bound += usize::from(tool.http.is_some());
            if compile {
                let start = Instant::now();
                for schema in std::iter::once(&tool.parameters).chain(&tool.returns) {
                    match Checker::new(schema, limits) {
                        Ok(checker) => {
                            compiled += 1;
                            repaired += usize::from(!checker.ignored().is_empty());
                        }
                        Err(error) => println!("{path}:{line}: {}: {error}", tool.name),
                    }
                }
                compiling += start.elapsed();
            }
        }
        Err(skipped) => println!("{path}:{line}: {}: {}", skipped.operation, skipped.reason),
    });
    match summary {
        Ok(summary) => println!(
            "{path}: {} lines, {} tools ({bound} over HTTP), {} left out, {:?}; {compiled} schemas compiled in {compiling:?}, {repaired} of them without some keyword; peak memory {}",
            summary.lines,
            summary.tools,
            summary.skipped,
            start.elapsed(),
            peak_memory(),
        ),
        Err(error) => println!("{path}: {error}"),
    }
}

/// Largest resident size so far, as Linux tells it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or("unknown");
    line.trim_start_matches("VmHWM:").trim().to_owned()
}
