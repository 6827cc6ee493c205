//! The gradient of a low-rank adapter, from that of the weights it changes.

use gtm_model::Adapter;
use gtm_model::kernel::{Mat, Panels, Precision, gemm, scale};

/// With `W = base + s · B · A`: `dB = s · dW · Aᵀ` and `dA = s · Bᵀ · dW`. The whole `dW` is there anyway; at the sizes trained
/// here that costs less than a pass of its own would.
pub(crate) fn gradient(adapter: &Adapter, weights: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; adapter.numbers.len()];
    for target in &adapter.targets {
        let (outer, inner) = (target.tensor.shape[0], target.tensor.shape[1]);
        let a = Mat::new(&adapter.numbers[target.a.clone()], adapter.rank, inner);
        let b = Mat::new(&adapter.numbers[target.b.clone()], outer, adapter.rank);
        let dw = Mat::new(&weights[target.tensor.range.clone()], outer, inner);
        let a_t = Panels::pack(a.t(), Precision::F32);
        gemm(dw, &a_t, adapter.rank, &mut out[target.b.clone()], adapter.rank, false);
        gemm(b.t(), &Panels::pack(dw, Precision::F32), inner, &mut out[target.a.clone()], inner, false);
    }
    scale(&mut out, adapter.scale());
    out
}
