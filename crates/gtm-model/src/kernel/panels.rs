//! Operands of matrix products: a view of the left one, the right one packed for the kernels.

use super::cpu::Isa;
use super::q8;

/// A matrix seen through strides, so that a transpose costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
}

impl<'a> Mat<'a> {
    /// A `rows × cols` matrix, row by row in `data`.
    ///
    /// # Panics
    /// If `data` is shorter than that.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Mat<'a> {
        Mat::strided(data, rows, cols, cols)
    }

    /// A `rows × cols` matrix whose rows begin `row_stride` apart.
    ///
    /// # Panics
    /// If `data` is shorter than that.
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Mat<'a> {
        assert!(
            rows == 0 || cols == 0 || (rows - 1) * row_stride + cols <= data.len(),
            "matrix beyond its data"
        );
        Mat { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transpose.
    pub fn t(self) -> Mat<'a> {
        Mat {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// Rows `from..to` only.
    pub(super) fn row_range(self, from: usize, to: usize) -> Mat<'a> {
        Mat { data: &self.data[(from * self.row_stride).min(self.data.len())..], rows: to - from, ..self }
    }

    pub(super) fn at(&self, row: usize, col: usize) -> f32 {
        self.data[row * self.row_stride + col * self.col_stride]
    }
}

/// How the packed operand is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Single precision.
    F32,
    /// Rounded to bfloat16; products and sums in single precision.
    Bf16,
    /// 8-bit integers with a scale per [`Q8_GROUP`](q8::GROUP) summed elements; the left operand is quantized
    /// alike, row by row, on the way.
    Q8,
}

pub(super) enum Data {
    F32(Vec<f32>),
    Bf16(Vec<u16>),
    Q8(q8::Packed),
}

/// The right operand of products, `k × n`, cut into panels of [`Panels::width`] columns that lie one row after
/// another: what a kernel reads in one go lies in one piece.
pub struct Panels {
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) width: usize,
    pub(super) data: Data,
}

impl Panels {
    /// Packs a `k × n` matrix.
    pub fn pack(b: Mat<'_>, precision: Precision) -> Panels {
        let mut panels = Panels { k: 0, n: 0, width: 16, data: Data::F32(Vec::new()) };
        match precision {
            Precision::F32 => panels.repack(b),
            Precision::Bf16 => {
                panels.repack(b);
                if let Data::F32(data) = &panels.data {
                    panels.data = Data::Bf16(data.iter().map(|&v| bf16_from_f32(v)).collect());
                }
            }
            Precision::Q8 => {
                panels =
                    Panels { k: b.rows, n: b.cols, width: q8::WIDTH, data: Data::Q8(q8::Packed::new(b)) };
            }
        }
        panels
    }

    /// An empty operand, to be filled by [`Panels::repack`].
    pub fn empty() -> Panels {
        Panels { k: 0, n: 0, width: 16, data: Data::F32(Vec::new()) }
    }

    /// Packs another matrix, in single precision, into the memory of this one.
    pub fn repack(&mut self, b: Mat<'_>) {
        let width = if Isa::detect() == Isa::Avx512 { 32 } else { 16 };
        let mut data = match std::mem::replace(&mut self.data, Data::F32(Vec::new())) {
            Data::F32(data) => data,
            Data::Bf16(_) | Data::Q8(_) => Vec::new(),
        };
        let panels = b.cols.div_ceil(width);
        data.resize(panels * width * b.rows, 0.0);
        for (p, panel) in data.chunks_exact_mut((width * b.rows).max(1)).enumerate() {
            let from = p * width;
            let cols = width.min(b.cols - from);
            pack_panel(b, from, cols, width, panel);
        }
        *self = Panels { k: b.rows, n: b.cols, width, data: Data::F32(data) };
    }

    /// Length of the sums, and number of columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.k, self.n)
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match &self.data {
            Data::F32(data) => data.len() * 4,
            Data::Bf16(data) => data.len() * 2,
            Data::Q8(packed) => packed.bytes(),
        }
    }
}

fn pack_panel(b: Mat<'_>, from: usize, cols: usize, width: usize, panel: &mut [f32]) {
    if b.col_stride == 1 {
        for (k, out) in panel.chunks_exact_mut(width).enumerate() {
            let start = k * b.row_stride + from;
            out[..cols].copy_from_slice(&b.data[start..start + cols]);
            out[cols..].fill(0.0);
        }
        return;
    }
    // A transposed matrix: read along its memory, eight sums at a time so that writes stay close together.
    const STEP: usize = 8;
    for k0 in (0..b.rows).step_by(STEP) {
        let steps = STEP.min(b.rows - k0);
        let block = &mut panel[k0 * width..(k0 + steps) * width];
        for j in 0..width {
            if j < cols {
                let start = (from + j) * b.col_stride + k0 * b.row_stride;
                if b.row_stride == 1 {
                    let source = &b.data[start..start + steps];
                    for (i, v) in source.iter().enumerate() {
                        block[i * width + j] = *v;
                    }
                } else {
                    for i in 0..steps {
                        block[i * width + j] = b.data[start + i * b.row_stride];
                    }
                }
            } else {
                for i in 0..steps {
                    block[i * width + j] = 0.0;
                }
            }
        }
    }
}

/// Rounds to the nearest bfloat16, ties to even.
pub(crate) fn bf16_from_f32(v: f32) -> u16 {
    let bits = v.to_bits();
    if v.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) as u16
}

/// The value of a bfloat16.
#[inline(always)]
pub(crate) fn f32_from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}
