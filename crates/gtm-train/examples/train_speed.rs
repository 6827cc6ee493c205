//! Speed of a training step: `cargo run --release -p gtm-train --example train_speed [-- SHAPE...] [--threads N] [--python P]`
//!
//! Shapes: `3m`, `5m`, `25m`. Prints tokens per second, and what share that is of the speed of the same kernels on one large product
//! in the same run. `--python P` (an interpreter with torch) puts PyTorch beside it, on the same shapes and threads.

use gtm_model::kernel::{Isa, Mat, Panels, Precision, Team, gemm};
use gtm_model::{Config, Params, Rng};
use gtm_train::{Batch, Lanes, Sample};
use std::process::Command;
use std::time::Instant;

const LENGTH: usize = 512;
const SEQUENCES: usize = 8;

fn shape(name: &str) -> Option<Config> {
    let (hidden_size, layers, heads, kv_heads, intermediate_size, vocab_size) = match name {
        "3m" => (256, 4, 4, 2, 704, 4_096),
        "5m" => (256, 3, 4, 2, 704, 8_192),
        "25m" => (512, 8, 8, 4, 1_408, 8_192),
        _ => return None,
    };
    Some(Config {
        vocab_size,
        hidden_size,
        intermediate_size,
        layers,
        heads,
        kv_heads,
        head_dim: 64,
        norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tied: true,
        max_positions: LENGTH,
        eos: vec![0],
    })
}

/// Multiply-adds of one large product per second, over all threads.
fn peak(threads: usize) -> f64 {
    const N: usize = 768;
    let (a, b) = (vec![0.5; N * N], Panels::pack(Mat::new(&vec![0.25; N * N], N, N), Precision::F32));
    let mut results = vec![vec![0.0; N * N]; threads];
    let team = Team::new(threads);
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        team.for_each_mut(&mut results, |_, c| {
            (0..4).for_each(|_| gemm(Mat::new(&a, N, N), &b, N, c, N, false));
        });
        best = best.min(start.elapsed().as_secs_f64());
    }
    (threads * 4 * N * N * N) as f64 / best
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        Some(args.drain(at..(at + 2).min(args.len())).nth(1).unwrap_or_default())
    };
    let threads = option("--threads").and_then(|n| n.parse().ok()).unwrap_or(2);
    let python = option("--python");
    let peak = peak(threads);
    println!("{}, {threads} threads: {:.0} GFLOP/s on one large product", Isa::detect().name(), 2e-9 * peak);
    let names = if args.is_empty() { vec!["3m".to_owned(), "25m".to_owned()] } else { args };
    for name in names {
        let Some(config) = shape(&name) else {
            println!("no shape `{name}`; 3m, 5m or 25m");
            continue;
        };
        let params = Params::init(&config, 1).expect("a sound shape");
        let mut rng = Rng::new(1);
        let tokens = |rng: &mut Rng| (0..=LENGTH).map(|_| rng.below(config.vocab_size) as u32).collect();
        let samples: Vec<Sample> =
            (0..SEQUENCES).map(|_| Sample { tokens: tokens(&mut rng), prompt_len: 0, task: 0 }).collect();
        let batches = Batch::pack(&samples, 2 * LENGTH);
        let mut lanes = Lanes::new(&config, threads, threads, LENGTH);
        let mut best = f64::MAX;
        for _ in 0..5 {
            let start = Instant::now();
            lanes.changed();
            lanes.learn(&params, &batches);
            best = best.min(start.elapsed().as_secs_f64());
        }
        let speed = (SEQUENCES * LENGTH) as f64 / best;
        // Three products for each weight, and in attention seven (two forwards, five backwards) over half of the square.
        let weights = 3 * (config.parameters() - config.hidden_size);
        let attention = 7 * config.layers * config.q_width() * LENGTH / 2;
        let share = speed * (weights + attention) as f64 / peak;
        println!(
            "{name}: {} parameters, {speed:.0} tokens/s, {:.0} % of that",
            config.parameters(),
            100.0 * share
        );
        if let Some(python) = &python {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/train_speed.py");
            let shape = config.to_json().to_string();
            let numbers = [threads, SEQUENCES, LENGTH].map(|n| n.to_string());
            match Command::new(python).arg(script).arg(shape).args(numbers).output() {
                Ok(out) if out.status.success() => print!("{}", String::from_utf8_lossy(&out.stdout)),
                Ok(out) => println!("PyTorch failed: {}", String::from_utf8_lossy(&out.stderr)),
                Err(error) => println!("no PyTorch: {error}"),
            }
        }
    }
}
