#pragma once
#include "core/tensor.h"

// Within degradations: the k-space of slices along D, W being the axis of phase encoding, one column of it a line that is measured.
namespace voxgrad {

// Of an image f32 {D, H, W, C}, of which what is negative counts as 0: {1, D, H, W, 2 C} (kernels/fft/fft.h).
Tensor k_space_of(const Tensor& image);
// The magnitude of the image of it, {D, H, W, C}.
Tensor magnitude_of(const Tensor& k_space);

}  // namespace voxgrad
