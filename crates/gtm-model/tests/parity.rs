//! Our logits beside those of Hugging Face transformers, on the same random weights. Needs Python with torch and
//! transformers (`GTM_PYTHON` names the interpreter, `python3` else); where they are absent, says so and passes.
//!
//! `GTM_PARITY_SHAPE=0.5b` (or `1.5b`) adds a model of that Qwen2.5 shape: gigabytes, minutes.

use gtm_model::safetensors::{Dtype, Reader};
use gtm_model::{Config, Engine, EngineOptions, Feed, Params, Precision, Rng, Want};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn python() -> Option<String> {
    let python = std::env::var("GTM_PYTHON").unwrap_or("python3".into());
    let found = Command::new(&python).args(["-c", "import torch, transformers"]).output();
    match found.is_ok_and(|o| o.status.success()) {
        true => Some(python),
        false => {
            println!("skipped: `{python}` has no torch and transformers to compare with (set GTM_PYTHON)");
            None
        }
    }
}

fn transformers(python: &str, args: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity.py");
    let out = Command::new(python).arg(script).args(args).output().expect("python starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn texts(vocab: usize, lengths: &[usize]) -> Vec<Vec<u32>> {
    let mut rng = Rng::new(11);
    lengths.iter().map(|&n| (0..n).map(|_| rng.below(vocab) as u32).collect()).collect()
}

/// What transformers makes of each text: all logits.
fn theirs(python: &str, dir: &Path, texts: &[Vec<u32>], vocab: usize) -> Vec<Vec<f32>> {
    std::fs::write(dir.join("texts.json"), json!(texts).to_string()).unwrap();
    transformers(python, &["run", dir.to_str().unwrap()]);
    let mut reader = Reader::open(&dir.join("logits.safetensors")).unwrap();
    let read = |(i, text): (usize, &Vec<u32>)| {
        let mut out = vec![0.0; text.len() * vocab];
        reader.read(&i.to_string(), &[text.len(), vocab], &mut out).unwrap();
        out
    };
    texts.iter().enumerate().map(read).collect()
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |worst, (a, b)| worst.max((a - b).abs()))
}

/// Compares batch 1, a ragged batch and a batch behind a shared cached prefix, at each precision.
fn compare(params: &Params, texts: &[Vec<u32>], theirs: &[Vec<f32>], context: usize) -> Value {
    let vocab = params.config.vocab_size;
    let mut report = json!({});
    for (precision, most) in [(Precision::F32, 1e-3), (Precision::Bf16, 0.2), (Precision::Q8, 0.5)] {
        let engine = Engine::new(params, &EngineOptions { precision, context, ..EngineOptions::default() });
        let run = |sequences: &mut [gtm_model::Sequence], texts: &[&[u32]]| {
            let feeds = sequences.iter_mut().zip(texts).map(|(sequence, tokens)| Feed {
                sequence,
                tokens,
                want: Want::All,
            });
            engine.step(&mut feeds.collect::<Vec<_>>()).unwrap()
        };
        let all: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let ragged = run(&mut vec![engine.sequence(); texts.len()], &all);
        let mut difference = 0.0f32;
        for ((text, ragged), theirs) in texts.iter().zip(&ragged).zip(theirs) {
            let alone = run(&mut [engine.sequence()], &[text]);
            assert!(alone[0] == *ragged, "one text alone must give the bytes of the batch");
            difference = difference.max(worst(ragged, theirs));
            // The first half once, then the rest on two forks of it.
            let (prefix, rest) = text.split_at(text.len() / 2);
            if prefix.is_empty() || rest.is_empty() {
                continue;
            }
            let mut first = [engine.sequence()];
            run(&mut first, &[prefix]);
            let forked = run(&mut [first[0].clone(), first[0].clone()], &[rest, rest]);
            for forked in forked {
                assert!(forked == ragged[prefix.len() * vocab..], "a cached prefix must give the same bytes");
            }
        }
        let name = format!("{precision:?}");
        println!("{name}: largest difference of a logit {difference:.2e}");
        assert!(difference <= most, "{name}: {difference}");
        report[name] = difference.into();
    }
    report
}

#[test]
fn random_checkpoints_of_transformers_give_its_logits() {
    let Some(python) = python() else { return };
    let shapes = [
        json!({"vocab_size": 331, "hidden_size": 64, "intermediate_size": 152, "num_hidden_layers": 3,
               "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": true, "rope_theta": 1e6}),
        json!({"vocab_size": 97, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2,
               "num_attention_heads": 3, "num_key_value_heads": 3, "tie_word_embeddings": false, "rope_theta": 1e4}),
    ];
    let big = |hidden: u32, inner: u32, layers: u32, heads: u32| {
        json!({"vocab_size": 151_936, "hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers,
               "num_attention_heads": heads, "num_key_value_heads": 2, "tie_word_embeddings": true, "rope_theta": 1e6})
    };
    let asked = match std::env::var("GTM_PARITY_SHAPE").as_deref() {
        Ok("0.5b") => Some(big(896, 4_864, 24, 14)),
        Ok("1.5b") => Some(big(1_536, 8_960, 28, 12)),
        _ => None,
    };
    for shape in shapes.into_iter().chain(asked) {
        let dir = tempfile::tempdir().unwrap();
        transformers(&python, &["make", dir.path().to_str().unwrap(), &shape.to_string()]);
        let params = Params::load(dir.path()).unwrap();
        let vocab = params.config.vocab_size;
        let texts = texts(vocab, &[1, 7, 40, 33]);
        let theirs = theirs(&python, dir.path(), &texts, vocab);
        println!("{} parameters", params.config.parameters());
        compare(&params, &texts, &theirs, 64);
    }
}

#[test]
fn our_checkpoints_load_in_transformers() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        vocab_size: 200,
        hidden_size: 64,
        intermediate_size: 128,
        layers: 2,
        heads: 4,
        kv_heads: 1,
        head_dim: 16,
        norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tied: true,
        max_positions: 128,
        eos: vec![0],
    };
    let params = Params::init(&config, 5).unwrap();
    for dtype in [Dtype::F32, Dtype::Bf16] {
        params.save(dir.path(), dtype).unwrap();
        let stored = Params::load(dir.path()).unwrap();
        assert_eq!(stored.config, config);
        let texts = texts(200, &[20, 3]);
        let theirs = theirs(&python, dir.path(), &texts, 200);
        compare(&stored, &texts, &theirs, 128);
    }
}
