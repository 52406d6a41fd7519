#include "core/cuda/launch.h"
#include "kernels/cumsum/cumsum_kernels.h"

namespace voxgrad {
namespace {

// A thread per row along the axis.
template <class T>
__global__ void cumsum_rows_kernel(ReduceRuns p, bool reverse, const T* x, T* y) {
  for (int64_t k : grid_stride(p.outer * p.inner)) {
    const int64_t first = k / p.inner * p.reduced * p.inner + k % p.inner;
    double sum = 0;
    for (int64_t i = 0; i < p.reduced; ++i) {
      const int64_t at = first + (reverse ? p.reduced - 1 - i : i) * p.inner;
      sum += double(float(x[at]));
      y[at] = T(float(sum));
    }
  }
}

}  // namespace

void cumulative_sum(Cuda on, const ReduceRuns& p, bool reverse, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    launch<cumsum_rows_kernel<T>>(on, grid_over(p.outer * p.inner), p, reverse, x.as<T>(), y.as<T>());
  });
}

}  // namespace voxgrad
