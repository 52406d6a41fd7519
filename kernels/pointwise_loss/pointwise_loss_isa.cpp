#include <immintrin.h>

#include <cmath>
#include <type_traits>

#include "kernels/pointwise_loss/pointwise_loss_isa.h"

namespace voxgrad::pointwise_loss_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each uses what is before it
#include "kernels/simd/math.h"
#define VOXGRAD_MATH math::
#include "kernels/pointwise_loss/loss_formulas.h"
// clang-format on
using namespace voxgrad::loss_formula;

// Calls of formulas are no vectors, so they are compiled in.
#define VOXGRAD_LOSS_LOOP(derivative)                                                                                                   \
  [](const PointwiseLoss& p, const typename PointwiseLossIsa<A>::Span& s, A* y) {                                                       \
    on_formula<A>(p, [&](const auto f) __attribute__((flatten)) {                                                                       \
      for (int64_t i = 0; i < s.n; ++i) y[i] = s.weight[i] * f.derivative(s.x[i], s.target[i], s.positive[i]);                          \
    });                                                                                                                                 \
  }
template <class A>
PointwiseLossIsa<A> kernels() {
  return {.value = VOXGRAD_LOSS_LOOP(value), .by_x = VOXGRAD_LOSS_LOOP(by_x), .by_target = VOXGRAD_LOSS_LOOP(by_t)};
}
#undef VOXGRAD_LOSS_LOOP
template PointwiseLossIsa<float> kernels();
template PointwiseLossIsa<double> kernels();
}  // namespace voxgrad::pointwise_loss_kernels::VOXGRAD_ISA_NAMESPACE
