//! Published specs as they are: no panics, and nearly all of them become tools.

mod common;

use gtm_tool::{Checker, Limits, import, import_lines};
use std::io::BufReader;
use std::time::{Duration, Instant};

#[test]
fn published_documents() {
    let Some(files) = common::unpack("raw-specs.tar.zst") else { return };
    let limits = Limits::default();
    let (mut documents, mut failed, mut operations, mut tools, mut schemas) = (0, 0, 0, 0, 0);
    let mut times: Vec<(Duration, String)> = Vec::new();
    for (name, bytes) in files {
        documents += 1;
        let start = Instant::now();
        let result = import(&bytes, &limits);
        times.push((start.elapsed(), name.clone()));
        match result {
            Ok(imported) => {
                assert_eq!(imported.operations, imported.tools.len() + imported.skipped.len(), "{name}");
                operations += imported.operations;
                tools += imported.tools.len();
                for skipped in &imported.skipped {
                    println!("{name}: {}: {}", skipped.operation, skipped.reason);
                    assert!(skipped.reason.starts_with("[GTM"), "a reason has a code");
                }
                let mut names: Vec<_> = imported.tools.iter().map(|t| &t.name).collect();
                names.sort();
                names.dedup();
                assert_eq!(names.len(), imported.tools.len(), "{name}: names are unique");
                for tool in &imported.tools {
                    let replies =
                        tool.returns.iter().chain(tool.errors.iter().filter_map(|e| e.schema.as_ref()));
                    for schema in std::iter::once(&tool.parameters).chain(replies) {
                        schemas += 1;
                        Checker::new(schema, &limits)
                            .unwrap_or_else(|e| panic!("{name}: {}: {e}", tool.name));
                    }
                }
            }
            Err(error) => {
                failed += 1;
                println!("{name}: {error}");
            }
        }
    }
    times.sort();
    println!(
        "{documents} documents, {failed} failed; {tools} of {operations} operations became tools; {schemas} schemas compiled; import p50 {:?}, max {:?}",
        times[times.len() / 2].0,
        times.last(),
    );
    assert!(documents > 300 && failed == 0, "{failed} of {documents} failed");
    assert!(tools * 1_000 >= operations * 995, "{tools} of {operations}");
}

#[test]
fn catalogues_of_tools() {
    for (name, expected) in [("tools.dev.jsonl.zst", 2_695), ("tools.train.jsonl.zst", 70_996)] {
        let Some(path) = common::shared(name) else { continue };
        let file = std::fs::File::open(path).expect("a file just seen opens");
        let start = Instant::now();
        let mut compiled = 0;
        let summary = import_lines(BufReader::new(file), &Limits::default(), |line, tool| {
            let tool = tool.unwrap_or_else(|skipped| panic!("{name}:{line}: {}", skipped.reason));
            // Compiling all takes long in a debug build; every twentieth shows as much.
            if line % 20 == 0 {
                compiled += 1;
                Checker::new(&tool.parameters, &Limits::default())
                    .unwrap_or_else(|e| panic!("{name}:{line}: {e}"));
            }
        })
        .expect("readable");
        println!(
            "{name}: {} tools of {} lines in {:?}, {compiled} compiled",
            summary.tools,
            summary.lines,
            start.elapsed()
        );
        assert_eq!((summary.lines, summary.tools), (expected, expected));
    }
}

#[test]
fn the_tools_of_sessions() {
    let suites = [
        "acebench_agent",
        "api_bank",
        "bfcl_multi_turn",
        "bfcl_rest_logs",
        "http_github_logs",
        "tau2_banking",
        "tau_retail",
        "toolbench_logs",
    ];
    for suite in suites {
        let Some(path) = common::shared(&format!("sessions.{suite}.jsonl.zst")) else { continue };
        let file = std::fs::File::open(path).expect("a file just seen opens");
        let mut reader = BufReader::new(zstd::stream::read::Decoder::new(file).expect("zstd"));
        let (mut line, mut sessions, mut tools) = (String::new(), 0, 0);
        while std::io::BufRead::read_line(&mut reader, &mut line).expect("text") > 0 && sessions < 100 {
            let session: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            let imported =
                import(session["tools"].to_string().as_bytes(), &Limits::default()).expect("tools");
            assert_eq!(imported.skipped, [], "{suite}");
            for tool in &imported.tools {
                Checker::new(&tool.parameters, &Limits::default())
                    .unwrap_or_else(|e| panic!("{suite}: {}: {e}", tool.name));
            }
            tools += imported.tools.len();
            sessions += 1;
            line.clear();
        }
        println!("{suite}: {tools} tools of {sessions} sessions");
    }
}
