//! `gtm eval`: figures, predictions and the report on disk; what is wrong with a file.

use crate::common::{file, folder, run, shared};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A file with sessions of one invented tool, one a line, and its path.
fn suite(folder: &TempDir, sessions: usize) -> String {
    let line = |n: usize| {
        json!({
            "session_id": format!("s{n}"),
            "tools": [{"name": "get_pet", "description": "Get a pet", "parameters": {"type": "object",
                "properties": {"id": {"type": "string"}}, "required": ["id"]}}],
            "initial_state": {"pets": {"p1": {"id": "p1", "name": "Rex"}}},
            "turns": [
                {"call": {"name": "get_pet", "arguments": {"id": "p1"}}, "response": {"id": "p1", "name": "Rex"}, "is_error": false},
                {"call": {"name": "get_pet", "arguments": {}}, "response": "no id", "is_error": true, "mutation": "missing"},
            ],
        })
        .to_string()
    };
    let lines: Vec<String> = (0..sessions).map(line).collect();
    file(folder, "pets.jsonl", lines.join("\n"))
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).expect("the file was written")
}

#[test]
fn figures_predictions_and_report_are_written() {
    let folder = folder();
    let path = suite(&folder, 3);
    let out = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let ran =
        run(&["eval", &path, "--json", &out("f.json"), "--dump", &out("p.jsonl"), "--html", &out("r.html")]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("pets") && ran.out.contains("last-seen"), "{}", ran.out);
    let figures: Value = read(&folder, "f.json").parse().expect("JSON");
    assert_eq!(figures.as_object().expect("an object").keys().collect::<Vec<_>>(), ["pets", "overall"]);
    for metric in [
        "n",
        "format",
        "paths_f1",
        "types",
        "error_recall",
        "error_false",
        "error_f1",
        "error_class",
        "determined",
        "leaves",
        "near",
        "exact",
        "exact_error",
        "state",
        "horizon",
        "deterministic",
        "ms_per_call",
    ] {
        let value = figures["pets"].get(metric).unwrap_or(&json!("absent")).clone();
        assert!(value.is_number() || value.is_null(), "{metric}: {value}");
    }
    assert_eq!(figures["pets"]["n"], 6);
    assert_eq!(figures["pets"]["exact"], 0.5);
    assert_eq!(figures["pets"]["error_recall_missing"], 1.0);
    assert_eq!(read(&folder, "p.jsonl").lines().count(), 6);
    assert!(read(&folder, "r.html").starts_with("<!doctype html>"));
}

#[test]
fn a_program_can_read_the_figures_from_standard_output() {
    let folder = folder();
    let path = suite(&folder, 3);
    let all = run(&["eval", &path, "--json", "-"]).json();
    assert_eq!(all["overall"]["n"], 6);
    let one = run(&["eval", &path, "--json", "-", "--limit", "1", "--jobs", "2"]).json();
    assert_eq!(one["overall"]["n"], 2);
    let direct = run(&["eval", &path, "--json", "-", "--rung", "direct"]).json();
    assert_eq!(direct["pets"]["exact"], 0.0);
    let echo = run(&["eval", &path, "--json", "-", "--baseline", "echo"]).json();
    assert_eq!(echo["pets"]["error_recall"], 0.0);
}

#[test]
fn behaviors_of_a_toolset_are_put_over_those_of_the_rules() {
    let folder = folder();
    let path = suite(&folder, 1);
    let toolset = file(
        &folder,
        "own.yaml",
        "behaviors:\n  get_pet:\n    steps:\n      - reply: \"'none'\"\n  other:\n    steps: []\n",
    );
    let own = run(&["eval", &path, "--json", "-", "--toolset", &toolset]).json();
    assert_eq!(own["pets"]["exact"], 0.0);
    let rules = run(&["eval", &path, "--json", "-", "--toolset", &toolset, "--rung", "rules"]).json();
    assert_eq!(rules["pets"]["exact"], 0.5);
}

#[test]
fn the_line_that_is_wrong_is_named() {
    let folder = folder();
    let path = suite(&folder, 2);
    let text = std::fs::read_to_string(&path).expect("the suite");
    let bad = file(&folder, "bad.jsonl", format!("{text}\n{{\"session_id\": 3}}\n"));
    let ran = run(&["eval", &bad]);
    ran.refused(2, "GTM0701");
    assert!(ran.err.contains("line 3"), "{}", ran.err);
    let ran = run(&["eval", &bad, "--json", "-"]);
    assert_eq!(ran.code, Some(2));
    let problem: Value = ran.err.trim().parse().expect("a line of JSON");
    assert!(problem["place"].as_str().is_some_and(|place| place.contains("line 3")), "{problem}");
    run(&["eval", "no/such.jsonl"]).refused(3, "GTM0101");
    assert_eq!(run(&["eval", &path, "--baseline", "oracle"]).code, Some(2));
}

#[test]
fn real_suites_are_evaluated() {
    let Some(data) = shared("") else { return };
    let figures = run(&["eval", &data.to_string_lossy(), "--json", "-", "--limit", "3"]).json();
    assert!(figures.as_object().is_some_and(|suites| suites.len() > 2), "{figures}");
    assert_eq!(figures["overall"]["deterministic"], 1.0);
}

#[test]
fn the_learning_curve_is_measured_on_groups_that_nothing_is_learned_from() {
    let folder = folder();
    let path = suite(&folder, 9);
    let out = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let learn = ["eval", &path, "--learn", &path, "--learn-sessions", "0,2,100"];
    let figures =
        run(&[&learn[..], &["--json", "-", "--dump", &out("p.jsonl"), "--html", &out("r.html")]].concat())
            .json();
    let curve = figures["curve"].as_array().expect("a curve");
    let sessions: Vec<_> = curve.iter().map(|point| point["sessions"].as_u64()).collect();
    assert_eq!(sessions, [Some(0), Some(2), Some(100)]);
    // Five of nine groups are learned from, so four are left.
    assert!(curve.iter().all(|point| point["pets"]["n"] == 8), "{figures:#}");
    assert_eq!(curve[0]["overall"]["exact"], 0.5);
    assert_eq!(curve[1]["overall"]["exact"], 1.0, "what it says of a missing id is learned");
    assert_eq!(figures["pets"], curve[2]["pets"], "the last point stands for all");
    assert_eq!(read(&folder, "p.jsonl").lines().count(), 8);
    assert!(read(&folder, "r.html").contains("id=\"learning\""));
    let limited = run(&[&learn[..], &["--json", "-", "--limit", "1"]].concat()).json();
    assert_eq!(limited["overall"]["n"], 2);
    let same = run(&[&learn[..], &["--json", "-", "--split", "none"]].concat()).json();
    assert_eq!(same["overall"]["n"], 18);
    let rules = run(&[&learn[..], &["--json", "-", "--rung", "rules"]].concat()).json();
    assert_eq!(rules["overall"]["exact"], 0.5);
    let shown = run(&learn);
    assert!(shown.out.contains("learning curve") && shown.out.contains("100 sessions"), "{}", shown.out);
}

#[test]
fn nothing_to_evaluate_after_learning_is_a_usage_error() {
    let folder = folder();
    let path = suite(&folder, 1);
    let ran = run(&["eval", &path, "--learn", &path]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("nothing is left to evaluate"), "{}", ran.err);
}
