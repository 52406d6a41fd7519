#pragma once
#include "core/cuda/tensor_map.h"
#include "core/device/execution.h"

// Kernels for tests/cuda/boxes/box_cuda_test.cpp: copies of boxes of tensors, as core/cuda/transactions.h says they work.
namespace voxgrad {

struct BoxPlace {
  int at[5] = {};  // of the first element of the box
};
// y: what lies in shared memory when the box of so many bytes has arrived.
void read_box(Cuda, const TensorMap&, BoxPlace, int bytes, void* y);
// Each of two blocks of a cluster copies a box to both of them, the second one from `second` on: y {2, 2, bytes} what they got.
void read_boxes_of_cluster(Cuda, const TensorMap&, BoxPlace first, BoxPlace second, int bytes, void* y);
// d {64, 32} = a b of 64 bytes along k: a from rows of a box with a swizzle of 64 bytes, from row `first` on, eight neighbours and the next
// eight `down` rows further; b {32, k} of the dtype in global memory.
void multiply_box(Cuda, DType, const TensorMap&, BoxPlace, int bytes, int first, int down, const void* b, float* d);

}  // namespace voxgrad
