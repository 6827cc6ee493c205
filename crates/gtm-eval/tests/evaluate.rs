//! Evaluating small suites from files.

mod support;

use gtm_error::Code;
use gtm_eval::baseline::Baseline;
use gtm_eval::{Evaluation, Miss, Options, evaluate, session_files};
use serde_json::{Value as Json, json};
use std::path::Path;
use support::{rules, session, write};

fn run(path: &Path, options: &Options) -> gtm_error::Result<(Evaluation, String)> {
    let mut dump = Vec::new();
    let files = session_files(&[path.to_owned()])?;
    let evaluation = evaluate(&files, &rules, options, Some(&mut dump), &mut |_| {})?;
    Ok((evaluation, String::from_utf8(dump).expect("the dump is UTF-8")))
}

#[test]
fn figures_of_a_small_suite_are_as_worked_out_by_hand() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "any.jsonl", &[session("a").to_string()]);
    let (evaluation, dump) = run(&file, &Options::default()).expect("it runs");
    let figures = &evaluation.to_json()["notes"];
    assert_eq!(figures["n"], 6);
    // The two reads before and after the change and the change itself are exact; the errors are caught, in
    // other words; the last reply cannot be foreseen.
    assert_eq!(figures["exact"], 0.5);
    assert_eq!(figures["exact_error"], 0.0);
    assert_eq!(figures["error_recall"], 1.0);
    assert_eq!(figures["error_false"], 0.0);
    assert_eq!(figures["error_f1"], 1.0);
    assert_eq!(figures["error_class"], 1.0);
    assert_eq!(figures["error_recall_none"], 1.0);
    assert_eq!(figures["state"], 1.0, "the second read shows the change");
    assert_eq!(figures["determined"], 1.0, "`id` is known in the last reply, `mood` is not");
    // Three replies with all leaves, one with half of them.
    assert_eq!(figures["leaves"], 3.5 / 4.0);
    assert_eq!(figures["horizon_1_5"], 0.6);
    assert_eq!(figures["horizon_6_10"], 0.0);
    assert_eq!(figures["horizon"], 0.0);
    assert_eq!(figures["horizon_21"], Json::Null);
    assert_eq!(figures["deterministic"], 1.0);
    assert_eq!(evaluation.to_json()["overall"]["exact"], 0.5);

    let lines: Vec<Json> = dump.lines().map(|line| line.parse().expect("JSON")).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[1]["content"], json!({"id": "n1", "text": "buy <milk> & eggs", "status": "closed"}));
    let names: Vec<&String> = lines[0].as_object().expect("an object").keys().collect();
    assert_eq!(names, ["session_id", "turn", "content", "is_error"]);
    assert_eq!((&lines[4]["turn"], &lines[4]["is_error"]), (&json!(4), &json!(true)));

    let suite = &evaluation.suites[0];
    let kinds: Vec<(Miss, u64)> = suite.misses.iter().map(|((_, miss), (n, _))| (*miss, *n)).collect();
    assert_eq!(kinds, [(Miss::ErrorText, 2), (Miss::Shape, 1)]);
}

#[test]
fn baselines_take_the_same_turns() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "any.jsonl", &[session("a").to_string()]);
    let (evaluation, _) = run(&file, &Options::default()).expect("it runs");
    let [faker, echo, last] = &evaluation.suites[0].baselines;
    assert_eq!([faker.turns, echo.turns, last.turns], [6, 6, 6]);
    assert_eq!(faker.figure("error_recall"), Some(0.5), "the missing argument only");
    assert_eq!(echo.figure("error_recall"), Some(0.0));
    assert_eq!(last.figure("exact"), Some(0.0), "what it saw last is stale each time");
    assert_eq!(last.figure("state"), Some(0.0));
    for (at, baseline) in Baseline::ALL.into_iter().enumerate() {
        let options = Options { baseline: Some(baseline), ..Options::default() };
        let (alone, _) = run(&file, &options).expect("it runs");
        let timeless = |tally: &gtm_eval::Tally| -> Vec<_> {
            let mut figures = tally.figures();
            figures.retain(|(name, _)| !name.starts_with("ms_") && name != "deterministic");
            figures
        };
        assert_eq!(timeless(&alone.suites[0].ours), timeless(&evaluation.suites[0].baselines[at]));
    }
}

#[test]
fn any_number_of_threads_gives_the_same_in_the_same_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: Vec<String> = (0..40).map(|n| session(&format!("s{n}")).to_string()).collect();
    let file = write(folder.path(), "any.jsonl", &lines);
    let run = |jobs, limit| {
        let options = Options { jobs, limit, ..Options::default() };
        let (evaluation, dump) = run(&file, &options).expect("it runs");
        let mut figures = evaluation.to_json();
        for suite in figures.values_mut().filter_map(Json::as_object_mut) {
            suite.retain(|name, _| !name.starts_with("ms_"));
        }
        (Json::Object(figures).to_string(), dump)
    };
    let one = run(1, None);
    assert_eq!(run(3, None), one);
    assert_eq!(run(8, None), one);
    let (figures, dump) = run(2, Some(5));
    assert_eq!(dump.lines().count(), 30);
    assert_eq!(figures.parse::<Json>().expect("JSON")["notes"]["n"], 30);
}

#[test]
fn a_free_run_translates_made_up_ids() {
    let mut made = session("a");
    made["tools"].as_array_mut().expect("a list").push(json!({
        "name": "create_note", "description": "Create a note",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    }));
    made["turns"] = json!([
        {"call": {"name": "create_note", "arguments": {"text": "x"}}, "response": {"id": "note-8437215", "text": "x"}, "is_error": false},
        {"call": {"name": "get_note", "arguments": {"id": "note-8437215"}}, "response": {"id": "note-8437215", "text": "x"}, "is_error": false},
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "any.jsonl", &[made.to_string()]);
    let (evaluation, dump) = run(&file, &Options { free: true, ..Options::default() }).expect("it runs");
    assert_eq!(evaluation.suites[0].ours.figure("error_false"), Some(0.0), "{dump}");
}

#[test]
fn bad_lines_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = session("a").to_string();
    let long = "[".repeat(100_000);
    for (name, bad) in [
        ("cut", &good[..good.len() / 2]),
        ("text", "hello"),
        ("list", "[]"),
        ("lacking", "{\"session_id\": \"x\", \"tools\": []}"),
        ("state", "{\"session_id\": \"x\", \"tools\": [], \"turns\": [], \"initial_state\": 7}"),
        ("tools", "{\"session_id\": \"x\", \"tools\": 7, \"turns\": []}"),
        ("deep", long.as_str()),
    ] {
        let lines = [good.clone(), String::new(), good.clone(), bad.to_owned(), "worse".to_owned()];
        let file = write(folder.path(), &format!("{name}.jsonl"), &lines);
        let error = run(&file, &Options::default()).expect_err(name);
        assert_eq!(error.code(), Code::RecordingInvalid, "{name}: {error}");
        let place = error.place().unwrap_or_default();
        assert!(place.contains("line 4") && place.contains(name), "{name}: {place}");
    }
}

#[test]
fn folders_are_searched_for_sessions_only() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "sessions.b.jsonl", &[session("a").to_string()]);
    let packed = zstd::encode_all(session("b").to_string().as_bytes(), 1).expect("compressed");
    std::fs::write(folder.path().join("a.jsonl.zst"), packed).expect("written");
    write(folder.path(), "tools.jsonl", &["{\"name\": \"x\", \"parameters\": {}}".to_owned()]);
    write(folder.path(), "notes.txt", &["hello".to_owned()]);
    let (evaluation, _) = run(folder.path(), &Options::default()).expect("it runs");
    assert_eq!(evaluation.suites.len(), 1, "both files say that they are of one suite");
    assert_eq!(evaluation.suites[0].sessions, 2);
    let empty = tempfile::tempdir().expect("a folder");
    let error = run(empty.path(), &Options::default()).expect_err("no sessions");
    assert_eq!(error.code(), Code::FileUnreadable);
    let error = run(&empty.path().join("none.jsonl"), &Options::default()).expect_err("no file");
    assert_eq!(error.code(), Code::FileUnreadable);
}

#[test]
fn http_answers_are_compared_with_body_and_status() {
    let line = json!({
        "session_id": "h", "tools": [{"name": "getPet", "method": "GET", "path": "/pets/{id}",
            "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
            "returns": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"], "additionalProperties": false}}],
        "initial_state": {"pets": {"p1": {"id": "p1"}}},
        "turns": [
            {"call": {"name": "getPet", "arguments": {"id": "p1"}}, "response": {"status": 200, "body": {"id": "p1"}}, "is_error": false},
            {"call": {"name": "getPet", "arguments": {}}, "response": {"status": 422, "body": {"message": "no"}}, "is_error": true},
        ],
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "sessions.pets.jsonl", &[line.to_string()]);
    let (evaluation, dump) = run(&file, &Options::default()).expect("it runs");
    let figures = &evaluation.to_json()["pets"];
    assert_eq!(figures["format"], 1.0, "{dump}");
    assert_eq!(figures["exact"], 0.5, "{dump}");
    assert_eq!(figures["error_class"], 1.0, "by the status, 400 here and 422 there: {dump}");
    assert!(
        dump.starts_with(
            "{\"session_id\":\"h\",\"turn\":0,\"content\":{\"status\":200,\"body\":{\"id\":\"p1\"}}"
        ),
        "{dump}"
    );
}
