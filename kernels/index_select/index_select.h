#pragma once
#include "core/tensor.h"

// Rows chosen by their number. Indices are of any integer dtype; one beyond the axis is an Error, for which CUDA waits for the stream. The
// gradient of a row is the sum of those of its copies, in their order. Save the index as i64.
namespace voxgrad {

// y[.., j, ..] = x[.., index[j], ..] along one axis (negative ones count from the end), index {M}. Any dtype.
Tensor index_select(const Tensor& x, int axis, const Tensor& index);

// Rows of a table {V, C}: index {..} gives {.., C}, of the dtype of the table.
Tensor embedding(const Tensor& table, const Tensor& index);

// Elements of x by their number in row-major order: y has the shape of the index.
Tensor take(const Tensor& x, const Tensor& index);

}  // namespace voxgrad
