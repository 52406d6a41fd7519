#pragma once
#include "core/tensor.h"
#include "kernels/separable/separable.h"

namespace voxgrad {

enum class Interpolation {
  nearest,        // source index floor(o in / out), as PyTorch's "nearest"
  nearest_exact,  // source index floor((o + 1/2) in / out): the nearest voxel centre
  trilinear,      // source coordinate (o + 1/2) in / out - 1/2, not below 0, or o (in - 1) / (out - 1) with align_corners
};

struct Interpolate3dOptions {
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;  // of trilinear
};

// {N, D, H, W, C} to {N, size, C}. Coordinates are computed in f64. Nearest modes take any dtype. Saves nothing.
Tensor interpolate3d(const Tensor& x, const Int3& size, const Interpolate3dOptions& options = {});

// Trilinear interpolation as matrices of the axes, for those who want a part of its outputs.
SeparableMap trilinear_map(const Int3& in, const Int3& size, bool align_corners = false);

}  // namespace voxgrad
