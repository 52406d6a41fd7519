#include <immintrin.h>

#include <type_traits>
#include <utility>

#include "kernels/conv3d/narrow_isa.h"

namespace voxgrad::narrow_avx512 {
#include "kernels/simd/lanes.h"

#include "kernels/conv3d/winograd_axis.h"

#include "kernels/conv3d/narrow_tiles.h"

#include "kernels/conv3d/lane_sums.h"

#include "kernels/conv3d/narrow_lanes.h"
}  // namespace voxgrad::narrow_avx512
