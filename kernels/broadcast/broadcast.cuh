#pragma once
// Operands that are broadcast to the elements of a result.
#include "core/cuda/launch.h"
#include "core/view.h"
#include "kernels/broadcast/broadcast_kernels.h"

namespace voxgrad {

// Elements of T, or of f32 where `wide` is there.
template <class T>
struct BroadcastSource {
  const T* narrow;
  const float* wide;
  explicit BroadcastSource(View v)
      : narrow(v.dtype == dtype_of<T> ? v.as<T>() : nullptr), wide(v.dtype == dtype_of<T> ? nullptr : v.as<float>()) {}
  template <class A>
  __device__ A as(int64_t i) const {
    return wide ? A(wide[i]) : narrow ? A(narrow[i]) : A(0);
  }
  __device__ float operator[](int64_t i) const { return as<float>(i); }
};

namespace detail {
template <class I, int N>
__device__ void broadcast_places(const Broadcast& p, I rest, int64_t (&at)[N]) {
#pragma unroll
  for (int axis = Broadcast::kRank - 1; axis >= 0; --axis) {
    if (axis >= p.rank) continue;
    const I next = rest / I(p.extent[axis]);
    const int64_t i = int64_t(rest - next * I(p.extent[axis]));
    for (int k = 0; k < N; ++k) at[k] += i * p.stride[k][axis];
    rest = next;
  }
}
}  // namespace detail

// at[k]: where operand k is at element `item` of the result.
template <int N>
__device__ void broadcast_places(const Broadcast& p, int64_t item, int64_t (&at)[N]) {
  for (int k = 0; k < N; ++k) at[k] = 0;
  if (p.count < int64_t(1) << 31) detail::broadcast_places<uint32_t>(p, uint32_t(item), at);
  else detail::broadcast_places<uint64_t>(p, uint64_t(item), at);
}

}  // namespace voxgrad
