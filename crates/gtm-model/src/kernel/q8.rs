//! Products with weights in 8 bits.
//!
//! Along the summed index, both operands are cut into groups of [`Q8_GROUP`]; a group of a column (or of a row of
//! the left operand) is stored as integers in ±127 and one scale. Sums within a group are exact integers, so their
//! order does not matter; groups are added in ascending order, each by one multiply-add. Hence the same bytes on
//! every processor.

use super::cpu::Isa;
use super::panels::Mat;

/// Elements that share a scale.
pub(super) const Q8_GROUP: usize = 64;
/// Columns of a panel.
pub(super) const WIDTH: usize = 16;
/// Rows that a kernel takes at once.
const MR: usize = 6;

/// The right operand. Panel by panel, group by group: for each step of `interleave` summed elements, those of the
/// first column, those of the second, … The sums are padded with zeros to whole groups, columns to whole panels.
pub(super) struct Packed {
    groups: usize,
    /// 4 where the processor multiplies bytes by fours, else 2.
    interleave: usize,
    weights: Vec<i8>,
    /// For each panel, group and column.
    scales: Vec<f32>,
    /// For each panel, group and column, -128 times the sum of the weights: the byte instructions take the left
    /// operand as unsigned, so it is stored with 128 added. Empty where that is not so.
    offsets: Vec<i32>,
}

/// The left operand, quantized: `interleave` neighbours to a word.
pub(super) struct Rows {
    words: Vec<i32>,
    words_per_row: usize,
    /// For each row and group.
    scales: Vec<f32>,
    groups: usize,
}

/// Scale of a group, and the integers' factor (0 for a group of zeros).
fn scale_of(top: f32) -> (f32, f32) {
    if top > 0.0 && top.is_finite() { (top / 127.0, 127.0 / top) } else { (0.0, 0.0) }
}

/// The nearest integer, ties to even. `v * factor` is within ±127 (NaN, too, is taken there).
#[inline(always)]
#[allow(clippy::manual_clamp)] // which would let NaN through
fn quantize(v: f32, factor: f32) -> i8 {
    // Adding 1.5 · 2^23 leaves the integer in the low bits.
    ((v * factor).max(-127.0).min(127.0) + 12_582_912.0).to_bits() as i8
}

impl Packed {
    pub(super) fn new(b: Mat<'_>) -> Packed {
        let interleave = if Isa::detect() == Isa::Avx512 { 4 } else { 2 };
        let groups = b.rows.div_ceil(Q8_GROUP);
        let panels = b.cols.div_ceil(WIDTH);
        let mut packed = Packed {
            groups,
            interleave,
            weights: vec![0; panels * groups * Q8_GROUP * WIDTH],
            scales: vec![0.0; panels * groups * WIDTH],
            offsets: vec![0; if interleave == 4 { panels * groups * WIDTH } else { 0 }],
        };
        for col in 0..b.cols {
            for group in 0..groups {
                packed.set(b, col, group);
            }
        }
        packed
    }

    fn set(&mut self, b: Mat<'_>, col: usize, group: usize) {
        let (from, to) = (group * Q8_GROUP, b.rows.min((group + 1) * Q8_GROUP));
        let block = (col / WIDTH) * self.groups + group;
        let top = (from..to).fold(0.0f32, |top, k| top.max(b.at(k, col).abs()));
        let (scale, factor) = scale_of(top);
        self.scales[block * WIDTH + col % WIDTH] = scale;
        let weights = &mut self.weights[block * Q8_GROUP * WIDTH..][..Q8_GROUP * WIDTH];
        let mut sum = 0;
        for k in from..to {
            let q = quantize(b.at(k, col), factor);
            let (step, within) = ((k - from) / self.interleave, (k - from) % self.interleave);
            weights[(step * WIDTH + col % WIDTH) * self.interleave + within] = q;
            sum += i32::from(q);
        }
        if let Some(offset) = self.offsets.get_mut(block * WIDTH + col % WIDTH) {
            *offset = -128 * sum;
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.weights.len() + 4 * (self.scales.len() + self.offsets.len())
    }

    /// Quantizes rows of `k` elements to be multiplied with this operand.
    pub(super) fn quantize_rows(&self, x: &[f32], k: usize) -> Rows {
        let words_per_group = Q8_GROUP / self.interleave;
        let words_per_row = self.groups * words_per_group;
        let rows = x.len().checked_div(k).unwrap_or(0);
        let mut out = Rows {
            words: Vec::with_capacity(rows * words_per_row),
            words_per_row,
            scales: Vec::with_capacity(rows * self.groups),
            groups: self.groups,
        };
        for row in x.chunks_exact(k.max(1)) {
            for group in row.chunks(Q8_GROUP) {
                let mut padded = [0.0f32; Q8_GROUP];
                padded[..group.len()].copy_from_slice(group);
                let (scale, values) = quantize_group(&padded);
                out.scales.push(scale);
                if self.interleave == 4 {
                    out.words.extend(
                        values
                            .as_chunks::<4>()
                            .0
                            .iter()
                            .map(|v| i32::from_le_bytes(v.map(|q| (i16::from(q) + 128) as u8))),
                    );
                } else {
                    out.words.extend(
                        values
                            .as_chunks::<2>()
                            .0
                            .iter()
                            .map(|&[a, b]| i32::from(i16::from(a) as u16) | (i32::from(i16::from(b)) << 16)),
                    );
                }
            }
        }
        out
    }

    /// Multiplies rows `rows` of the left operand with the panels from column `col` (a multiple of [`WIDTH`]) to
    /// `col + cols`; `out` takes the rows one after another, `cols` wide.
    pub(super) fn multiply(
        &self,
        x: &Rows,
        rows: std::ops::Range<usize>,
        col: usize,
        cols: usize,
        out: &mut [f32],
    ) {
        assert!(col.is_multiple_of(WIDTH) && x.groups == self.groups && out.len() >= rows.len() * cols);
        for p in 0..cols.div_ceil(WIDTH) {
            let panel = self.panel(col / WIDTH + p);
            let used = WIDTH.min(cols - p * WIDTH);
            let mut row = rows.start;
            while row < rows.end {
                let height = match rows.end - row {
                    left if left >= MR => MR,
                    left if left >= 3 => 3,
                    _ => 1,
                };
                let mut sums = [[0.0f32; WIDTH]; MR];
                match height {
                    MR => tile::<MR>(x, row, panel, &mut sums),
                    3 => tile::<3>(x, row, panel, &mut sums),
                    _ => tile::<1>(x, row, panel, &mut sums),
                }
                for (r, sums) in sums[..height].iter().enumerate() {
                    let at = (row + r - rows.start) * cols + p * WIDTH;
                    out[at..at + used].copy_from_slice(&sums[..used]);
                }
                row += height;
            }
        }
    }

    fn panel(&self, index: usize) -> Panel<'_> {
        let scales = index * self.groups * WIDTH..(index + 1) * self.groups * WIDTH;
        Panel {
            weights: &self.weights[scales.start * Q8_GROUP..scales.end * Q8_GROUP],
            offsets: self.offsets.get(scales.clone()).unwrap_or(&[]),
            scales: &self.scales[scales],
        }
    }
}

super::cpu::for_each_isa! {
    /// The scale and integers of one group.
    fn quantize_group(x: &[f32; Q8_GROUP]) -> (f32, [i8; Q8_GROUP]) = quantize_group_body;
}

#[inline(always)]
fn quantize_group_body(x: &[f32; Q8_GROUP]) -> (f32, [i8; Q8_GROUP]) {
    let mut tops = [0.0f32; 16];
    for chunk in x.as_chunks::<16>().0 {
        for i in 0..16 {
            tops[i] = if chunk[i].abs() > tops[i] { chunk[i].abs() } else { tops[i] };
        }
    }
    let top = tops.iter().fold(0.0f32, |a, &b| if b > a { b } else { a });
    let (scale, factor) = scale_of(top);
    let mut values = [0; Q8_GROUP];
    for (q, v) in values.iter_mut().zip(x) {
        *q = quantize(*v, factor);
    }
    (scale, values)
}

#[derive(Clone, Copy)]
struct Panel<'a> {
    weights: &'a [i8],
    scales: &'a [f32],
    offsets: &'a [i32],
}

/// Rows `row..row + R` times one panel.
fn tile<const R: usize>(x: &Rows, row: usize, panel: Panel<'_>, sums: &mut [[f32; WIDTH]; MR]) {
    let words: [&[i32]; R] =
        std::array::from_fn(|r| &x.words[(row + r) * x.words_per_row..][..x.words_per_row]);
    let scales: [&[f32]; R] = std::array::from_fn(|r| &x.scales[(row + r) * x.groups..][..x.groups]);
    #[cfg(target_arch = "x86_64")]
    match Isa::detect() {
        // SAFETY: detection found the instructions that the function is compiled for.
        Isa::Avx512 => return unsafe { x86::avx512::<R>(words, scales, panel, sums) },
        // SAFETY: as above.
        Isa::Avx2 => return unsafe { x86::avx2::<R>(words, scales, panel, sums) },
        Isa::Portable => {}
    }
    portable::<R>(words, scales, panel, sums);
}

/// What the vector kernels must equal, to the byte.
fn portable<const R: usize>(
    words: [&[i32]; R],
    scales: [&[f32]; R],
    panel: Panel<'_>,
    sums: &mut [[f32; WIDTH]; MR],
) {
    const STEPS: usize = Q8_GROUP / 2;
    let (weights, _) = panel.weights.as_chunks::<{ 2 * WIDTH }>();
    let (panel_scales, _) = panel.scales.as_chunks::<WIDTH>();
    for (g, (weights, panel_scales)) in weights.chunks_exact(STEPS).zip(panel_scales).enumerate() {
        for r in 0..R {
            let mut dots = [0i32; WIDTH];
            for (weights, &word) in weights.iter().zip(&words[r][g * STEPS..]) {
                let (low, high) = (i32::from(word as i16), word >> 16);
                for j in 0..WIDTH {
                    dots[j] += low * i32::from(weights[2 * j]) + high * i32::from(weights[2 * j + 1]);
                }
            }
            for j in 0..WIDTH {
                sums[r][j] = (dots[j] as f32).mul_add(scales[r][g] * panel_scales[j], sums[r][j]);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{MR, Panel, Q8_GROUP, WIDTH};
    use std::arch::x86_64::*;

    /// Sixteen-bit multiply-adds of neighbours; bytes are widened on the way.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2<const R: usize>(
        words: [&[i32]; R],
        scales: [&[f32]; R],
        panel: Panel<'_>,
        sums: &mut [[f32; WIDTH]; MR],
    ) {
        const STEPS: usize = Q8_GROUP / 2;
        let (weights, _) = panel.weights.as_chunks::<{ 2 * WIDTH }>();
        let (panel_scales, _) = panel.scales.as_chunks::<WIDTH>();
        let mut totals = [[_mm256_setzero_ps(); 2]; R];
        for (g, (weights, panel_scales)) in weights.chunks_exact(STEPS).zip(panel_scales).enumerate() {
            let words: [&[i32; STEPS]; R] =
                std::array::from_fn(|r| words[r][g * STEPS..].first_chunk().expect("a word for each step"));
            let mut dots = [[_mm256_setzero_si256(); 2]; R];
            for s in 0..STEPS {
                // SAFETY: two loads of 16 bytes from an array of 32.
                let (low, high) = unsafe {
                    let at = weights[s].as_ptr();
                    (_mm_loadu_si128(at.cast()), _mm_loadu_si128(at.add(16).cast()))
                };
                let (low, high) = (_mm256_cvtepi8_epi16(low), _mm256_cvtepi8_epi16(high));
                for r in 0..R {
                    let word = _mm256_set1_epi32(words[r][s]);
                    dots[r][0] = _mm256_add_epi32(dots[r][0], _mm256_madd_epi16(word, low));
                    dots[r][1] = _mm256_add_epi32(dots[r][1], _mm256_madd_epi16(word, high));
                }
            }
            // SAFETY: two loads of 8 floats from an array of 16.
            let panel_scales = unsafe {
                let at = panel_scales.as_ptr();
                [_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))]
            };
            for r in 0..R {
                let scale = _mm256_set1_ps(scales[r][g]);
                for h in 0..2 {
                    let factor = _mm256_mul_ps(scale, panel_scales[h]);
                    totals[r][h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[r][h]), factor, totals[r][h]);
                }
            }
        }
        for (sums, totals) in sums.iter_mut().zip(&totals) {
            // SAFETY: two stores of 8 floats into an array of 16.
            unsafe {
                _mm256_storeu_ps(sums.as_mut_ptr(), totals[0]);
                _mm256_storeu_ps(sums.as_mut_ptr().add(8), totals[1]);
            }
        }
    }

    /// Dot products of four unsigned with four signed bytes.
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub(super) fn avx512<const R: usize>(
        words: [&[i32]; R],
        scales: [&[f32]; R],
        panel: Panel<'_>,
        sums: &mut [[f32; WIDTH]; MR],
    ) {
        const STEPS: usize = Q8_GROUP / 4;
        let (weights, _) = panel.weights.as_chunks::<{ 4 * WIDTH }>();
        let (panel_scales, _) = panel.scales.as_chunks::<WIDTH>();
        let (offsets, _) = panel.offsets.as_chunks::<WIDTH>();
        let mut totals = [_mm512_setzero_ps(); R];
        let groups = weights.chunks_exact(STEPS).zip(panel_scales).zip(offsets);
        for (g, ((weights, panel_scales), offsets)) in groups.enumerate() {
            let words: [&[i32; STEPS]; R] =
                std::array::from_fn(|r| words[r][g * STEPS..].first_chunk().expect("a word for each step"));
            // SAFETY: a load of 16 integers from an array of 16.
            let offsets = unsafe { _mm512_loadu_si512(offsets.as_ptr().cast()) };
            let mut dots = [offsets; R];
            for s in 0..STEPS {
                // SAFETY: a load of 64 bytes from an array of 64.
                let weights = unsafe { _mm512_loadu_si512(weights[s].as_ptr().cast()) };
                for r in 0..R {
                    dots[r] = _mm512_dpbusd_epi32(dots[r], _mm512_set1_epi32(words[r][s]), weights);
                }
            }
            // SAFETY: a load of 16 floats from an array of 16.
            let panel_scales = unsafe { _mm512_loadu_ps(panel_scales.as_ptr()) };
            for r in 0..R {
                let factor = _mm512_mul_ps(_mm512_set1_ps(scales[r][g]), panel_scales);
                totals[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[r]), factor, totals[r]);
            }
        }
        for (sums, totals) in sums.iter_mut().zip(&totals) {
            // SAFETY: a store of 16 floats into an array of 16.
            unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), *totals) };
        }
    }
}

/// Quantizes and multiplies one element after another: what the kernels must equal, to the byte.
#[cfg(test)]
pub(super) fn reference(packed: &Packed, x: &[f32], w: &[f32], k: usize, n: usize) -> Vec<f32> {
    let mut out = Vec::new();
    for x in x.chunks_exact(k) {
        for j in 0..n {
            let column: Vec<f32> = (0..k).map(|p| w[p * n + j]).collect();
            let mut sum = 0.0f32;
            for (x, w) in x.chunks(Q8_GROUP).zip(column.chunks(Q8_GROUP)) {
                let scales = [x, w].map(|v| scale_of(v.iter().fold(0.0f32, |top, v| top.max(v.abs()))));
                let dot: i32 = x
                    .iter()
                    .zip(w)
                    .map(|(x, w)| i32::from(quantize(*x, scales[0].1)) * i32::from(quantize(*w, scales[1].1)))
                    .sum();
                sum = (dot as f32).mul_add(scales[0].0 * scales[1].0, sum);
            }
            out.push(sum);
        }
    }
    assert!(packed.groups == k.div_ceil(Q8_GROUP));
    out
}
