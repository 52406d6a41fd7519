#pragma once
#include <cstdint>

#include "core/device/isa.h"
#include "kernels/statistics/formula_list.h"

namespace voxgrad {

enum class StatisticFormula {
#define X(F) F,
  VOXGRAD_STATISTIC_FORMULAS(X)
#undef X
};

// The loops of a formula, which f points to, over n elements of A, for one instruction set.
template <class A>
struct StatisticLoops {
  bool reads_pivot, reads_result;  // in the derivative
  void (*add)(const void* f, const A* x, const A* pivot, A* sum, int64_t n);
  A (*finish)(const void* f, double sum, A pivot);
  // Of elements with a result each, and of elements with one result; what the derivative does not read may be null.
  void (*columns)(const void* f, const A* x, const A* pivot, const A* y, const A* gy, A* gx, int64_t n);
  void (*row)(const void* f, const A* x, A pivot, A y, A gy, A* gx, int64_t n);
};

#define VOXGRAD_STATISTICS_ISA(isa)                                 \
  namespace statistic_kernels::isa {                                \
  template <class A>                                                \
  StatisticLoops<A> loops(StatisticFormula);                        \
  extern template StatisticLoops<float> loops(StatisticFormula);    \
  extern template StatisticLoops<double> loops(StatisticFormula);   \
  }
VOXGRAD_STATISTICS_ISA(baseline)
VOXGRAD_STATISTICS_ISA(avx2)
VOXGRAD_STATISTICS_ISA(avx512)
#undef VOXGRAD_STATISTICS_ISA

}  // namespace voxgrad
