#include <immintrin.h>

#include <array>
#include <bit>
#include <cmath>
#include <type_traits>

#include "core/dtype.h"
#include "kernels/pointwise/pointwise_isa.h"

namespace voxgrad::pointwise_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each uses what is before it
#include "kernels/simd/math.h"
#include "kernels/simd/own_formula.h"
#define VOXGRAD_MATH math::
#include "kernels/pointwise/math_formulas.h"
// clang-format on

// f(i) for the elements i < n of f32 that the formula F is wrong for.
template <class F, class A, class Other>
VOXGRAD_INLINE void beyond(const A* x, int64_t n, Other&& f) {
  if constexpr (std::is_base_of_v<voxgrad::formula::OfAngle, F> && std::is_same_v<A, float>) {
    const auto within = [](float v) { return __builtin_fabsf(v) <= math::kWidestAngle; };
    int32_t all = 1;
    for (int64_t i = 0; i < n; ++i) all &= int32_t(within(x[i]));
    for (int64_t i = 0; i < n && !all; ++i)
      if (!within(x[i])) f(i);
  }
}

template <class A, class F>
PointwiseLoops<A> loops_of() {
  return {.forward =
              [](const void* f, const A* x, A* y, int64_t n) __attribute__((flatten)) {
                const F formula = own<F>(f);
                for (int64_t i = 0; i < n; ++i) y[i] = formula.forward(x[i]);
                beyond<F>(x, n, [&](int64_t i) { y[i] = A(formula.forward(double(x[i]))); });
              },
          .backward =
              [](const void* f, const A* x, const A* y, const A* gy, A* gx, int64_t n) __attribute__((flatten)) {
                const F formula = own<F>(f);
                for (int64_t i = 0; i < n; ++i) gx[i] = formula.backward(F::kSavesX ? x[i] : A(0), F::kSavesY ? y[i] : A(0), gy[i]);
                beyond<F>(x, n, [&](int64_t i) { gx[i] = A(formula.backward(double(x[i]), 0.0, double(gy[i]))); });
              }};
}

template <class A>
PointwiseLoops<A> loops(PointwiseFormula formula) {
  switch (formula) {
#define X(F) \
  case PointwiseFormula::F: return loops_of<A, voxgrad::formula::F>();
    VOXGRAD_POINTWISE_FORMULAS(X)
    VOXGRAD_MATH_FORMULAS(X)
#undef X
  }
  return {};
}
template PointwiseLoops<float> loops(PointwiseFormula);
template PointwiseLoops<double> loops(PointwiseFormula);
}  // namespace voxgrad::pointwise_kernels::VOXGRAD_ISA_NAMESPACE
