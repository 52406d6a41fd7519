// Eigen under a name of this instruction set, so that none of its inline functions is shared with files compiled for another.
#define EIGEN_DONT_PARALLELIZE
#define Eigen Eigen_baseline
#include <Eigen/Core>

#include "kernels/matmul/gemm_variants.h"

namespace voxgrad::gemm_baseline {
namespace {
#include "kernels/matmul/gemm_tile.h"
}  // namespace

void gemm_tile(const GemmTile& p, const float* a, const float* b, float* c) { product_of(p, a, b, c); }
void gemm_tile(const GemmTile& p, const double* a, const double* b, double* c) { product_of(p, a, b, c); }

}  // namespace voxgrad::gemm_baseline
