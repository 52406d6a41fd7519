#include <immintrin.h>

#include <type_traits>

#include "kernels/conv3d/winograd_plane/winograd_plane_isa.h"

namespace voxgrad::winograd_plane_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"

#include "kernels/conv3d/winograd/winograd_axis.h"

#include "kernels/conv3d/winograd_plane/winograd_plane_axis.h"

#include "kernels/conv3d/winograd_plane/winograd_plane_tiles.h"
}  // namespace voxgrad::winograd_plane_kernels::VOXGRAD_ISA_NAMESPACE
