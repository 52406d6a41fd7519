#include "kernels/binary/binary_dispatch.h"
#include "kernels/broadcast/broadcast.cuh"

namespace voxgrad {
namespace {

template <class F, class T>
__global__ void binary_broadcast_forward_kernel(Broadcast p, BroadcastSource<T> a, BroadcastSource<T> b, T* y) {
  for (int64_t i : grid_stride(p.count)) {
    int64_t at[2];
    broadcast_places(p, i, at);
    y[i] = T(F::forward(a[at[0]], b[at[1]]));
  }
}

// A gradient is stored as T or, where it is summed afterwards, as f32.
template <class F, class T>
__global__ void binary_broadcast_backward_kernel(Broadcast p, BroadcastSource<T> a, BroadcastSource<T> b, const T* gy, T* ga,
                                                 float* ga_wide, T* gb, float* gb_wide) {
  for (int64_t i : grid_stride(p.count)) {
    int64_t at[2];
    broadcast_places(p, i, at);
    const float u = a[at[0]], v = b[at[1]], g = float(gy[i]);
    if (ga) ga[i] = T(F::grad_a(u, v, g));
    if (ga_wide) ga_wide[i] = F::grad_a(u, v, g);
    if (gb) gb[i] = T(F::grad_b(u, v, g));
    if (gb_wide) gb_wide[i] = F::grad_b(u, v, g);
  }
}

template <class T>
T* narrow(View v) {
  return v.dtype == dtype_of<T> ? v.as<T>() : nullptr;
}
template <class T>
float* wide(View v) {
  return v.dtype == dtype_of<T> ? nullptr : v.as<float>();
}

}  // namespace

void binary_broadcast(Cuda on, BinaryOp op, const Broadcast& p, View a, View b, View y) {
  on_formula(op, [&]<class F>(F) {
    on_dtype(y.dtype, [&]<class T>() {
      launch<binary_broadcast_forward_kernel<F, T>>(on, grid_over(p.count), p, BroadcastSource<T>(a), BroadcastSource<T>(b), y.as<T>());
    });
  });
}

void binary_broadcast_backward(Cuda on, BinaryOp op, const Broadcast& p, View a, View b, View gy, View ga, View gb) {
  on_formula(op, [&]<class F>(F) {
    on_dtype(gy.dtype, [&]<class T>() {
      launch<binary_broadcast_backward_kernel<F, T>>(on, grid_over(p.count), p, BroadcastSource<T>(a), BroadcastSource<T>(b), gy.as<T>(),
                                                     narrow<T>(ga), wide<T>(ga), narrow<T>(gb), wide<T>(gb));
    });
  });
}

}  // namespace voxgrad
