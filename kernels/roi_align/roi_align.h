#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct RoiAlignOptions {
  Int3 size = {7, 7, 7};  // bins of a box along D, H, W
  int samples = 2;        // in a bin, along each axis
};
// Features within boxes (He et al., ICCV 2017, Mask R-CNN): x {N, D, H, W, C} and boxes {R, 6} of accum_of(dtype), places in voxels of x
// with the centre of the first one at 0, box r in the image of[r], {R} of any integer dtype: {R, size, C}. A bin is the mean of samples^3
// places spread evenly over it, interpolated trilinearly; one more than a voxel outside is 0, up to a voxel outside the border goes on.
// That is torchvision's roi_align with aligned=True, whose boxes count from the edge of the first voxel. The gradient reaches x alone.
// Saves the boxes. An image that does not exist is an Error; CUDA waits for the stream.
Tensor roi_align(const Tensor& x, const Tensor& boxes, const Tensor& of, const RoiAlignOptions& = {});

}  // namespace voxgrad
