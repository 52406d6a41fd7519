#include "kernels/matmul/gemm_eigen.h"
#include "kernels/matmul/gemm_variants.h"

namespace voxgrad::gemm_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {
#include "kernels/matmul/gemm_tile.h"
}  // namespace

void gemm_tile(const GemmTile& p, const float* a, const float* b, float* c) { product_of(p, a, b, c); }

}  // namespace voxgrad::gemm_kernels::VOXGRAD_ISA_NAMESPACE
