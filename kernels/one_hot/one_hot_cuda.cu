#include "core/cuda/launch.h"
#include "kernels/one_hot/one_hot_kernels.h"

namespace voxgrad {
namespace {
template <class T>
__global__ void one_hot_kernel(int64_t n, int64_t classes, const int64_t* label, T* y) {
  for (int64_t k : grid_stride(n * classes)) y[k] = T(label[k / classes] == k % classes ? 1.f : 0.f);
}
}  // namespace

void one_hot(Cuda on, int64_t n, int64_t classes, View label, View y) {
  on_any_dtype(y.dtype, [&]<class T>() {
    launch<one_hot_kernel<T>>(on, grid_over(n * classes), n, classes, label.as<int64_t>(), y.as<T>());
  });
}

}  // namespace voxgrad
