#pragma once
#include "core/device/isa.h"
#include "kernels/binary/binary_kernels.h"

namespace voxgrad {

// A formula over n elements of A, float or double, for one instruction set. Operands that a gradient does not read may be null.
template <class A>
struct BinaryLoops {
  void (*forward)(const A* a, const A* b, A* y, int64_t n);
  void (*grad_a)(const A* a, const A* b, const A* gy, A* ga, int64_t n);
  void (*grad_b)(const A* a, const A* b, const A* gy, A* gb, int64_t n);
  bool grad_a_reads_a, grad_a_reads_b, grad_b_reads_a, grad_b_reads_b;
};

#define VOXGRAD_BINARY_ISA(isa)                            \
  namespace binary_kernels::isa {                          \
  template <class A>                                       \
  BinaryLoops<A> loops(BinaryOp);                          \
  extern template BinaryLoops<float> loops(BinaryOp);      \
  extern template BinaryLoops<double> loops(BinaryOp);     \
  }
VOXGRAD_BINARY_ISA(baseline)
VOXGRAD_BINARY_ISA(avx2)
VOXGRAD_BINARY_ISA(avx512)
#undef VOXGRAD_BINARY_ISA

template <class A>
BinaryLoops<A> binary_loops(BinaryOp op) {
  return VOXGRAD_BY_ISA(binary_kernels, loops<A>(op));
}

}  // namespace voxgrad
