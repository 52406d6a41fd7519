#include <immintrin.h>

#include <array>
#include <bit>
#include <cmath>
#include <type_traits>

#include "core/dtype.h"
#include "kernels/statistics/statistics_isa.h"

namespace voxgrad::statistic_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each uses what is before it
#include "kernels/simd/math.h"
#include "kernels/simd/own_formula.h"
#define VOXGRAD_STATISTIC_MATH math::
#include "kernels/statistics/statistics_formulas.h"
// clang-format on

// Calls of formulas are no vectors, so they are compiled in.
template <class A, class F>
StatisticLoops<A> loops_of() {
  return {.reads_pivot = F::kPivot,
          .reads_result = F::kResult,
          .add =
              [](const void* f, const A* x, const A* pivot, A* sum, int64_t n) __attribute__((flatten)) {
                const F formula = own<F>(f);
                for (int64_t j = 0; j < n; ++j) sum[j] += formula.term(x[j], pivot[j]);
              },
          .finish = [](const void* f, double sum, A pivot) { return own<F>(f).finish(sum, pivot); },
          .columns =
              [](const void* f, const A* x, const A* pivot, const A* y, const A* gy, A* gx, int64_t n) __attribute__((flatten)) {
                const F formula = own<F>(f);
                for (int64_t j = 0; j < n; ++j)
                  gx[j] = gy[j] * formula.derivative(x[j], F::kPivot ? pivot[j] : A(0), F::kResult ? y[j] : A(0));
              },
          .row =
              [](const void* f, const A* x, A pivot, A y, A gy, A* gx, int64_t n) __attribute__((flatten)) {
                const F formula = own<F>(f);
                for (int64_t j = 0; j < n; ++j) gx[j] = gy * formula.derivative(x[j], pivot, y);
              }};
}

template <class A>
StatisticLoops<A> loops(StatisticFormula formula) {
  switch (formula) {
#define X(F) \
  case StatisticFormula::F: return loops_of<A, voxgrad::statistic_formula::F>();
    VOXGRAD_STATISTIC_FORMULAS(X)
#undef X
  }
  return {};
}
template StatisticLoops<float> loops(StatisticFormula);
template StatisticLoops<double> loops(StatisticFormula);

}  // namespace voxgrad::statistic_kernels::VOXGRAD_ISA_NAMESPACE
