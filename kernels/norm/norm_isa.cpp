#include <immintrin.h>

#include <type_traits>

#include "kernels/norm/norm_isa.h"

namespace voxgrad::norm_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: norm_rows.h uses what is before it
#include "kernels/norm/norm_span.h"
#include "kernels/norm/norm_rows.h"
// clang-format on
}  // namespace voxgrad::norm_kernels::VOXGRAD_ISA_NAMESPACE
