#pragma once
#include "kernels/binary/binary_kernels.h"

namespace voxgrad {

// A formula over n elements of A, float or double. Operands that a gradient does not read may be null.
template <class A>
struct BinaryLoops {
  void (*forward)(const A* a, const A* b, A* y, int64_t n);
  void (*grad_a)(const A* a, const A* b, const A* gy, A* ga, int64_t n);
  void (*grad_b)(const A* a, const A* b, const A* gy, A* gb, int64_t n);
  bool grad_a_reads_a, grad_a_reads_b, grad_b_reads_a, grad_b_reads_b;
};
template <class A>
BinaryLoops<A> binary_loops(BinaryOp);

}  // namespace voxgrad
