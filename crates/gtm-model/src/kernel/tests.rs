//! Kernels against plain references, on random shapes, and against themselves: any tiling, batch and team gives the same
//! bytes.

use super::panels::{Data, bf16_from_f32, f32_from_bf16};
use super::*;
use crate::seed::Rng;
use proptest::prelude::*;

fn random(rng: &mut Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| rng.normal()).collect()
}

/// One chain of multiply-adds for each element: what every kernel must equal, to the byte.
fn reference(a: &[f32], b: &[f32], k: usize, n: usize, c: &mut [f32]) {
    for (a, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
        for (j, c) in c.iter_mut().enumerate() {
            for (p, a) in a.iter().enumerate() {
                *c = a.mul_add(b[p * n + j], *c);
            }
        }
    }
}

fn transposed(x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    (0..rows * cols).map(|i| x[(i % rows) * cols + i / rows]).collect()
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|v| v.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn gemm_is_the_reference_to_the_byte(
        m in 1usize..40, k in 1usize..600, n in 1usize..70, seed: u64, flags in 0u8..8,
    ) {
        let mut rng = Rng::new(seed);
        let (a, b) = (random(&mut rng, m * k), random(&mut rng, k * n));
        let accumulate = flags & 1 != 0;
        let mut wanted = if accumulate { random(&mut rng, m * n) } else { vec![0.0; m * n] };
        // Rows of the result lie apart, and what lies between must stay.
        let stride = n + 3;
        let mut c = vec![7.0; m * stride];
        for (c, w) in c.chunks_exact_mut(stride).zip(wanted.chunks_exact(n)) {
            c[..n].copy_from_slice(w);
        }
        reference(&a, &b, k, n, &mut wanted);
        let (at, bt) = (transposed(&a, m, k), transposed(&b, k, n));
        let left = if flags & 2 != 0 { Mat::new(&at, k, m).t() } else { Mat::new(&a, m, k) };
        let right = if flags & 4 != 0 { Mat::new(&bt, n, k).t() } else { Mat::new(&b, k, n) };
        gemm(left, &Panels::pack(right, Precision::F32), n, &mut c, stride, accumulate);
        for (c, w) in c.chunks_exact(stride).zip(wanted.chunks_exact(n)) {
            prop_assert_eq!(bits(&c[..n]), bits(w));
            prop_assert_eq!(&c[n..], &[7.0; 3]);
        }
    }

    #[test]
    fn gemm_over_a_prefix_of_sums_and_columns(m in 1usize..9, k in 2usize..80, n in 2usize..50, seed: u64) {
        let mut rng = Rng::new(seed);
        let (used_k, used_n) = (1 + rng.below(k), 1 + rng.below(n));
        let (a, b) = (random(&mut rng, m * used_k), random(&mut rng, k * n));
        let kept: Vec<f32> = (0..used_k).flat_map(|p| b[p * n..p * n + used_n].to_vec()).collect();
        let (mut wanted, mut c) = (vec![0.0; m * used_n], vec![0.0; m * used_n]);
        reference(&a, &kept, used_k, used_n, &mut wanted);
        let b = Panels::pack(Mat::new(&b, k, n), Precision::F32);
        gemm(Mat::new(&a, m, used_k), &b, used_n, &mut c, used_n, false);
        prop_assert_eq!(bits(&c), bits(&wanted));
    }

    #[test]
    fn matmul_gives_each_row_the_same_bytes_in_any_batch_and_team(
        m in 1usize..60, k in 1usize..300, n in 1usize..200, threads in 1usize..5, seed: u64, which in 0usize..3,
    ) {
        let mut rng = Rng::new(seed);
        let (x, w) = (random(&mut rng, m * k), random(&mut rng, k * n));
        let precision = [Precision::F32, Precision::Bf16, Precision::Q8][which];
        let panels = Panels::pack(Mat::new(&w, k, n), precision);
        let mut together = vec![0.0; m * n];
        matmul(&Team::new(threads), &x, &panels, &mut together);
        let (alone, mut single) = (Team::new(1), vec![0.0; n]);
        for (x, wanted) in x.chunks_exact(k).zip(together.chunks_exact(n)) {
            matmul(&alone, x, &panels, &mut single);
            prop_assert_eq!(bits(&single), bits(wanted));
        }
        if precision == Precision::Bf16 {
            let rounded: Vec<f32> = w.iter().map(|&v| f32_from_bf16(bf16_from_f32(v))).collect();
            let mut wanted = vec![0.0; m * n];
            reference(&x, &rounded, k, n, &mut wanted);
            prop_assert_eq!(bits(&together), bits(&wanted));
        }
    }

    #[test]
    fn eight_bit_products_are_the_portable_ones_to_the_byte_and_close_to_the_true_ones(
        m in 1usize..14, k in 1usize..300, n in 1usize..70, seed: u64,
    ) {
        let mut rng = Rng::new(seed);
        let (x, w) = (random(&mut rng, m * k), random(&mut rng, k * n));
        let panels = Panels::pack(Mat::new(&w, k, n), Precision::Q8);
        let Data::Q8(packed) = &panels.data else { unreachable!("packed as asked") };
        let mut c = vec![0.0; m * n];
        matmul(&Team::new(1), &x, &panels, &mut c);
        prop_assert_eq!(bits(&c), bits(&q8::reference(packed, &x, &w, k, n)));
        let mut wanted = vec![0.0; m * n];
        reference(&x, &w, k, n, &mut wanted);
        for (c, w) in c.iter().zip(&wanted) {
            // Two roundings of up to 1/254 of a group's largest element (about 3 standard deviations), k of them.
            prop_assert!((c - w).abs() < 0.1 * (k as f32).sqrt(), "{} {}", c, w);
        }
    }
}

#[test]
fn eight_bits_survive_extremes() {
    for (x, w) in
        [(0.0, 0.0), (1e-40, 1e30), (f32::MAX, 1.0), (f32::NAN, 1.0), (f32::INFINITY, 1.0), (-127.0, -127.0)]
    {
        let panels = Panels::pack(Mat::new(&vec![w; 130], 130, 1), Precision::Q8);
        let mut c = [0.0];
        matmul(&Team::new(1), &vec![x; 130], &panels, &mut c);
        if x == -127.0 {
            assert!((c[0] - 130.0 * 127.0 * 127.0).abs() < 1.0, "{}", c[0]);
        }
    }
}

#[test]
fn row_operations_agree_with_plain_ones() {
    let mut rng = Rng::new(3);
    for n in [1, 2, 15, 16, 17, 64, 100, 257] {
        let (a, b) = (random(&mut rng, n), random(&mut rng, n));
        let plain: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        assert!((f64::from(dot(&a, &b)) - plain).abs() < 1e-4);
        let mut y = b.clone();
        axpy(&mut y, 2.0, &a);
        assert!(y.iter().zip(&a).zip(&b).all(|((y, a), b)| *y == a.mul_add(2.0, *b)));
        let mut normed = vec![0.0; n];
        rms_norm(&a, &b, 1e-6, &mut normed);
        let mean = a.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n as f64;
        for i in 0..n {
            let wanted = f64::from(a[i]) / (mean + 1e-6).sqrt() * f64::from(b[i]);
            assert!((f64::from(normed[i]) - wanted).abs() < 1e-5 * (1.0 + wanted.abs()));
        }
        let mut p = a.clone();
        let log_sum = softmax(&mut p);
        let plain: f64 = a.iter().map(|v| f64::from(*v).exp()).sum();
        assert!((f64::from(log_sum) - plain.ln()).abs() < 1e-5);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let mut out = vec![0.0; n];
        silu_mul(&a, &b, &mut out);
        for i in 0..n {
            let g = f64::from(a[i]);
            assert!((f64::from(out[i]) - g / (1.0 + (-g).exp()) * f64::from(b[i])).abs() < 1e-5);
        }
    }
}

#[test]
fn exp_is_close_everywhere() {
    let mut worst = 0.0f64;
    for i in -87_000..88_000 {
        let x = i as f32 * 0.001;
        let wanted = f64::from(x).exp();
        worst = worst.max(((f64::from(exp(x)) - wanted) / wanted).abs());
    }
    assert!(worst < 2.0 * f64::from(f32::EPSILON), "{worst}");
    assert_eq!((exp(-1e9), exp(f32::NEG_INFINITY), exp(0.0)), (0.0, 0.0, 1.0));
    assert!(exp(1e9).is_finite());
}

#[test]
fn attention_agrees_with_a_plain_one() {
    let mut rng = Rng::new(5);
    for (head_dim, len) in [(16, 1), (16, 31), (40, 32), (64, 33), (8, 100)] {
        let (q, k, v) = (
            random(&mut rng, 2 * head_dim),
            random(&mut rng, len * head_dim),
            random(&mut rng, len * head_dim),
        );
        let blocks = len.div_ceil(BLOCK);
        // What lies beyond the last position must not matter.
        let (mut keys, mut values) =
            (vec![f32::NAN; blocks * BLOCK * head_dim], vec![f32::NAN; blocks * BLOCK * head_dim]);
        for p in 0..len {
            let base = p / BLOCK * BLOCK * head_dim;
            for d in 0..head_dim {
                keys[base + d * BLOCK + p % BLOCK] = k[p * head_dim + d];
                values[base + p % BLOCK * head_dim + d] = v[p * head_dim + d];
            }
        }
        let size = BLOCK * head_dim;
        let cached: Vec<_> = keys
            .chunks(size)
            .zip(values.chunks(size))
            .map(|(keys, values)| Cached { keys, values })
            .collect();
        let mut out = vec![0.0; 2 * head_dim];
        attend(&q, head_dim, &cached, len, &mut Vec::new(), &mut out);
        for (q, out) in q.chunks_exact(head_dim).zip(out.chunks_exact(head_dim)) {
            let mut p: Vec<f32> =
                k.chunks_exact(head_dim).map(|k| dot(q, k) / (head_dim as f32).sqrt()).collect();
            softmax(&mut p);
            for d in 0..head_dim {
                let wanted: f32 = (0..len).map(|i| p[i] * v[i * head_dim + d]).sum();
                assert!((out[d] - wanted).abs() < 1e-4);
            }
        }
    }
}

#[test]
fn a_team_does_every_part_once_and_survives_a_panic() {
    for threads in [1, 2, 5] {
        let team = Team::new(threads);
        for parts in [0, 1, 2, 7, 1_000] {
            let mut counts = vec![0; parts];
            team.for_each_mut(&mut counts, |_, count| *count += 1);
            assert!(counts.iter().all(|&c| c == 1));
        }
        let panicking = std::panic::AssertUnwindSafe(|| team.run(8, &|part| assert!(part != 5, "as asked")));
        assert!(std::panic::catch_unwind(panicking).is_err());
        let mut counts = vec![0; 50];
        team.for_each_mut(&mut counts, |index, count| *count = index);
        assert!(counts.iter().enumerate().all(|(i, &c)| i == c));
    }
}
