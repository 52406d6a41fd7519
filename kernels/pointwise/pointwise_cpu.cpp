#include "core/device/parallel.h"
#include "kernels/pointwise/pointwise_kernels.h"
#include "kernels/spans/spans.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14;

// The loops of a formula, whose parameters f points to. They own it: what y is written to might be a parameter in memory, and loops with
// one would not be vectors.
template <class A>
struct Loops {
  const void* f;
  void (*forward)(const void* f, const A* x, A* y, int64_t n);
  void (*backward)(const void* f, const A* x, const A* y, const A* gy, A* gx, int64_t n);
};

template <class A, class F>
Loops<A> loops_of(const F& formula) {
  return {.f = &formula,
          .forward =
              [](const void* f, const A* x, A* y, int64_t n) {
                const F own = *static_cast<const F*>(f);
                for (int64_t i = 0; i < n; ++i) y[i] = own.forward(x[i]);
              },
          .backward =
              [](const void* f, const A* x, const A* y, const A* gy, A* gx, int64_t n) {
                const F own = *static_cast<const F*>(f);
                for (int64_t i = 0; i < n; ++i) gx[i] = own.backward(F::kSavesX ? x[i] : A(0), F::kSavesY ? y[i] : A(0), gy[i]);
              }};
}

template <class T, class A>
void forward_of(Loops<A> loops, int64_t count, const T* x, T* y) {
  parallel_ranges(count, kGrain, [=](int64_t begin, int64_t end) {
    for_spans(begin, end, [&](int64_t at, int64_t n) {
      A in[kSpan], out[kSpan];
      span_into(y + at, n, out, [&](A* to) { loops.forward(loops.f, span_as(x + at, n, in), to, n); });
    });
  });
}

template <class T, class A>
void backward_of(Loops<A> loops, int64_t count, const T* x, const T* y, const T* gy, T* gx) {
  parallel_ranges(count, kGrain, [=](int64_t begin, int64_t end) {
    for_spans(begin, end, [&](int64_t at, int64_t n) {
      A u[kSpan], v[kSpan], w[kSpan], out[kSpan];
      const A *const in = span_as(x ? x + at : nullptr, n, u), *const result = span_as(y ? y + at : nullptr, n, v);
      span_into(gx + at, n, out, [&](A* to) { loops.backward(loops.f, in, result, span_as(gy + at, n, w), to, n); });
    });
  });
}

}  // namespace

#define X(F)                                                                                                                       \
  void pointwise_forward(Cpu, const formula::F& f, int64_t n, View x, View y) {                                                    \
    on_dtype(x.dtype, [&]<class T>() { forward_of(loops_of<accum_t<T>>(f), n, x.as<T>(), y.as<T>()); });                           \
  }                                                                                                                                \
  void pointwise_backward(Cpu, const formula::F& f, int64_t n, View x, View y, View gy, View gx) {                                 \
    on_dtype(gy.dtype, [&]<class T>() { backward_of(loops_of<accum_t<T>>(f), n, x.as<T>(), y.as<T>(), gy.as<T>(), gx.as<T>()); }); \
  }
VOXGRAD_POINTWISE_FORMULAS(X)
VOXGRAD_MATH_FORMULAS(X)
#undef X

}  // namespace voxgrad
