#include "core/cuda/elements.h"
#include "kernels/pointwise/pointwise_kernels.h"

namespace voxgrad {
namespace {

template <class F, class T, int N>
__global__ void pointwise_forward_kernel(F f, PackLoop<N> loop, const T* x, T* y) {
  for_packs(loop, [&](int64_t i, auto width) {
    constexpr int kWidth = width.value;
    auto v = load_pack<kWidth>(x + i);
    for (T& e : v.v) e = T(f.forward(float(e)));
    store_pack(y + i, v);
  });
}

template <class F, class T, int N>
__global__ void pointwise_backward_kernel(F f, PackLoop<N> loop, const T* x, const T* y, const T* gy, T* gx) {
  for_packs(loop, [&](int64_t i, auto width) {
    constexpr int kWidth = width.value;
    Pack<T, kWidth> xi{}, yi{}, g = load_pack<kWidth>(gy + i);
    if constexpr (F::kSavesX) xi = load_pack<kWidth>(x + i);
    if constexpr (F::kSavesY) yi = load_pack<kWidth>(y + i);
    for (int k = 0; k < kWidth; ++k) g.v[k] = T(f.backward(float(xi.v[k]), float(yi.v[k]), float(g.v[k])));
    store_pack(gx + i, g);
  });
}

template <class F>
void forward_of(Cuda on, const F& f, int64_t n, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    constexpr int kWidth = kPackWidth<T>;
    const auto loop = pack_loop<kWidth>(n, x.as<T>(), y.as<T>());
    launch<pointwise_forward_kernel<F, T, kWidth>>(on, grid_over(loop), f, loop, x.as<T>(), y.as<T>());
  });
}

template <class F>
void backward_of(Cuda on, const F& f, int64_t n, View x, View y, View gy, View gx) {
  on_dtype(gy.dtype, [&]<class T>() {
    constexpr int kWidth = kPackWidth<T>;
    const auto loop = pack_loop<kWidth>(n, x.as<T>(), y.as<T>(), gy.as<T>(), gx.as<T>());
    launch<pointwise_backward_kernel<F, T, kWidth>>(on, grid_over(loop), f, loop, x.as<T>(), y.as<T>(), gy.as<T>(), gx.as<T>());
  });
}

}  // namespace

#define X(F)                                                                                                                \
  void pointwise_forward(Cuda on, const formula::F& f, int64_t n, View x, View y) { forward_of(on, f, n, x, y); }            \
  void pointwise_backward(Cuda on, const formula::F& f, int64_t n, View x, View y, View gy, View gx) {                       \
    backward_of(on, f, n, x, y, gy, gx);                                                                                     \
  }
VOXGRAD_POINTWISE_FORMULAS(X)
VOXGRAD_MATH_FORMULAS(X)
#undef X

}  // namespace voxgrad
