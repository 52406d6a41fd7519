#pragma once
#include <string>

#include "core/tensor.h"

namespace voxgrad {

struct PrintOptions {
  int64_t most = 200;  // elements that are all shown; of a larger tensor, `edge` at both ends of each axis
  int64_t edge = 3;
  int digits = 6;      // significant ones
};

// The values, as NumPy prints them: "[[1, 2.5],\n [3, 4]]". A tensor of any dtype and device.
std::string to_string(const Tensor&, const PrintOptions& = {});

// "f32 {2, 2} on cpu: min 1, max 4, mean 2.625, no NaN" (over what is not NaN) and a line with the first values.
std::string describe(const Tensor&, const PrintOptions& = {});

}  // namespace voxgrad
