#pragma once
#include <cstdint>

#include "core/device/isa.h"
#include "kernels/pointwise/formula_list.h"

namespace voxgrad {

enum class PointwiseFormula {
#define X(F) F,
  VOXGRAD_POINTWISE_FORMULAS(X) VOXGRAD_MATH_FORMULAS(X)
#undef X
};

// The loops of a formula, for one instruction set. f: the formula. x and y may be null in `backward` where it does not save them.
template <class A>
struct PointwiseLoops {
  void (*forward)(const void* f, const A* x, A* y, int64_t n);
  void (*backward)(const void* f, const A* x, const A* y, const A* gy, A* gx, int64_t n);
};

#define VOXGRAD_POINTWISE_ISA(isa)                                  \
  namespace pointwise_kernels::isa {                                \
  template <class A>                                                \
  PointwiseLoops<A> loops(PointwiseFormula);                        \
  extern template PointwiseLoops<float> loops(PointwiseFormula);    \
  extern template PointwiseLoops<double> loops(PointwiseFormula);   \
  }
VOXGRAD_POINTWISE_ISA(baseline)
VOXGRAD_POINTWISE_ISA(avx2)
VOXGRAD_POINTWISE_ISA(avx512)
#undef VOXGRAD_POINTWISE_ISA

}  // namespace voxgrad
