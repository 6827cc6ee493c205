//! Whole runs: learning, stopping and going on, adapters.

use gtm_error::Code;
use gtm_model::{Adapter, Params, Rng, Tokenizer};
use gtm_train::{Event, TrainConfig, train};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A small task: the completion is the word that stands `shift` further than the prompt's first in a list.
fn dataset(dir: &Path, shift: usize) {
    let words = ["alpha", "beta", "gamma", "delta", "omega", "sigma"];
    let mut rng = Rng::new(1);
    let line = |i: usize| {
        let (a, b) = (i % 6, i / 6 % 6);
        json!({"prompt": format!("{} {}: ", words[a], words[b]), "completion": words[(a + shift) % 6], "task": if a == b { "same" } else { "other" }})
            .to_string()
    };
    let lines: Vec<String> = (0..400).map(|_| line(rng.below(36))).collect();
    fs::write(dir.join("train.jsonl"), lines.join("\n")).unwrap();
    let all: Vec<String> = (0..36).map(line).collect();
    let packed = zstd::encode_all(all.join("\n").as_bytes(), 3).unwrap();
    fs::write(dir.join("dev.jsonl.zst"), packed).unwrap();
    let texts = gtm_train::lines(&dir.join("train.jsonl")).unwrap().map(Result::unwrap);
    Tokenizer::train(texts.flat_map(|l| [l.prompt, l.completion]), 300).unwrap().save(dir).unwrap();
}

fn config(dir: &Path, out: &str, change: Value) -> TrainConfig {
    let mut value = json!({
        "model": {"shape": {"hidden_size": 48, "layers": 2, "heads": 4, "kv_heads": 2, "intermediate_size": 96}},
        "tokenizer": "tokenizer.json", "data": [{"path": "train.jsonl"}], "held_out": [{"path": "dev.jsonl.zst"}],
        "out": out, "steps": 80, "batch_tokens": 512, "longest": 64, "lanes": 3, "seed": 7, "evaluate_every": 40,
        "checkpoint_every": 20, "log_every": 5, "store": "f32",
        "optimizer": {"rate": 5e-3, "warmup_steps": 10, "weight_decay": 0.01}
    });
    value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let mut config: TrainConfig = serde_json::from_value(value).unwrap();
    config.relative_to(dir);
    config
}

fn weights(out: &Path) -> Vec<u8> {
    fs::read(out.join("model/model.safetensors")).unwrap()
}

/// The metrics without what the clock says.
fn metrics(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let line = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        ["seconds", "tokens_per_second"].iter().for_each(|k| drop(value.as_object_mut().unwrap().remove(*k)));
        value
    };
    text.lines().map(line).collect()
}

#[test]
fn a_run_learns_and_one_that_was_stopped_anywhere_comes_out_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dataset(dir, 1);
    let whole = config(dir, "whole", json!({}));
    let outcome = train(&whole, 2, &mut |_| {}).unwrap();
    println!("{outcome:?}");
    assert!(outcome.loss < 0.3 && outcome.held_out.len() == 2);
    assert!(outcome.held_out.iter().all(|s| s.exact > 0.9), "{:?}", outcome.held_out);

    // Stopped by a panic in the middle of anything, with other threads, again and again.
    let parts = config(dir, "parts", json!({}));
    for stop_at in [23, 40, 41, 77, u64::MAX] {
        let run = std::panic::AssertUnwindSafe(|| {
            train(&parts, 1 + stop_at as usize % 3, &mut |event| {
                if let Event::Step(m) = event {
                    assert!(m.step < stop_at, "stopped, as asked");
                }
            })
        });
        if let Ok(result) = std::panic::catch_unwind(run) {
            assert_eq!((result.unwrap().steps, stop_at), (80, u64::MAX));
        }
    }
    assert!(weights(&whole.out) == weights(&parts.out));
    assert_eq!(metrics(&whole.out), metrics(&parts.out));
    assert_eq!(fs::read_dir(whole.out.join("checkpoints")).unwrap().count(), 2);

    // A finished run says so and changes nothing; another configuration or other data is refused.
    let again = train(&whole, 1, &mut |_| {}).unwrap();
    assert_eq!(again.steps, 80);
    let other = train(&config(dir, "whole", json!({"seed": 8})), 1, &mut |_| {});
    assert_eq!(other.unwrap_err().code(), Code::TrainingInvalid);
    let page = gtm_train::page(&whole.out, "A <run>").unwrap();
    assert!(page.contains("A &lt;run&gt;") && page.matches("<svg").count() >= 6);
    let mut text = fs::read_to_string(dir.join("train.jsonl")).unwrap();
    text.push_str("\n{\"prompt\": \"x\", \"completion\": \"y\"}");
    fs::write(dir.join("train.jsonl"), text).unwrap();
    assert_eq!(train(&whole, 1, &mut |_| {}).unwrap_err().code(), Code::TrainingInvalid);
}

#[test]
fn an_adapter_learns_and_loads_beside_its_base() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dataset(dir, 1);
    let base = config(dir, "base", json!({"held_out": []}));
    train(&base, 2, &mut |_| {}).unwrap();
    let tokenizer = fs::read(dir.join("tokenizer.json")).unwrap();
    dataset(dir, 2);
    fs::write(dir.join("tokenizer.json"), tokenizer).unwrap();
    let change = json!({"model": {"from": "base/model"}, "lora": {"rank": 8},
                        "optimizer": {"rate": 1e-2, "warmup_steps": 10}});
    let adapted = config(dir, "adapted", change);
    let mut first = None;
    let outcome = train(&adapted, 2, &mut |event| {
        if let Event::Step(m) = event {
            first.get_or_insert(m.loss);
        }
    });
    let outcome = outcome.unwrap();
    println!("{first:?} to {outcome:?}");
    assert!(first.unwrap() > 1.0 && outcome.loss < 0.5 * first.unwrap());
    assert!(outcome.held_out.iter().all(|s| s.exact > 0.9));
    let mut params = Params::load(&base.out.join("model")).unwrap();
    let before = params.data.clone();
    let adapter = Adapter::load(&adapted.out.join("adapter"), &params).unwrap();
    assert_eq!((adapter.rank, adapter.targets.len()), (8, 14));
    adapter.add_to(&mut params.data);
    assert!(params.data != before);
    assert!(params.get(&params.layout.embedding) == &before[params.layout.embedding.clone()]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    dataset(dir, 1);
    for change in [
        json!({"data": []}),
        json!({"steps": 0}),
        json!({"lanes": 0}),
        json!({"longest": 1_000_000_000}),
        json!({"optimizer": {"rate": -1.0}}),
        json!({"optimizer": {"beta1": 1.0}}),
        json!({"lora": {"rank": 2}}),
        json!({"data": [{"path": "train.jsonl", "weight": 0.0}]}),
    ] {
        let error = train(&config(dir, "out", change.clone()), 1, &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), Code::TrainingInvalid, "{change}");
    }
    fs::write(dir.join("train.jsonl"), "{\"prompt\": 1}").unwrap();
    assert_eq!(
        train(&config(dir, "out", json!({})), 1, &mut |_| {}).unwrap_err().code(),
        Code::DatasetInvalid
    );
    let shape =
        json!({"model": {"shape": {"hidden_size": 0, "layers": 2, "heads": 4, "intermediate_size": 96}}});
    assert_eq!(train(&config(dir, "out", shape), 1, &mut |_| {}).unwrap_err().code(), Code::ModelInvalid);
}
