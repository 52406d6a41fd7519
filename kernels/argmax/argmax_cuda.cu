#include "core/cuda/launch.h"
#include "kernels/argmax/argmax_kernels.h"

namespace voxgrad {
namespace {

// A thread per output.
template <bool kSmallest, class T, class I>
__global__ void argmax_places_kernel(ReduceRuns p, const T* x, T* values, I* indices) {
  for (int64_t i : grid_stride(p.outer * p.inner)) {
    const T* const from = x + i / p.inner * p.reduced * p.inner + i % p.inner;
    float best = float(from[0]);
    int64_t at = 0;
    for (int64_t r = 1; r < p.reduced; ++r) {
      const float v = float(from[r * p.inner]);
      if (!((kSmallest ? v < best : v > best) || (v != v && best == best))) continue;
      best = v;
      at = r;
    }
    indices[i] = I(at);
    if (values) values[i] = T(best);
  }
}

}  // namespace

void extreme_places(Cuda on, const ReduceRuns& p, bool smallest, View x, View values, View indices) {
  on_dtype(x.dtype, [&]<class T>() {
    const auto go = [&]<bool kSmallest, class I>(I* into) {
      launch<argmax_places_kernel<kSmallest, T, I>>(on, grid_over(p.outer * p.inner), p, x.as<T>(), values.as<T>(), into);
    };
    const auto go_on = [&]<class I>(I* into) {
      smallest ? go.template operator()<true>(into) : go.template operator()<false>(into);
    };
    indices.dtype == DType::i32 ? go_on(indices.as<int32_t>()) : go_on(indices.as<int64_t>());
  });
}

}  // namespace voxgrad
