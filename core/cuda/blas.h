#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/dtype.h"

namespace voxgrad {

// Row-major c {m, n} = op(a) op(b), or += where `add`, for each of `batch` matrices one behind the other. a is {m, k} or, transposed,
// {k, m}; b is {k, n} or, transposed, {n, k}.
struct BlasGemm {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false, add = false;
};
// In f32 throughout (no tf32), by cuBLAS; the same bits for the same shapes.
void blas_gemm(Cuda, const BlasGemm&, const float* a, const float* b, float* c);

// Square matrices c = a b of n x n f32, multiplied in tf32, or of bf16, added in f32: the rate of the tensor cores.
void blas_square(Cuda, DType, int64_t n, const void* a, const void* b, void* c);

}  // namespace voxgrad
