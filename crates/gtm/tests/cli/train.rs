//! Training from the command line: killed in the middle, it goes on and comes out the same.

use crate::common::{file, folder, gtm, run};
use serde_json::json;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn dataset(dir: &tempfile::TempDir) -> String {
    let words = ["alpha", "beta", "gamma", "delta"];
    let line = |i: usize| {
        json!({"prompt": format!("{} {i}: ", words[i % 4]), "completion": words[(i + 1) % 4]}).to_string()
    };
    file(dir, "data.jsonl", (0..300).map(line).collect::<Vec<_>>().join("\n"))
}

fn config(dir: &tempfile::TempDir, out: &str) -> String {
    let config = format!(
        "model: {{shape: {{hidden_size: 32, layers: 2, heads: 2, intermediate_size: 64}}}}\n\
         tokenizer: tokenizer/tokenizer.json\ndata: [{{path: data.jsonl}}]\nheld_out: [{{path: data.jsonl, samples: 20}}]\n\
         out: {out}\nsteps: 400\nbatch_tokens: 256\nlongest: 64\ncheckpoint_every: 7\nevaluate_every: 100\nstore: f32\n"
    );
    file(dir, &format!("{out}.yaml"), &config)
}

#[test]
fn a_run_that_was_killed_goes_on_and_comes_out_the_same() {
    let folder = folder();
    let dir = folder.path();
    let data = dataset(&folder);
    let tokenizer = dir.join("tokenizer");
    let made = run(&[
        "train",
        "tokenizer",
        &data,
        "--vocab-size",
        "300",
        "--out",
        &tokenizer.to_string_lossy(),
        "--json",
    ]);
    assert!(made.json()["tokens"].as_u64().is_some_and(|n| n <= 300));

    let page = dir.join("page.html");
    let whole =
        run(&["train", "--config", &config(&folder, "whole"), "--html", &page.to_string_lossy(), "--json"])
            .json();
    assert_eq!((&whole["steps"], &whole["held_out"][0]["samples"]), (&json!(400), &json!(20)));
    assert!(fs::read_to_string(&page).expect("a page").contains("<svg"));

    let parts = config(&folder, "parts");
    let checkpoints = dir.join("parts/checkpoints");
    for kills in 1..=3 {
        let mut child = gtm(&["train", "--config", &parts])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        // Killed at no particular moment, once it has got a little further.
        let begun = Instant::now();
        let further = format!("{:010}", kills * 70);
        let reached = || {
            let entries = fs::read_dir(&checkpoints).into_iter().flatten().flatten();
            entries
                .filter_map(|e| e.file_name().into_string().ok())
                .any(|name| name.len() == 10 && name >= further)
        };
        while !reached() && begun.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(3));
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert!(reached(), "no checkpoint in two minutes");
    }
    let rest = run(&["train", "--config", &parts, "--threads", "1", "--json"]).json();
    assert_eq!(rest["held_out"], whole["held_out"]);
    let weights = |out: &str| fs::read(dir.join(out).join("model/model.safetensors")).expect("weights");
    assert!(weights("whole") == weights("parts"));
}

#[test]
fn a_run_says_what_is_wrong_with_it() {
    let folder = folder();
    let dir = folder.path();
    let bare = run(&["train"]);
    assert!(bare.code == Some(2) && bare.err.contains("--config"), "{}", bare.err);
    run(&["train", "--config", "nowhere.yaml"]).refused(3, "GTM0101");
    let unknown = file(&folder, "a.yaml", "model: {from: x}\ndata: []\nout: y\nsteps: 1\nstepz: 2\n");
    run(&["train", "--config", &unknown]).refused(2, "GTM0906");
    let empty = file(&folder, "b.yaml", "model: {from: x}\ndata: []\nout: y\nsteps: 1\n");
    run(&["train", "--config", &empty]).refused(2, "GTM0906");
    let data = file(&folder, "c.jsonl", "{\"prompt\": 1}\n");
    run(&["train", "tokenizer", &data, "--out", &dir.to_string_lossy()]).refused(2, "GTM0907");
}
