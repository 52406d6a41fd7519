#include <immintrin.h>

#include <cmath>
#include <type_traits>

#include "kernels/dice_cross_entropy/loss_isa.h"

namespace voxgrad::loss_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each uses what is before it
#include "kernels/simd/math.h"
#include "kernels/softmax/planar.h"
#include "kernels/dice_cross_entropy/loss_span.h"
// clang-format on
}  // namespace voxgrad::loss_kernels::VOXGRAD_ISA_NAMESPACE
