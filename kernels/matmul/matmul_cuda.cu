#include "core/cuda/blas.h"
#include "core/cuda/launch.h"
#include "kernels/matmul/gemm_kernels.h"

namespace voxgrad {
namespace {
// Every row of c {rows, n} becomes the bias, or 0.
__global__ void matmul_rows_kernel(int64_t count, int64_t n, const float* bias, float* c) {
  for (int64_t i : grid_stride(count)) c[i] = bias ? bias[i % n] : 0.f;
}
}  // namespace

void gemm(Cuda on, const Gemm& p, View a, View b, View bias, View c) {
  const int64_t count = p.batch * p.m * p.n;
  if (count == 0) return;
  if (bias || p.k == 0) launch<matmul_rows_kernel>(on, grid_over(count), count, p.n, bias.as<float>(), c.as<float>());
  if (p.k == 0) return;
  const BlasGemm product{.batch = p.batch, .m = p.m, .n = p.n, .k = p.k, .transpose_a = p.transpose_a, .transpose_b = p.transpose_b,
                         .add = bool(bias)};
  blas_gemm(on, product, a.as<float>(), b.as<float>(), c.as<float>());
}

}  // namespace voxgrad
