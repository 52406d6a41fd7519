#pragma once
#include "core/tensor.h"
#include "kernels/index/index_kernels.h"

// What ops with indices share. Nothing here is recorded.
namespace voxgrad {

// Indices as the kernels want them: i64, detached. Error in the name of `op` unless they are integers on this device, each within
// [0, extent), whose words are "OP: an index is 7, beside 3 elements". On CUDA this waits for the stream.
struct IndexWords {
  const char *one = "an index", *of = "elements";
};
Tensor checked_index(const char* op, const Tensor& index, int64_t extent, Device, const IndexWords& = {});

// The axis (counted from the front) of x, and the index {outer, chosen, inner} or, shared, {chosen}.
IndexedAxis indexed_axis(const Shape& x, int axis, int64_t chosen, bool shared);

}  // namespace voxgrad
