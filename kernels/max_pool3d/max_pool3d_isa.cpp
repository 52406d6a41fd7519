#include <type_traits>

#include "kernels/max_pool3d/max_pool3d_variants.h"

namespace voxgrad::max_pool_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {
#include "kernels/max_pool3d/max_pool3d_rows.h"
}  // namespace

#define X(T, I) \
  void max_pool_row(const MaxPoolRow<T>& p, T* y, I* winner) { forward_row(p, y, winner); }
VOXGRAD_MAX_POOL_TYPES(X)
#undef X

}  // namespace voxgrad::max_pool_kernels::VOXGRAD_ISA_NAMESPACE
