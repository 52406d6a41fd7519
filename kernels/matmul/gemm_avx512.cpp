// Eigen under a name of this instruction set, so that none of its inline functions is shared with files compiled for another.
// GCC 12 and 13 warn about their own AVX-512 intrinsics (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#define EIGEN_DONT_PARALLELIZE
#define Eigen Eigen_avx512
#include <Eigen/Core>

#include "kernels/matmul/gemm_variants.h"

namespace voxgrad::gemm_avx512 {
namespace {
#include "kernels/matmul/gemm_tile.h"
}  // namespace

void gemm_tile(const GemmTile& p, const float* a, const float* b, float* c) { product_of(p, a, b, c); }

}  // namespace voxgrad::gemm_avx512
