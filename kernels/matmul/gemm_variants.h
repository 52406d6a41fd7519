#pragma once
#include <cstdint>

namespace voxgrad {

// c {m, n} = op(a) op(b) on the calling thread; all row-major with the distance of their rows in elements.
struct GemmTile {
  int64_t m, n, k, a_stride, b_stride, c_stride;
  bool transpose_a, transpose_b;
};
namespace gemm_kernels::baseline {
void gemm_tile(const GemmTile&, const float* a, const float* b, float* c);
void gemm_tile(const GemmTile&, const double* a, const double* b, double* c);
}  // namespace gemm_kernels::baseline
namespace gemm_kernels::avx2 {
void gemm_tile(const GemmTile&, const float* a, const float* b, float* c);
}
namespace gemm_kernels::avx512 {
void gemm_tile(const GemmTile&, const float* a, const float* b, float* c);
}

}  // namespace voxgrad
