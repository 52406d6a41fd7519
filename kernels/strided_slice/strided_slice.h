#pragma once
#include <optional>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Elements begin, begin + step, .. of an axis, without `end`, as x[begin:end:step] in Python. Negative places count from the end; absent
// ones mean the whole axis in the direction of the step.
struct AxisSlice {
  int axis = 0;
  std::optional<int64_t> begin = {}, end = {};
  int64_t step = 1;  // not 0
};

// Several axes at once (negative axes count from the end, the others stay whole): slice(x, {{.axis = 1, .step = -1}}) reverses axis 1.
// begin and end lie within the axis, an Error otherwise. A copy, of any dtype. Saves nothing.
Tensor slice(const Tensor& x, const std::vector<AxisSlice>& slices);

}  // namespace voxgrad
