#include "kernels/matmul/gemm_eigen.h"
#include "kernels/matmul/gemm_variants.h"

// f64, which is for checks of gradients, has this variant alone.
namespace voxgrad::gemm_kernels::baseline {
namespace {
#include "kernels/matmul/gemm_tile.h"
}  // namespace

void gemm_tile(const GemmTile& p, const double* a, const double* b, double* c) { product_of(p, a, b, c); }

}  // namespace voxgrad::gemm_kernels::baseline
