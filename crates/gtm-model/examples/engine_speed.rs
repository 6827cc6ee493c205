//! Speed of the engine: `cargo run --release -p gtm-model --example engine_speed [-- SHAPE...] [--threads N] [--save DIR]`
//!
//! Shapes: `3m`, `12m`, `62m`, `0.5b`, with random weights. Prints tokens per second of a prompt of 512 tokens, and of decoding 1, 4,
//! 8 and 16 texts side by side. `--save DIR` writes the weights as a Hugging Face folder, for other engines to be put beside.

use gtm_model::kernel::Isa;
use gtm_model::safetensors::Dtype;
use gtm_model::{Config, Engine, EngineOptions, Feed, Params, Precision, Sequence, Want};
use std::time::Instant;

fn shape(name: &str) -> Option<Config> {
    let (hidden_size, layers, heads, kv_heads, intermediate_size, vocab_size) = match name {
        "3m" => (256, 4, 4, 2, 704, 4_096),
        "12m" => (384, 6, 6, 2, 1_024, 8_192),
        "62m" => (640, 12, 10, 2, 1_728, 16_384),
        "0.5b" => (896, 24, 14, 2, 4_864, 151_936),
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
        max_positions: 4_096,
        eos: vec![0],
    })
}

/// The best of some rounds, in seconds.
fn best(rounds: usize, mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..rounds).map(time).fold(f64::MAX, f64::min)
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        Some(args.drain(at..(at + 2).min(args.len())).nth(1).unwrap_or_default())
    };
    let threads = option("--threads").and_then(|n| n.parse().ok()).unwrap_or(2);
    let save = option("--save");
    println!("{}, {threads} threads", Isa::detect().name());
    let names = if args.is_empty() { vec!["3m".to_owned(), "12m".to_owned()] } else { args };
    for name in names {
        let Some(config) = shape(&name) else {
            println!("no shape `{name}`; 3m, 12m, 62m or 0.5b");
            continue;
        };
        let params = Params::init(&config, 1).expect("a sound shape");
        if let Some(dir) = &save {
            let dir = std::path::Path::new(dir).join(&name);
            std::fs::create_dir_all(&dir).expect("a folder that can be made");
            params.save(&dir, Dtype::F32).expect("a folder that can be written");
        }
        for precision in [Precision::Q8, Precision::Bf16] {
            let options = EngineOptions { precision, threads, ..EngineOptions::default() };
            let engine = Engine::new(&params, &options);
            let prompt: Vec<u32> = (0..512).map(|i| i * 7 % 4_000).collect();
            let mut sequence = engine.sequence();
            let prefill = best(3, || {
                sequence = engine.sequence();
                engine
                    .step(&mut [Feed { sequence: &mut sequence, tokens: &prompt, want: Want::Last }])
                    .expect("it fits");
            });
            let mut line = format!(
                "{name} {precision:?}, {:.1} MB: pp512 {:.0}",
                engine.weight_bytes() as f64 / 1e6,
                512.0 / prefill
            );
            sequence.truncate(64);
            for batch in [1usize, 4, 8, 16] {
                const STEPS: usize = 32;
                let seconds = best(3, || {
                    let mut sequences: Vec<Sequence> = vec![sequence.clone(); batch];
                    for step in 0..STEPS {
                        let token = [step as u32 + 5];
                        let feeds = sequences.iter_mut().map(|sequence| Feed {
                            sequence,
                            tokens: &token,
                            want: Want::Last,
                        });
                        engine.step(&mut feeds.collect::<Vec<_>>()).expect("it fits");
                    }
                });
                line += &format!(", tg@b{batch} {:.0}", (STEPS * batch) as f64 / seconds);
            }
            println!("{line}");
        }
    }
}
