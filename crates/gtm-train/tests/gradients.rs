//! Gradients beside finite differences, for every tensor of the model, and results that do not depend on threads.

use gtm_model::{Config, Params, Rng};
use gtm_train::{Batch, Lanes, Sample};

fn config(tied: bool) -> Config {
    Config {
        vocab_size: 50,
        hidden_size: 24,
        intermediate_size: 40,
        layers: 2,
        heads: 4,
        kv_heads: 2,
        head_dim: 8,
        norm_eps: 1e-5,
        rope_theta: 100.0,
        tied,
        max_positions: 200,
        eos: vec![0],
    }
}

/// Parameters far from where anything is near zero, so that every gradient is large enough to be measured.
fn params(tied: bool) -> Params {
    let mut params = Params::init(&config(tied), 3).unwrap();
    let mut rng = Rng::new(4);
    for tensor in params.layout.tensors.clone() {
        let scale = if tensor.shape.len() == 1 { 0.3 } else { 0.2 };
        params.data[tensor.range].iter_mut().for_each(|v| *v += scale * rng.normal());
    }
    params
}

fn batches() -> Vec<Batch> {
    let mut rng = Rng::new(9);
    let samples: Vec<Sample> = [(90, 20), (5, 2), (70, 0), (3, 2), (33, 10)]
        .map(|(len, prompt_len)| Sample {
            tokens: (0..len).map(|_| rng.below(50) as u32).collect(),
            prompt_len,
            task: 0,
        })
        .to_vec();
    Batch::pack(&samples, 100)
}

#[test]
fn every_tensors_gradient_agrees_with_finite_differences() {
    for tied in [true, false] {
        let (params, batches) = (params(tied), batches());
        let mut lanes = Lanes::new(&params.config, 2, 2, 200);
        let loss = lanes.learn(&params, &batches);
        assert!(loss.mean() > 1.0 && loss.count > 100);
        let gradient = lanes.gradient().to_vec();
        let mut rng = Rng::new(1);
        for tensor in &params.layout.tensors {
            let g = &gradient[tensor.range.clone()];
            let length = g.iter().map(|g| g * g).sum::<f32>().sqrt();
            assert!(length > 1e-4, "{}: no gradient", tensor.name);
            // Along the gradient, and along a direction that mixes every component of it.
            let along: Vec<f32> = g.iter().map(|g| g / length).collect();
            let signs: Vec<f32> =
                g.iter().map(|g| if rng.below(4) > 0 { g.signum() } else { -g.signum() }).collect();
            let spread = (g.len() as f32).sqrt();
            let mixed: Vec<f32> = signs.iter().map(|s| s / spread).collect();
            for direction in [along, mixed] {
                let slope: f64 = g.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
                let step = (2e-3 / slope.abs()).clamp(2e-3, 0.03);
                let mut at = |distance: f64| {
                    let mut moved = params.clone();
                    for (v, d) in moved.data[tensor.range.clone()].iter_mut().zip(&direction) {
                        *v += (distance * f64::from(*d)) as f32;
                    }
                    lanes.changed();
                    lanes.learn(&moved, &batches).mean()
                };
                // Differences of fourth order, so that steps can be large beside the rounding of single precision.
                let measured =
                    (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
                let ratio = measured / slope;
                assert!((ratio - 1.0).abs() < 0.02, "{}: measured {measured}, computed {slope}", tensor.name);
            }
        }
    }
}

#[test]
fn threads_do_not_show_and_segments_do_not_see_each_other() {
    let (params, batches) = (params(true), batches());
    let run = |threads| {
        let mut lanes = Lanes::new(&params.config, 3, threads, 200);
        let loss = lanes.learn(&params, &batches);
        (loss, lanes.gradient().to_vec(), lanes.judge(&params, &batches))
    };
    let one = run(1);
    assert!(one == run(2) && one == run(4));
    // Each sample alone fares as it did in company.
    let mut lanes = Lanes::new(&params.config, 1, 1, 200);
    let alone: Vec<_> = batches
        .iter()
        .flat_map(|b| b.segments.iter().map(move |s| (b, s.clone())))
        .flat_map(|(b, s)| {
            let part = Batch {
                tokens: b.tokens[s.clone()].to_vec(),
                targets: b.targets[s.clone()].to_vec(),
                segments: vec![0..s.len()],
                tasks: vec![0],
            };
            lanes.judge(&params, &[part])
        })
        .collect();
    assert_eq!(alone, one.2);
}
