#pragma once
#include "core/config/range.h"
#include "core/tensor.h"

namespace voxgrad {

struct ContrastOptions {
  double probability = 0.15;
  Range factor = {0.75, 1.25};  // about 1, per channel; the range is preserved
};

// mean + factor (x - mean), then clamped to the range before it if that is to be preserved; one channel of an image f32 {D, H, W, C}, in
// place.
void adjust_contrast(const Tensor& image, int channel, double factor, bool preserve_range = true);

}  // namespace voxgrad
