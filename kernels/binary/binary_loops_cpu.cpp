#include "kernels/binary/binary_loops.h"

#include "kernels/binary/binary_dispatch.h"

namespace voxgrad {
namespace {

template <class F, class A>
void forward_of(const A* a, const A* b, A* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = F::forward(a[i], b[i]);
}

template <class F, class A>
void grad_a_of(const A* a, const A* b, const A* gy, A* ga, int64_t n) {
  for (int64_t i = 0; i < n; ++i) ga[i] = F::grad_a(F::kGradAReadsA ? a[i] : A(0), F::kGradAReadsB ? b[i] : A(0), gy[i]);
}

template <class F, class A>
void grad_b_of(const A* a, const A* b, const A* gy, A* gb, int64_t n) {
  for (int64_t i = 0; i < n; ++i) gb[i] = F::grad_b(F::kGradBReadsA ? a[i] : A(0), F::kGradBReadsB ? b[i] : A(0), gy[i]);
}

}  // namespace

template <class A>
BinaryLoops<A> binary_loops(BinaryOp op) {
  return on_formula(op, []<class F>(F) {
    return BinaryLoops<A>{.forward = forward_of<F, A>,
                          .grad_a = grad_a_of<F, A>,
                          .grad_b = grad_b_of<F, A>,
                          .grad_a_reads_a = F::kGradAReadsA,
                          .grad_a_reads_b = F::kGradAReadsB,
                          .grad_b_reads_a = F::kGradBReadsA,
                          .grad_b_reads_b = F::kGradBReadsB};
  });
}
template BinaryLoops<float> binary_loops(BinaryOp);
template BinaryLoops<double> binary_loops(BinaryOp);

}  // namespace voxgrad
