#include <immintrin.h>

#include <cmath>
#include <type_traits>

#include "kernels/softmax/softmax_isa.h"

namespace voxgrad::softmax_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each uses what is before it
#include "kernels/simd/math.h"
#include "kernels/softmax/planar.h"
#include "kernels/softmax/softmax_span.h"
// clang-format on
}  // namespace voxgrad::softmax_kernels::VOXGRAD_ISA_NAMESPACE
