#include "optim/update_variants.h"

namespace voxgrad::update_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {
// Sums of their own, so that additions do not wait for each other, and the same ones with every instruction set.
constexpr int kLanes = 32;

template <class A>
double squares(int64_t n, const A* __restrict x) {
  double lane[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) lane[l] += double(x[i + l]) * double(x[i + l]);
  for (int l = 0; i < n; ++i, ++l) lane[l] += double(x[i]) * double(x[i]);
  double sum = 0;
  for (const double v : lane) sum += v;
  return sum;
}
}  // namespace

double squares_of(int64_t n, const float* x) { return squares(n, x); }
double squares_of(int64_t n, const double* x) { return squares(n, x); }

}  // namespace voxgrad::update_kernels::VOXGRAD_ISA_NAMESPACE
