#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;  // of the last two axes
};

// {.., M, K} times {.., K, N} gives {.., M, N}, up to rank 8: the axes before the last two are batches, which are broadcast by NumPy's
// rule (kernels/binary/binary.h). A vector {K} on the left is {1, K}, one on the right {K, 1}, and the axis of extent 1 is left out of the
// result; vectors are not transposed. One dtype, summed in accum_of(dtype). Error where the inner extents differ. Saves a if b wants a
// gradient and b if a wants one. The gradient of batches that repeat is their sum. Fastest: batches of equal shape, or none on the right.
Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options = {});

// y[.., k] = sum_c x[.., c] w[k, c] + b[k]: x {.., C} of any rank from 1 on, w {K, C} and b {K} (may be absent) of accum_of(dtype of x),
// y {.., K} of the dtype of x. Saves x and w, each only where the other wants a gradient.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = {});

}  // namespace voxgrad
