//! `gtm tools`: what was understood, what was not, and why.

use crate::common::{file, folder, petstore, run, shared};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const KEYS: [&str; 6] = ["file", "format", "operations", "tools", "skipped", "error"];

#[test]
fn a_spec_gives_one_line_of_json() {
    let report = run(&["tools", &petstore(), "--json"]).json();
    assert_eq!(report.as_object().expect("an object").keys().collect::<Vec<_>>(), KEYS);
    assert_eq!(report["file"], petstore());
    assert_eq!(report["format"], "openapi-3.0");
    assert_eq!(report["operations"], 16);
    assert_eq!(report["tools"], 16);
    assert_eq!(report["skipped"], json!([]));
    assert_eq!(report["error"], Value::Null);
}

#[test]
fn people_get_names_and_descriptions() {
    let ran = run(&["tools", &petstore()]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("openapi-3.0  16 operations, 16 tools"), "{}", ran.out);
    let line =
        ran.out.lines().find(|line| line.trim_start().starts_with("createPet ")).expect("a line of its own");
    assert!(line.contains("Add a pet"), "{line}");
}

#[test]
fn a_bad_file_costs_only_itself() {
    let folder = folder();
    file(&folder, "a.json", r#"{"tools": [{"name": "f", "inputSchema": {"type": "object"}}]}"#);
    file(&folder, "b.yaml", "openapi: 3.0.0\npaths: [");
    file(&folder, "c.json", "{\"neither\": 1}");
    file(&folder, "d.jsonl", "{\"name\": \"g\", \"parameters\": {\"type\": \"object\"}}\nnot json\n");
    file(&folder, "ignored.txt", "not a spec");
    let path = folder.path().to_string_lossy().into_owned();
    let ran = run(&["tools", &path, "no/such/file.json", "--json"]);
    assert_eq!(ran.code, Some(1));
    let lines = ran.lines();
    let files: Vec<&str> = lines.iter().filter_map(|l| l["file"].as_str()).collect();
    assert!(files[0].ends_with("a.json") && files[3].ends_with("d.jsonl") && files.len() == 5, "{files:?}");
    assert_eq!((&lines[0]["format"], &lines[0]["tools"]), (&json!("mcp"), &json!(1)));
    assert_eq!(lines[1]["error"]["code"], "GTM0105");
    assert!(lines[1]["error"]["place"].as_str().is_some_and(|p| p.contains("line ")), "{}", lines[1]);
    assert_eq!(lines[2]["error"]["code"], "GTM0102");
    assert_eq!((&lines[3]["operations"], &lines[3]["tools"]), (&json!(2), &json!(1)));
    assert!(lines[3]["skipped"][0]["reason"].as_str().is_some_and(|r| r.contains("GTM0105")), "{}", lines[3]);
    assert_eq!(lines[4]["error"]["code"], "GTM0101");
    let text = run(&["tools", &path]);
    assert_eq!(text.code, Some(1));
    assert!(text.out.contains("2 files read, 2 failed: 3 operations, 2 tools, 1 left out"), "{}", text.out);
}

#[test]
fn what_is_left_out_has_a_reason() {
    let folder = folder();
    let spec = r##"{"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {
        "/a": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/b": {"get": {"parameters": [{"$ref": "http://127.0.0.1:1/p.json"}], "responses": {}}}}}"##;
    let report = run(&["tools", &file(&folder, "s.json", spec), "--json"]).json();
    assert_eq!(report["operations"], 2);
    let skipped = report["skipped"].as_array().expect("a list");
    assert_eq!(report["tools"].as_u64().expect("a number") + skipped.len() as u64, 2);
    for left_out in skipped {
        assert!(left_out["reason"].as_str().is_some_and(|r| r.contains("GTM")), "{left_out}");
    }
}

#[test]
fn a_toolset_is_understood_as_well() {
    let folder = folder();
    let toolset = file(&folder, "t.yaml", format!("specs: [{}]\nstate: {{pets: {{}}}}\n", petstore()));
    let report = run(&["tools", &toolset, "--json"]).json();
    assert_eq!((&report["format"], &report["tools"]), (&json!("toolset"), &json!(16)));
    let wrong = file(&folder, "w.yaml", format!("specs: [{}]\nstat: {{}}\n", petstore()));
    let ran = run(&["tools", &wrong, "--json"]);
    assert_eq!(ran.lines()[0]["error"]["code"], "GTM0201");
}

#[test]
fn nothing_to_read_is_wrong_usage() {
    run(&["tools"]).refused(2, "GTM0601");
    let folder = folder();
    let ran = run(&["tools", &folder.path().to_string_lossy(), "--json"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.lines()[0]["error"]["code"], "GTM0101");
}

/// Names and places that drive a terminal, forge a line, or hide text.
#[test]
fn poisoned_names_reach_neither_terminal_nor_log() {
    let folder = folder();
    let poison = "\u{202e}hidden\u{200b}\u{1b}]0;title\u{7}\r\nerror[GTM0407]: forged";
    let schema = json!({"type": "object", "properties": {"a\u{1b}[31m": {"enum": [poison, 1], "description": poison}}});
    let tools = json!({"tools": [
        {"name": "\u{1b}[2Jevil\r\nerror[GTM0407]: forged", "description": poison, "inputSchema": schema},
        {"name": "bidi\u{202e}name", "description": poison, "inputSchema": schema},
        {"name": "evil", "description": poison, "inputSchema": schema, "outputSchema": schema}
    ]});
    let spec = file(&folder, "evil.json", tools.to_string());
    let name = "evil".to_owned();
    let wrong = "{\"\u{1b}[31mx\\r\\n\": \"\u{202e}\"}";
    let session = folder.path().join("\u{1b}[2J").to_string_lossy().into_owned();
    for args in [
        vec!["tools", &spec],
        vec!["tools", &spec, "--json"],
        vec!["tools", "no\u{1b}[2J\r\nsuch\u{202e}file"],
        vec!["read", &spec],
        vec!["try", &spec],
        vec!["call", &spec, &name, wrong],
        vec!["call", &spec, &name, wrong, "--json"],
        vec!["call", &spec, "\u{1b}[31mno\u{202e}tool\r\n", "{}"],
        vec!["call", &spec, &name, "{\u{1b}[31m"],
        vec!["call", "no\u{1b}[2J\r\nsuch", "x"],
        vec!["call", &spec, &name, "--session", &session, "--seed", "1"],
        vec!["explain", "\u{1b}[31m\u{202e}"],
        vec!["serve", "no\u{1b}[2J\u{202e}such"],
    ] {
        let ran = run(&args);
        for text in [&ran.out, &ran.err] {
            let hidden = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{200b}' | '\u{202e}');
            assert!(!text.contains(hidden), "{args:?}: {text:?}");
            assert!(!text.lines().any(|line| line.starts_with("error[GTM0407]")), "{args:?}: {text}");
        }
    }
}

/// Five ways to make a small file large.
#[test]
fn yaml_bombs_are_refused_quickly_and_cheaply() {
    let folder = folder();
    let head = "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths: {}\n";
    let mut nested = format!("{head}a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        let aliases = vec![format!("*a{}", n - 1); 9].join(", ");
        nested.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
    }
    let list = vec!["x"; 1_000].join(", ");
    let wide = format!("{head}big: &big [{list}]\nall: [{}]\n", vec!["*big"; 13_000].join(", "));
    let text = format!("{head}t: &t {}\nall: [{}]\n", "y".repeat(100_000), vec!["*t"; 10_000].join(", "));
    let mut merged = format!("{head}m0: &m0 {{a: 1, b: 2, c: 3}}\n");
    for n in 1..30 {
        merged.push_str(&format!("m{n}: &m{n} {{x: *m{0}, y: *m{0}, <<: *m{0}}}\n", n - 1));
    }
    let deep = format!("{head}d: {}\n", "[".repeat(100_000));
    for (name, bomb) in
        [("nested", nested), ("wide", wide), ("text", text), ("merged", merged), ("deep", deep)]
    {
        let path = file(&folder, &format!("{name}.yaml"), bomb);
        let start = Instant::now();
        let (ran, peak) = run_measured(&["tools", &path, "--json"]);
        assert_eq!(ran.code, Some(1), "{name}: {}", ran.err);
        let code = ran.lines()[0]["error"]["code"].as_str().map(str::to_owned);
        assert!(matches!(code.as_deref(), Some("GTM0104" | "GTM0105")), "{name}: {}", ran.out);
        // Debug builds are some ten times slower than what users run.
        let allowed = if cfg!(debug_assertions) { 10 } else { 1 };
        assert!(start.elapsed() < Duration::from_secs(allowed), "{name}: {:?}", start.elapsed());
        if let Some(kib) = peak {
            println!("{name}: {:?}, {kib} KiB at most", start.elapsed());
            assert!(kib < 100 << 10, "{name}: {kib} KiB");
        }
    }
}

/// Runs a command under GNU time, if that is here, which tells the peak of its memory in KiB.
fn run_measured(args: &[&str]) -> (crate::common::Ran, Option<u64>) {
    let time = std::path::Path::new("/usr/bin/time");
    if !time.exists() {
        return (run(args), None);
    }
    let output = std::process::Command::new(time)
        .args(["-f", "peak %M", env!("CARGO_BIN_EXE_gtm")])
        .args(args)
        .output()
        .expect("time runs");
    let ran = crate::common::Ran::from(output);
    let peak =
        ran.err.lines().rev().find_map(|line| line.strip_prefix("peak ")).and_then(|kib| kib.parse().ok());
    (ran, peak)
}

/// Real documents of 230 APIs and 82 MCP servers, faults and all.
#[test]
fn real_specs_import() {
    let Some(archive) = shared("raw-specs.tar.zst") else { return };
    let folder = folder();
    let tar = std::process::Command::new("tar")
        .arg("--zstd")
        .arg("-xf")
        .arg(&archive)
        .arg("-C")
        .arg(folder.path())
        .status();
    if !tar.is_ok_and(|status| status.success()) {
        println!("skipped: tar with zstd is not here");
        return;
    }
    let ran = run(&["tools", &folder.path().to_string_lossy(), "--json"]);
    let lines = ran.lines();
    assert!(lines.len() >= 312, "{}", lines.len());
    let count = |key: &str| lines.iter().filter_map(|l| l[key].as_u64()).sum::<u64>();
    let skipped = lines.iter().filter_map(|l| l["skipped"].as_array()).map(Vec::len).sum::<usize>() as u64;
    let failed: Vec<&Value> = lines.iter().filter(|l| !l["error"].is_null()).collect();
    println!(
        "{} files, {} failed, {} operations, {} tools, {skipped} left out",
        lines.len(),
        failed.len(),
        count("operations"),
        count("tools")
    );
    for line in &failed {
        assert!(line["error"]["code"].is_string(), "{line}");
    }
    assert!(failed.len() * 20 <= lines.len(), "{failed:?}");
    assert!((count("tools") + skipped) * 100 >= count("operations") * 98);
}
