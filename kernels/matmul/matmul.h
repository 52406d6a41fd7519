#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;  // of the last two axes
};

// {M, K} times {K, N} gives {M, N}; {B, M, K} times {B, K, N} gives {B, M, N}. One dtype, summed in accum_of(dtype). Saves a
// if b wants a gradient and b if a wants one.
Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options = {});

// y[.., k] = sum_c x[.., c] w[k, c] + b[k]: x {.., C} of any rank from 1 on, w {K, C} and b {K} (may be absent) of accum_of(dtype of x),
// y {.., K} of the dtype of x. Saves x and w, each only where the other wants a gradient.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = {});

}  // namespace voxgrad
