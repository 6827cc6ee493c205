//! The innermost loops of [`gemm`](super::gemm): a tile of A times a panel of B.

use super::cpu::Isa;
use super::panels::f32_from_bf16;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// A stored element of B.
pub(super) trait Stored: Copy {
    fn value(self) -> f32;

    /// Eight elements, widened.
    ///
    /// # Safety
    /// `at` points to eight elements.
    #[cfg(target_arch = "x86_64")]
    unsafe fn load8(at: *const Self) -> std::arch::x86_64::__m256;

    /// Sixteen elements, widened.
    ///
    /// # Safety
    /// `at` points to sixteen elements, and the processor has AVX-512 F.
    #[cfg(target_arch = "x86_64")]
    unsafe fn load16(at: *const Self) -> std::arch::x86_64::__m512;
}

impl Stored for f32 {
    fn value(self) -> f32 {
        self
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn load8(at: *const f32) -> __m256 {
        // SAFETY: by the contract.
        unsafe { _mm256_loadu_ps(at) }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn load16(at: *const f32) -> __m512 {
        // SAFETY: by the contract.
        unsafe { _mm512_loadu_ps(at) }
    }
}

/// Bits of a bfloat16.
impl Stored for u16 {
    fn value(self) -> f32 {
        f32_from_bf16(self)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn load8(at: *const u16) -> __m256 {
        // SAFETY: by the contract.
        unsafe {
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()))))
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn load16(at: *const u16) -> __m512 {
        // SAFETY: by the contract.
        unsafe {
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(at.cast()))))
        }
    }
}

/// `c = tile · panel` or, if `continued`, `c += tile · panel`. The tile holds `MR` elements for each summed index, the panel
/// `NR`; `c` has `MR` rows of `NR` elements that begin `row_stride` apart.
///
/// # Panics
/// If slices are too short.
pub(super) fn multiply<T: Stored, const MR: usize, const NR: usize>(
    tile: &[f32],
    panel: &[T],
    c: &mut [f32],
    row_stride: usize,
    continued: bool,
) {
    let (tile, _) = tile.as_chunks::<MR>();
    let (panel, _) = panel.as_chunks::<NR>();
    assert!(
        tile.len() == panel.len() && (MR - 1) * row_stride + NR <= c.len(),
        "tile, panel and block must fit"
    );
    #[cfg(target_arch = "x86_64")]
    match (Isa::detect(), NR) {
        (Isa::Avx512, 32) => {
            // SAFETY: detection found the instructions that the function is compiled for; `c` holds the block.
            return unsafe { avx512::<T, MR, NR>(tile, panel, c.as_mut_ptr(), row_stride, continued) };
        }
        (Isa::Avx512 | Isa::Avx2, 16) => {
            // SAFETY: as above.
            return unsafe { avx2::<T, MR, NR>(tile, panel, c.as_mut_ptr(), row_stride, continued) };
        }
        _ => {}
    }
    portable::<T, MR, NR>(tile, panel, c, row_stride, continued);
}

/// What the vector kernels must equal, to the byte.
pub(super) fn portable<T: Stored, const MR: usize, const NR: usize>(
    tile: &[[f32; MR]],
    panel: &[[T; NR]],
    c: &mut [f32],
    row_stride: usize,
    continued: bool,
) {
    for r in 0..MR {
        let c = &mut c[r * row_stride..][..NR];
        if !continued {
            c.fill(0.0);
        }
        for (a, b) in tile.iter().zip(panel) {
            for (c, b) in c.iter_mut().zip(b) {
                *c = a[r].mul_add(b.value(), *c);
            }
        }
    }
}

/// # Safety
/// The processor has AVX2 and FMA; `NR` is 16; `c` points to `MR` rows of 16 floats, `row_stride` apart, that nobody else
/// uses meanwhile.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<T: Stored, const MR: usize, const NR: usize>(
    tile: &[[f32; MR]],
    panel: &[[T; NR]],
    c: *mut f32,
    row_stride: usize,
    continued: bool,
) {
    let mut sums = [[_mm256_setzero_ps(); 2]; MR];
    if continued {
        for (r, sums) in sums.iter_mut().enumerate() {
            // SAFETY: 16 floats of row `r`.
            *sums = unsafe {
                [_mm256_loadu_ps(c.add(r * row_stride)), _mm256_loadu_ps(c.add(r * row_stride + 8))]
            };
        }
    }
    for (a, b) in tile.iter().zip(panel) {
        // SAFETY: an array of 16 elements.
        let (low, high) = unsafe { (T::load8(b.as_ptr()), T::load8(b.as_ptr().add(8))) };
        for r in 0..MR {
            let a = _mm256_set1_ps(a[r]);
            sums[r][0] = _mm256_fmadd_ps(a, low, sums[r][0]);
            sums[r][1] = _mm256_fmadd_ps(a, high, sums[r][1]);
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        // SAFETY: 16 floats of row `r`.
        unsafe {
            _mm256_storeu_ps(c.add(r * row_stride), sums[0]);
            _mm256_storeu_ps(c.add(r * row_stride + 8), sums[1]);
        }
    }
}

/// # Safety
/// The processor has AVX-512 F; `NR` is 32; `c` points to `MR` rows of 32 floats, `row_stride` apart, that nobody else uses
/// meanwhile.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f")]
unsafe fn avx512<T: Stored, const MR: usize, const NR: usize>(
    tile: &[[f32; MR]],
    panel: &[[T; NR]],
    c: *mut f32,
    row_stride: usize,
    continued: bool,
) {
    let mut sums = [[_mm512_setzero_ps(); 2]; MR];
    if continued {
        for (r, sums) in sums.iter_mut().enumerate() {
            // SAFETY: 32 floats of row `r`.
            *sums = unsafe {
                [_mm512_loadu_ps(c.add(r * row_stride)), _mm512_loadu_ps(c.add(r * row_stride + 16))]
            };
        }
    }
    for (a, b) in tile.iter().zip(panel) {
        // SAFETY: an array of 32 elements.
        let (low, high) = unsafe { (T::load16(b.as_ptr()), T::load16(b.as_ptr().add(16))) };
        for r in 0..MR {
            let a = _mm512_set1_ps(a[r]);
            sums[r][0] = _mm512_fmadd_ps(a, low, sums[r][0]);
            sums[r][1] = _mm512_fmadd_ps(a, high, sums[r][1]);
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        // SAFETY: 32 floats of row `r`.
        unsafe {
            _mm512_storeu_ps(c.add(r * row_stride), sums[0]);
            _mm512_storeu_ps(c.add(r * row_stride + 16), sums[1]);
        }
    }
}
