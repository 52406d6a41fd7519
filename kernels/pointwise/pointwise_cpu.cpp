#include "core/device/parallel.h"
#include "kernels/pointwise/pointwise_isa.h"
#include "kernels/pointwise/pointwise_kernels.h"
#include "kernels/spans/spans.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14;

template <class A>
struct Loops : PointwiseLoops<A> {
  const void* f;
  Loops(PointwiseFormula formula, const void* of) : PointwiseLoops<A>(VOXGRAD_BY_ISA(pointwise_kernels, loops<A>(formula))), f(of) {}
};

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

#define X(F)                                                                                                                \
  void pointwise_forward(Cpu, const formula::F& f, int64_t n, View x, View y) {                                             \
    on_dtype(x.dtype, [&]<class T>() { forward_of(Loops<accum_t<T>>(PointwiseFormula::F, &f), n, x.as<T>(), y.as<T>()); }); \
  }                                                                                                                         \
  void pointwise_backward(Cpu, const formula::F& f, int64_t n, View x, View y, View gy, View gx) {                          \
    on_dtype(gy.dtype, [&]<class T>() {                                                                                     \
      backward_of(Loops<accum_t<T>>(PointwiseFormula::F, &f), n, x.as<T>(), y.as<T>(), gy.as<T>(), gx.as<T>());             \
    });                                                                                                                     \
  }
VOXGRAD_POINTWISE_FORMULAS(X)
VOXGRAD_MATH_FORMULAS(X)
#undef X

}  // namespace voxgrad
