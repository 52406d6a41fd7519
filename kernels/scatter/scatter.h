#pragma once
#include "core/tensor.h"

// x with elements of src at places along one axis (negative ones count from the end). index, of any integer dtype, has the shape of src,
// and both that of x but for the extent of the axis. An index beyond the axis is an Error, for which CUDA waits for the stream. x is not
// changed.
namespace voxgrad {

// y[.., index[.., j, ..], ..] = src[.., j, ..]; of several j with one index the last one counts. Any dtype. Where src was written, its
// elements have the gradient, elsewhere x. Saves the index and the writers (i64 {shape of x}).
Tensor scatter(const Tensor& x, int axis, const Tensor& index, const Tensor& src);

// y[.., index[.., j, ..], ..] += src[.., j, ..], added to x in the order of j and in accum_of(dtype), on every device. Saves the index.
Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src);

}  // namespace voxgrad
