#pragma once
#include "core/rng.h"
#include "core/tensor.h"

// Voxels of an image whose own value a network is not to see, as it is to say it. Both change an image f32 {D, H, W, C} in place, all its
// channels alike, and give f32 {D, H, W, 1}: 1 where a voxel is hidden.
namespace voxgrad {

// The part `masked` of the voxels, at least one: each takes the values of a voxel that is at most `neighbours` away along each axis
// (Noise2Void, Krull et al. 2019; uniform selection without the voxel itself).
Tensor hide_voxels(const Tensor& image, double masked, int neighbours, Rng);

// Every `width`-th voxel along each axis of more than one, from a random one on: each takes the mean of its neighbours, of which those that
// differ along one axis have the weight 1, along two 1/2, along three 1/4 (Noise2Self, Batson and Royer 2019, mask.py).
Tensor hide_grid(const Tensor& image, int width, Rng);

}  // namespace voxgrad
