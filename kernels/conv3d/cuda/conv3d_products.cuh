#pragma once
// Products of the tensor-core kernels of the convolution.
#include "core/cuda/elements.h"
#include "core/cuda/ptx.h"

namespace voxgrad {

// The rounding of f32 to what the tensor cores multiply.
template <class T>
__device__ void round_fragment(uint32_t (&a)[4]) {
  if constexpr (dtype_of<T> == DType::f32)
    for (uint32_t& r : a) r = tf32_of(__uint_as_float(r));
}
template <class T>
__device__ void multiply_add(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  const uint32_t b[2] = {b0, b1};
  if constexpr (dtype_of<T> == DType::f32) mma_tf32(d, a, b);
  else mma_of<T>(d, a, b);
}

// Whether rows of groups of `channels` can be read in pieces of 16 bytes.
template <class T>
bool whole_pieces(int channels, const T* x) {
  return aligned_to_16(x) && channels * int64_t(sizeof(T)) % 16 == 0;
}

}  // namespace voxgrad
