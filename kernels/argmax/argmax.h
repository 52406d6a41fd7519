#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct IndexOptions {
  bool keep = false;          // the axis stays, with extent 1
  DType dtype = DType::i64;   // of the indices: i64, or i32
};

// The index along an axis (negative ones count from the end) of the largest or smallest element of a floating tensor, the first of equal
// ones; a NaN counts as the extreme. Error where there is no element, or where i32 cannot count the extent. Not differentiable.
Tensor argmax(const Tensor& x, int axis, const IndexOptions& options = {});
Tensor argmin(const Tensor& x, int axis, const IndexOptions& options = {});

// The extreme elements, in the dtype of x, with their indices. The gradient of a value goes to its index alone. Saves the indices.
struct ValuesAndIndices {
  Tensor values, indices;
};
ValuesAndIndices max_with_indices(const Tensor& x, int axis, const IndexOptions& options = {});
ValuesAndIndices min_with_indices(const Tensor& x, int axis, const IndexOptions& options = {});

}  // namespace voxgrad
