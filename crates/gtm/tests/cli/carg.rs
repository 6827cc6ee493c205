//! Making datasets: killed at any moment, out of disk, misconfigured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Packs of different sizes; the whole folder would only take longer to check.
const PACKS: [&str; 3] =
    ["commerce/returns.yaml", "chemistry/reaction_engineering.yaml", "robotics/pick_and_place_arm.yaml"];
/// Three parts and a bit.
const SESSIONS: &str = "780";

fn packs() -> Vec<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
    PACKS.iter().map(|pack| root.join(pack)).collect()
}

fn command(out: &Path, sessions: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gtm"));
    command
        .args(["carg", "run", "--json", "--seed", "3", "--sessions", sessions, "--jobs", "2", "--out"])
        .arg(out);
    command.arg("--packs").args(packs());
    command
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for inner in [folder.to_owned(), folder.join("samples")] {
        for entry in std::fs::read_dir(inner).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.strip_prefix(folder).expect("inside").to_owned();
                found.insert(name, std::fs::read(path).expect("a file"));
            }
        }
    }
    found
}

fn counts(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    json["counts"].clone()
}

#[test]
fn killed_runs_lose_nothing_and_repeat_nothing() {
    let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = counts(&command(whole.path(), SESSIONS).output().expect("it runs"));
    assert!(expected["pairs"].as_u64().is_some_and(|pairs| pairs > 5_000), "{expected}");
    // Moments spread over what a run takes, without a clock or a random source to blame for a failure.
    for pause in [60, 250, 420, 900, 1_500, 2_300] {
        let mut child = command(cut.path(), SESSIONS)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        std::thread::sleep(Duration::from_millis(pause));
        let _ = child.kill();
        child.wait().expect("it ends");
    }
    assert_eq!(counts(&command(cut.path(), SESSIONS).output().expect("it runs")), expected);
    let mut made = files(cut.path());
    // What was being written when a run was killed stays beside its place, and is written over by the next.
    made.retain(|name, _| name.extension().is_none_or(|extension| extension != "tmp"));
    let wanted = files(whole.path());
    assert_eq!(made.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    assert!(made == wanted, "the bytes differ");
    let check = Command::new(env!("CARGO_BIN_EXE_gtm")).args(["carg", "verify"]).arg(cut.path()).output();
    assert!(check.expect("it runs").status.success());
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_of_and_the_next_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    // A limit on the size of files stands for the disk: writing beyond it fails, as it does on a full one.
    let line = format!("trap '' XFSZ; ulimit -f 40; exec {:?}", command(folder.path(), SESSIONS));
    let failed = Command::new("sh").args(["-c", &line]).output().expect("a shell");
    assert_eq!(failed.status.code(), Some(3), "{}", String::from_utf8_lossy(&failed.stderr));
    let told = String::from_utf8_lossy(&failed.stderr);
    assert!(told.contains("cannot write the dataset") && told.contains("goes on where it stopped"), "{told}");
    assert!(files(folder.path()).keys().all(|name| name.extension().is_none_or(|e| e != "tmp")));
    let there = counts(&command(folder.path(), SESSIONS).output().expect("it runs"));
    assert!(there["sessions"].as_u64().is_some_and(|n| n > 700), "{there}");
}

#[test]
fn configurations_are_read_and_faults_have_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("carg.yaml");
    let run = |text: &str| {
        std::fs::write(&file, text).expect("room");
        let mut command = Command::new(env!("CARGO_BIN_EXE_gtm"));
        command.args(["carg", "run", "--json", "--config"]).arg(&file);
        command.output().expect("it runs")
    };
    let out = folder.path().join("out");
    let packs = serde_json::to_string(&packs()).expect("paths are text");
    let good = run(&format!("out: {out:?}\nsessions: 20\nseed: 4\npacks: {packs}\nformats: [jsonl]\n"));
    assert_eq!(counts(&good)["dropped"], serde_json::json!({}));
    assert!(!files(&out).keys().any(|name| name.extension().is_some_and(|e| e == "parquet")));
    for (text, place) in [
        ("sessions: 0", "/sessions"),
        ("spec_share: 1.5", "/spec_share"),
        ("splits: {test: 0.7, validation: 0.6}", "/splits"),
        ("sessions: many", "/sessions"),
        ("colour: red", "colour"),
        ("packs: []", "/packs"),
        ("samples: {read: -1}", "/samples/read"),
    ] {
        let failed = run(&format!("out: {out:?}\n{text}\n"));
        let told = String::from_utf8_lossy(&failed.stderr);
        assert_eq!(failed.status.code(), Some(2), "{text}: {told}");
        assert!(told.contains("GTM0803") && told.contains(place), "{text}: {told}");
    }
}

#[test]
fn exports_are_what_trainers_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    counts(&command(&data, "40").output().expect("it runs"));
    for (format, members) in [
        ("trl", ["prompt", "completion"]),
        ("llama-factory", ["instruction", "output"]),
        ("openai", ["messages", "messages"]),
    ] {
        let out = folder.path().join(format);
        let export = Command::new(env!("CARGO_BIN_EXE_gtm"))
            .args(["carg", "export", "--format", format, "--out"])
            .args([&out, &data])
            .output()
            .expect("it runs");
        assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
        let text = std::fs::read_to_string(out.join("train.jsonl")).expect("a split");
        let first: serde_json::Value =
            serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
        assert!(members.iter().all(|member| !first[member].is_null()), "{first}");
        assert_eq!(out.join("dataset_info.json").exists(), format == "llama-factory");
    }
}
