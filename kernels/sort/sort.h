#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct Sorted {
  Tensor values;   // of the dtype of x; the gradient goes back to where they stood
  Tensor indices;  // i64: where they stood along the axis
};

struct SortOptions {
  int axis = -1;  // negative ones count from the end
  bool descending = false;
};
// Elements of any dtype along one axis in order, the same bits on every device. Stable: equal elements keep theirs. NaN stands last in
// either order. Saves the indices.
Sorted sort(const Tensor& x, const SortOptions& = {});

struct TopkOptions {
  int axis = -1;
  bool smallest = false;  // the largest otherwise
};
// The first `count` elements of sort in descending (smallest: ascending) order. Saves the indices.
Sorted topk(const Tensor& x, int64_t count, const TopkOptions& = {});

}  // namespace voxgrad
