#pragma once
#include "core/config/range.h"
#include "core/tensor.h"

namespace voxgrad {

struct BrightnessOptions {
  double probability = 0.15;
  Range factor = {0.75, 1.25};  // about 1, per channel
};

// factor x, for one channel of an image f32 {D, H, W, C}, in place.
void multiply_brightness(const Tensor& image, int channel, double factor);

}  // namespace voxgrad
