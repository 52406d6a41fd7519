#include "augment/gamma/gamma_kernels.h"

namespace voxgrad::VOXGRAD_ISA_NAMESPACE {

#include "augment/gamma/gamma_formulas.h"

void gamma_curve(float* x, int64_t n, float sign, float low, float range, float gamma) {
  for (int64_t i = 0; i < n; ++i) x[i] = gamma_of(x[i], sign, low, range, gamma);
}

}  // namespace voxgrad::VOXGRAD_ISA_NAMESPACE
