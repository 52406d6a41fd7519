#pragma once
#include <utility>
#include <vector>

#include "core/shape.h"
#include "core/tensor.h"
#include "data/description.h"

namespace voxgrad {

// What normalisation did to a channel: (clipped value - shift) * scale.
struct Standardization {
  double shift = 0, scale = 1;
};

// Linear between the two neighbours, as NumPy's quantile. Reorders the values, of which there is at least one.
double quantile(std::vector<float>& values, double share);

// Changes the image f32 {D, H, W, C}, channel by channel as the kinds of Normalization say. foreground {D, H, W}: what is not background
// where that matters; empty: foreground_of the image.
std::vector<Standardization> normalize(const Tensor& image, const std::vector<Normalization>&, const std::vector<uint8_t>& foreground = {});

// Begin and extents of the smallest box that holds all voxels with a channel that is not 0, or is above 0; the whole volume where there
// are none.
std::pair<Int3, Int3> box_of_nonzero(const Tensor& image, bool positive = false);
// {D, H, W}: 1 where a channel is not 0, and in what such voxels enclose (6 neighbours): not what zeros reach from the border.
std::vector<uint8_t> foreground_of(const Tensor& image);

}  // namespace voxgrad
