#pragma once
#include "kernels/separable/separable.h"

namespace voxgrad {

// Labels u8 {N, D, H, W} to u8 {N, D', H', W'} through a map of at most two taps per axis, such as trilinear_map. The share of a value at a
// voxel is the sum of the weights of the taps that have it. A voxel becomes the value with the largest share; of equal ones (rounding left
// aside) that of its nearest tap, the upper one of two as near, and where that has less the lowest: batchgenerators' resize_segmentation of
// order 1, by which nnU-Net 2.8 resamples. Not differentiable.
Tensor resample_labels(const Tensor& labels, const SeparableMap&);

}  // namespace voxgrad
