#pragma once
#include <vector>

#include "kernels/conv3d/conv3d.h"

namespace voxgrad {

// An input of a fused convolution: x {N, D, H, W, C} or, normalised, z = act(instance_norm(x) scale + shift), act(z) = z > 0 ? z : slope z,
// with scale and shift {C} or absent. z is computed where x is read and never stored, in the forward pass and for the weight gradient.
struct ConvSource {
  Tensor x;
  bool normalised = false;
  Tensor scale = {}, shift = {};
  double slope = 1, eps = 1e-5;
};

// conv3d(concat(sources along the channels), w, b, options) with one group; neither the concatenation nor normalised inputs are stored.
// Saves the x of every source, w, and three numbers per normalised channel and sample. On CUDA it is the composition of those ops.
Tensor conv3d_fused(const std::vector<ConvSource>& sources, const Tensor& w, const Tensor& b = {}, const Conv3dOptions& = {});

// The input itself, stored: x, or z.
Tensor evaluate(const ConvSource&);

}  // namespace voxgrad
