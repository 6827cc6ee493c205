//! Arithmetic: matrix products, row operations and the threads that share them.
//!
//! Everything here gives **the same bytes on any processor, at any batch size and any number of threads**:
//! each output element is one chain of fused multiply-adds in ascending order of the summed index
//! (or one exact integer sum per group, for 8-bit weights), and tiling, vector width and threads only decide
//! which elements are computed side by side. Sums over a row use sixteen fixed lanes, folded in a fixed order.
//!
//! This is the only module with `unsafe` code. What it needs it for:
//! - calling a function compiled for instructions that were just found to be there ([`Isa::detect`]);
//! - vector loads and stores in the innermost loops (`tile`, `q8`), each in an array or block whose size was checked;
//! - handing borrowed work to the threads of a [`Team`], which returns only when all of them are done.
#![allow(unsafe_code)]

mod attend;
mod cpu;
mod gemm;
mod grad;
mod panels;
mod q8;
mod rows;
mod team;
mod tile;

pub use attend::{BLOCK, Cached, attend};
pub use cpu::Isa;
pub use gemm::{gemm, matmul};
pub use grad::{AdamW, adamw, exp_shifted, rms_norm_backward, scale, silu_mul_backward, softmax_backward};
pub use panels::{Mat, Panels, Precision};
pub(crate) use panels::{bf16_from_f32, f32_from_bf16};
pub use rows::{add, axpy, dot, exp, rms_norm, silu, silu_mul, softmax, sum_squares};
pub use team::Team;

#[cfg(test)]
mod tests;
