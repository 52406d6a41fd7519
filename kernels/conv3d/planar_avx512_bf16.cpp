#include <immintrin.h>

#include <type_traits>

#include "kernels/conv3d/planar_isa.h"

namespace voxgrad::planar_avx512_bf16 {
#include "kernels/simd/lanes.h"

#include "kernels/conv3d/winograd_axis.h"

#include "kernels/conv3d/planar_axis.h"

#include "kernels/conv3d/planar_tiles.h"
}  // namespace voxgrad::planar_avx512_bf16
