#pragma once
#include <array>

#include "core/tensor.h"

namespace voxgrad {

using Double3 = std::array<double, 3>;
using Bool3 = std::array<bool, 3>;

// What a transform maps: an image and what is known about each of its voxels.
struct Sample {
  Tensor image;  // f32 {D, H, W, C}
  Tensor label;  // u8 {D, H, W}, or absent
};

// Fails in the name of `who` unless the sample is as described above, on the CPU and of one size.
void check_sample(const char* who, const Sample&);

// Spatial extents of an image {D, H, W, C} or a label {D, H, W}.
Int3 volume_size(const Tensor&);

}  // namespace voxgrad
