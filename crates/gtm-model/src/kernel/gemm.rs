//! Matrix products in single precision.
//!
//! `C = A · B`: B lies in panels; A is copied, block by block, into tiles whose rows advance together, and a tile
//! times a panel is a small block of C held in registers while the sum runs. Sums are cut into runs of [`KC`]
//! (so that a run of a panel stays in the first-level cache) but continue where they stopped: each element of C is
//! one chain of multiply-adds in ascending `k`, whatever the block sizes.

use super::panels::{Data, Mat, Panels};
use super::team::Team;
use super::tile::{self, Stored};
use std::cell::RefCell;

/// Length of a run of sums.
const KC: usize = 256;
/// Rows of A that are copied at once, a multiple of every tile height.
const MC: usize = 96;

/// `c = a · b`, or `c += a · b` with `accumulate`. `c` has `a.rows` rows that begin `row_stride` apart. Only the
/// first `a.cols` rows and the first `cols` columns of `b` take part, so that a causal prefix needs no copy.
///
/// # Panics
/// If shapes do not fit, or if `b` is in 8 bits (those are used through [`matmul`]).
pub fn gemm(a: Mat<'_>, b: &Panels, cols: usize, c: &mut [f32], row_stride: usize, accumulate: bool) {
    assert!(a.cols <= b.k && cols <= b.n, "product of shapes that do not fit");
    if a.rows == 0 || cols == 0 {
        return;
    }
    assert!((a.rows - 1) * row_stride + cols <= c.len(), "result does not hold the product");
    multiply(a, b, 0, &mut Out { c, row_stride, cols, accumulate });
}

/// The product with the panels from the `first` on.
fn multiply(a: Mat<'_>, b: &Panels, first: usize, out: &mut Out<'_>) {
    if a.cols == 0 {
        return out.clear(a.rows);
    }
    let from = first * b.width * b.k;
    A_TILES.with_borrow_mut(|tiles| match (&b.data, b.width) {
        (Data::F32(data), 32) => product::<f32, 12, 32>(a, &data[from..], b.k, out, tiles),
        (Data::F32(data), _) => product::<f32, 6, 16>(a, &data[from..], b.k, out, tiles),
        (Data::Bf16(data), 32) => product::<u16, 12, 32>(a, &data[from..], b.k, out, tiles),
        (Data::Bf16(data), _) => product::<u16, 6, 16>(a, &data[from..], b.k, out, tiles),
        (Data::Q8(_), _) => panic!("8-bit operands are used through `matmul`"),
    });
}

/// `out = x · w` for `x` of as many rows as fit, each `k` long; shared among the team, by rows or by columns. Results do
/// not depend on how it is shared.
///
/// # Panics
/// If shapes do not fit.
pub fn matmul(team: &Team, x: &[f32], w: &Panels, out: &mut [f32]) {
    let (k, n) = w.shape();
    let rows = x.len().checked_div(k).unwrap_or(0);
    assert!(x.len() == rows * k && out.len() == rows * n, "product of shapes that do not fit");
    if rows == 0 || n == 0 {
        return;
    }
    let quantized = match &w.data {
        Data::Q8(packed) => Some((packed, packed.quantize_rows(x, k))),
        Data::F32(_) | Data::Bf16(_) => None,
    };
    // Columns `first..` of rows `from..to`, into rows of `cols` floats.
    let part = |from: usize, to: usize, first: usize, cols: usize, c: &mut [f32]| match &quantized {
        Some((packed, x)) => packed.multiply(x, from..to, first, cols, c),
        None => {
            let a = Mat::new(x, rows, k).row_range(from, to);
            multiply(a, w, first / w.width, &mut Out { c, row_stride: cols, cols, accumulate: false });
        }
    };
    let threads = team.threads();
    if threads == 1 || rows * k * n < SHARED_FROM {
        part(0, rows, 0, n, out);
    } else if rows >= threads * ROWS_APART {
        let height = rows.div_ceil(threads * 4).next_multiple_of(ROWS_APART);
        let mut pieces: Vec<&mut [f32]> = out.chunks_mut(height * n).collect();
        team.for_each_mut(&mut pieces, |i, c| part(i * height, rows.min((i + 1) * height), 0, n, c));
    } else {
        let width = n.div_ceil(threads * 2).next_multiple_of(w.width);
        let mut pieces: Vec<Vec<f32>> = vec![Vec::new(); n.div_ceil(width)];
        team.for_each_mut(&mut pieces, |i, c| {
            let cols = width.min(n - i * width);
            c.resize(rows * cols, 0.0);
            part(0, rows, i * width, cols, c);
        });
        for (i, piece) in pieces.iter().enumerate() {
            let cols = piece.len() / rows;
            for (out, row) in out.chunks_exact_mut(n).zip(piece.chunks_exact(cols)) {
                out[i * width..i * width + cols].copy_from_slice(row);
            }
        }
    }
}

/// Multiply-adds below which waking others costs more than it saves.
const SHARED_FROM: usize = 1 << 17;
/// Rows are given out in multiples of this: a multiple of the tile heights.
const ROWS_APART: usize = 12;

thread_local! {
    /// Copies of blocks of A, kept from product to product.
    static A_TILES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

struct Out<'a> {
    c: &'a mut [f32],
    row_stride: usize,
    cols: usize,
    accumulate: bool,
}

impl Out<'_> {
    fn clear(&mut self, rows: usize) {
        if !self.accumulate {
            for row in 0..rows {
                self.c[row * self.row_stride..][..self.cols].fill(0.0);
            }
        }
    }
}

/// The next tile's height: the full one, then what is left in ever smaller tiles.
#[inline(always)]
fn tile_height(left: usize, full: usize) -> usize {
    if left >= full {
        full
    } else if left >= 4 {
        4
    } else if left >= 2 {
        2
    } else {
        1
    }
}

fn product<T: Stored, const MR: usize, const NR: usize>(
    a: Mat<'_>,
    b: &[T],
    k: usize,
    out: &mut Out<'_>,
    tiles: &mut Vec<f32>,
) {
    for k0 in (0..a.cols).step_by(KC) {
        let kc = KC.min(a.cols - k0);
        let continued = k0 > 0 || out.accumulate;
        for i0 in (0..a.rows).step_by(MC) {
            let mc = MC.min(a.rows - i0);
            copy_tiles::<MR>(a, i0, mc, k0, kc, tiles);
            for p in 0..out.cols.div_ceil(NR) {
                let panel = &b[(p * k + k0) * NR..][..kc * NR];
                let (mut i, mut rest) = (0, &tiles[..mc * kc]);
                while i < mc {
                    let height = tile_height(mc - i, MR);
                    let (tile, more) = rest.split_at(height * kc);
                    match height {
                        1 => tile_times_panel::<T, 1, NR>(tile, panel, out, i0 + i, p * NR, continued),
                        2 => tile_times_panel::<T, 2, NR>(tile, panel, out, i0 + i, p * NR, continued),
                        4 => tile_times_panel::<T, 4, NR>(tile, panel, out, i0 + i, p * NR, continued),
                        _ => tile_times_panel::<T, MR, NR>(tile, panel, out, i0 + i, p * NR, continued),
                    }
                    (i, rest) = (i + height, more);
                }
            }
        }
    }
}

/// Copies rows `i0..i0 + mc`, columns `k0..k0 + kc` of A: tile after tile, in each the rows side by side.
#[inline(always)]
fn copy_tiles<const MR: usize>(a: Mat<'_>, i0: usize, mc: usize, k0: usize, kc: usize, tiles: &mut Vec<f32>) {
    if tiles.len() < mc * kc {
        tiles.resize(mc * kc, 0.0);
    }
    let (mut i, mut rest) = (0, &mut tiles[..mc * kc]);
    while i < mc {
        let height = tile_height(mc - i, MR);
        let (tile, more) = rest.split_at_mut(height * kc);
        let start = (i0 + i) * a.row_stride + k0 * a.col_stride;
        if a.row_stride == 1 {
            for (k, out) in tile.chunks_exact_mut(height).enumerate() {
                let from = start + k * a.col_stride;
                out.copy_from_slice(&a.data[from..from + height]);
            }
        } else if a.col_stride == 1 && height == MR {
            let rows: [&[f32]; MR] = std::array::from_fn(|r| &a.data[start + r * a.row_stride..][..kc]);
            let (out, _) = tile.as_chunks_mut::<MR>();
            for (k, out) in out.iter_mut().enumerate() {
                for r in 0..MR {
                    out[r] = rows[r][k];
                }
            }
        } else {
            for r in 0..height {
                let from = start + r * a.row_stride;
                for k in 0..kc {
                    tile[k * height + r] = a.data[from + k * a.col_stride];
                }
            }
        }
        (i, rest) = (i + height, more);
    }
}

/// Adds (or, unless `continued`, sets) one tile times one panel into C.
fn tile_times_panel<T: Stored, const MR: usize, const NR: usize>(
    tile: &[f32],
    panel: &[T],
    out: &mut Out<'_>,
    row: usize,
    col: usize,
    continued: bool,
) {
    let (from, cols) = (row * out.row_stride + col, NR.min(out.cols - col));
    if cols == NR {
        return tile::multiply::<T, MR, NR>(tile, panel, &mut out.c[from..], out.row_stride, continued);
    }
    // The last panel may be wider than C.
    let mut block = [[0.0f32; NR]; MR];
    if continued {
        for (r, block) in block.iter_mut().enumerate() {
            block[..cols].copy_from_slice(&out.c[from + r * out.row_stride..][..cols]);
        }
    }
    tile::multiply::<T, MR, NR>(tile, panel, block.as_flattened_mut(), NR, continued);
    for (r, block) in block.iter().enumerate() {
        out.c[from + r * out.row_stride..][..cols].copy_from_slice(&block[..cols]);
    }
}
