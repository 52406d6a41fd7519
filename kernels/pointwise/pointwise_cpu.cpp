#include "core/device/parallel.h"
#include "kernels/pointwise/pointwise_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14;

// Loops own their formula: what y is written to might be a parameter in memory, and loops with one would not be vectors.
template <class T, class F>
void forward_of(const F& f, int64_t n, const T* x, T* y) {
  parallel_ranges(n, kGrain, [&f, x, y](int64_t begin, int64_t end) {
    const F own = f;
    for (int64_t i = begin; i < end; ++i) y[i] = T(own.forward(accum_t<T>(x[i])));
  });
}

template <class T, class F>
void backward_of(const F& f, int64_t n, const T* x, const T* y, const T* gy, T* gx) {
  using A = accum_t<T>;
  parallel_ranges(n, kGrain, [&f, x, y, gy, gx](int64_t begin, int64_t end) {
    const F own = f;
    for (int64_t i = begin; i < end; ++i) {
      const A xi = F::kSavesX ? A(x[i]) : A(0), yi = F::kSavesY ? A(y[i]) : A(0);
      gx[i] = T(own.backward(xi, yi, A(gy[i])));
    }
  });
}

}  // namespace

#define X(F)                                                                                                                       \
  void pointwise_forward(Cpu, const formula::F& f, int64_t n, View x, View y) {                                                    \
    on_dtype(x.dtype, [&]<class T>() { forward_of(f, n, x.as<T>(), y.as<T>()); });                                                 \
  }                                                                                                                                \
  void pointwise_backward(Cpu, const formula::F& f, int64_t n, View x, View y, View gy, View gx) {                                 \
    on_dtype(gy.dtype, [&]<class T>() { backward_of(f, n, x.as<T>(), y.as<T>(), gy.as<T>(), gx.as<T>()); });                       \
  }
VOXGRAD_POINTWISE_FORMULAS(X)
VOXGRAD_MATH_FORMULAS(X)
#undef X

}  // namespace voxgrad
