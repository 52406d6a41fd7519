#include <immintrin.h>

#include <type_traits>
#include <utility>

#include "kernels/conv3d/winograd_boxes/winograd_boxes_isa.h"

namespace voxgrad::winograd_boxes_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"

#include "kernels/conv3d/winograd/winograd_axis.h"

#include "kernels/conv3d/winograd_boxes/winograd_boxes_tiles.h"

#include "kernels/conv3d/lane_sums.h"

#include "kernels/conv3d/winograd_boxes/winograd_boxes_lanes.h"
}  // namespace voxgrad::winograd_boxes_kernels::VOXGRAD_ISA_NAMESPACE
