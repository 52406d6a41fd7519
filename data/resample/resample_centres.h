#pragma once
#include "core/shape.h"
#include "core/tensor.h"
#include "io/volume.h"
#include "kernels/separable/separable.h"

namespace voxgrad {

// f32 {D, H, W, C} to {size, C}: voxel o along an axis is at o to / from voxels from the first one, whose centre stays; linear between
// neighbours, and what lies behind the last one is that one. As MONAI's Spacing without scale_extent.
Tensor resample_centres(const Tensor& x, const Int3& size, const Vec3& from, const Vec3& to);
SeparableMap centres_map(const Int3& in, const Int3& size, const Vec3& from, const Vec3& to);

}  // namespace voxgrad
