#pragma once
#include <initializer_list>

#include "core/tensor.h"
#include "kernels/broadcast/broadcast_kernels.h"

// What ops with several operands share: NumPy's rule of broadcasting. Axes are matched from the last one; an operand repeats along an axis
// where its extent is 1 or where it has none. Nothing here is recorded.
namespace voxgrad {

// The shape of the result. Error in the name of `op` where extents differ and neither is 1.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

// The dtype of the result of a and b: theirs, or that of one whose accum_of the other is, if the other has one element or
// another shape than the result: a parameter beside activations. Error in the name of `op` for other pairs.
DType broadcast_dtype(const char* op, const Tensor& a, const Tensor& b, const Shape& result);

// The walk over a result of these operands.
Broadcast broadcast_walk(const Shape& result, std::initializer_list<Shape> operands);

// The sums of g over the axes on which an operand of the shape `s` repeats, of that shape and accum_of(dtype of g): the gradient of that
// operand. Sums are those of sum(). g itself where nothing repeats.
Tensor sum_to(const Tensor& g, const Shape& s);

}  // namespace voxgrad
