#include <immintrin.h>

#include <type_traits>

#include "kernels/conv3d/winograd/winograd_isa.h"

namespace voxgrad::winograd_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/winograd/winograd_axis.h"
#include "kernels/conv3d/winograd/winograd_tiles.h"
// clang-format on
}  // namespace voxgrad::winograd_kernels::VOXGRAD_ISA_NAMESPACE
