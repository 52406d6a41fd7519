#include "core/cuda/launch.h"
#include "kernels/masked_fill/masked_fill_kernels.h"

namespace voxgrad {
namespace {
template <class E>
__global__ void masked_fill_kernel(int64_t n, const uint8_t* mask, const E* value, const E* x, E* y) {
  const E filler = *value;
  for (int64_t i : grid_stride(n)) y[i] = mask[i] ? filler : x[i];
}
}  // namespace

void masked_fill(Cuda on, int64_t n, View mask, View value, View x, View y) {
  on_element_size(y.dtype, [&]<class E>() {
    launch<masked_fill_kernel<E>>(on, grid_over(n), n, mask.as<uint8_t>(), value.as<E>(), x.as<E>(), y.as<E>());
  });
}

}  // namespace voxgrad
