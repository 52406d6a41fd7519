#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

struct ReduceOptions {
  bool keep = false;  // reduced axes stay, with extent 1
};

// Over all elements: a scalar {} of accum_of(dtype).
Tensor sum(const Tensor& x);
Tensor mean(const Tensor& x);

// Over a set of axes (negative ones count from the end). sum and mean are of accum_of(dtype), max and min are of the dtype of x.
// Sums are taken in blocks of fixed size whose results are added in f64, so the error does not grow with the extent.
Tensor sum(const Tensor& x, const std::vector<int>& axes, const ReduceOptions& options = {});
Tensor mean(const Tensor& x, const std::vector<int>& axes, const ReduceOptions& options = {});
// A NaN stays. Elements that are equal to the extreme share its gradient evenly. Saves x and y. Error where there is no element.
Tensor max(const Tensor& x);  // {}
Tensor min(const Tensor& x);
Tensor max(const Tensor& x, const std::vector<int>& axes, const ReduceOptions& options = {});
Tensor min(const Tensor& x, const std::vector<int>& axes, const ReduceOptions& options = {});

// The index of the largest of the last axis, the first of equal ones; a NaN counts as largest. {N, D, H, W, C} gives {N, D, H, W}:
// u8 up to 256 channels, i32 above. Not differentiable.
Tensor argmax_channels(const Tensor& x);

}  // namespace voxgrad
