#pragma once
#include "core/shape.h"
#include "core/tensor.h"
#include "io/volume.h"
#include "kernels/separable/separable.h"

namespace voxgrad {

struct NnunetResampling {
  Vec3 from = {1, 1, 1}, to = {1, 1, 1};  // mm before and after: where the largest is more than three times the least, see below
  int order = 3;                          // 3: cubic B-spline, clipped to the values that there were; 1: linear
};

// f32 {D, H, W, C} to {size, C} as nnU-Net resamples (default_resampling.py: skimage's resize with mode edge): sample i of an axis of n
// is at (i + 1/2) old / n - 1/2, what lies beyond the border is the outermost voxel. If one axis alone is more than three times as coarse
// as the finest, before or else after, each slice of it is resampled by itself, and along it the nearest slice is taken.
Tensor resample_nnunet(const Tensor&, Int3 size, const NnunetResampling&);
// The same of order 1 as matrices of the axes.
SeparableMap nnunet_map(Int3 from, Int3 to, const NnunetResampling&);

}  // namespace voxgrad
