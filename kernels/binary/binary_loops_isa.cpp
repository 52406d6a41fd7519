#include <immintrin.h>

#include <cmath>
#include <type_traits>

#include "core/dtype.h"
#include "kernels/binary/binary_loops.h"

namespace voxgrad::binary_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each uses what is before it
#include "kernels/simd/math.h"
#define VOXGRAD_BINARY_MATH math::
#include "kernels/binary/binary_dispatch.h"
// clang-format on

// Calls of formulas are no vectors, so they are compiled in.
template <class A>
BinaryLoops<A> loops(BinaryOp op) {
  return voxgrad::on_formula(op, []<class F>(F) {
    return BinaryLoops<A>{
        .forward =
            [](const A* a, const A* b, A* y, int64_t n) __attribute__((flatten)) {
              for (int64_t i = 0; i < n; ++i) y[i] = F::forward(a[i], b[i]);
            },
        .grad_a =
            [](const A* a, const A* b, const A* gy, A* ga, int64_t n) __attribute__((flatten)) {
              for (int64_t i = 0; i < n; ++i) ga[i] = F::grad_a(F::kGradAReadsA ? a[i] : A(0), F::kGradAReadsB ? b[i] : A(0), gy[i]);
            },
        .grad_b =
            [](const A* a, const A* b, const A* gy, A* gb, int64_t n) __attribute__((flatten)) {
              for (int64_t i = 0; i < n; ++i) gb[i] = F::grad_b(F::kGradBReadsA ? a[i] : A(0), F::kGradBReadsB ? b[i] : A(0), gy[i]);
            },
        .grad_a_reads_a = F::kGradAReadsA,
        .grad_a_reads_b = F::kGradAReadsB,
        .grad_b_reads_a = F::kGradBReadsA,
        .grad_b_reads_b = F::kGradBReadsB};
  });
}
template BinaryLoops<float> loops(BinaryOp);
template BinaryLoops<double> loops(BinaryOp);

}  // namespace voxgrad::binary_kernels::VOXGRAD_ISA_NAMESPACE
