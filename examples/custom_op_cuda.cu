// The CUDA side of custom_op.cpp. Kernels know nothing of tensors: memory, sizes, numbers.
#include "core/cuda/launch.h"
#include "custom_op_kernels.h"

using namespace voxgrad;

namespace {

template <class T>
__global__ void soft_clip_forward_kernel(float limit, int64_t n, const T* x, T* y) {
  for (int64_t i : grid_stride(n)) y[i] = T(soft_clip(float(x[i]), limit));
}
template <class T>
__global__ void soft_clip_backward_kernel(float limit, int64_t n, const T* x, const T* gy, T* gx) {
  for (int64_t i : grid_stride(n)) gx[i] = T(soft_clip_gradient(float(x[i]), float(gy[i]), limit));
}

}  // namespace

void soft_clip_kernel(Cuda on, double limit, int64_t n, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() { launch<soft_clip_forward_kernel<T>>(on, grid_over(n), float(limit), n, x.as<T>(), y.as<T>()); });
}

void soft_clip_gradient_kernel(Cuda on, double limit, int64_t n, View x, View gy, View gx) {
  on_dtype(x.dtype, [&]<class T>() {
    launch<soft_clip_backward_kernel<T>>(on, grid_over(n), float(limit), n, x.as<T>(), gy.as<T>(), gx.as<T>());
  });
}
