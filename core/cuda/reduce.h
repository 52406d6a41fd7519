#pragma once
// Sums and other folds over a warp or a block, in an order that depends on nothing but the number of threads.
#include "core/cuda/launch.h"

namespace voxgrad {

struct Plus {
  template <class A>
  __device__ A operator()(A a, A b) const {
    return a + b;
  }
};

// The fold of all 32 lanes, in every lane. f is associative up to rounding, and commutative.
template <class A, class F>
__device__ A warp_fold(A v, F f) {
  for (int step = 16; step > 0; step >>= 1) v = f(v, __shfl_xor_sync(0xffffffffu, v, step));
  return v;
}
template <class A>
__device__ A warp_sum(A v) {
  return warp_fold(v, Plus{});
}

// The fold over a block of up to 1024 threads, a multiple of 32, in every thread. Each call is a barrier for all threads.
template <class A, class F>
__device__ A block_fold(A v, F f) {
  VOXGRAD_SHARED(A, partial, [32]);
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, warps = int(blockDim.x) / 32;
  v = warp_fold(v, f);
  __syncthreads();
  if (lane == 0) partial[warp] = v;
  __syncthreads();
  A total = partial[0];
  for (int w = 1; w < warps; ++w) total = f(total, partial[w]);
  return total;
}
template <class A>
__device__ A block_sum(A v) {
  return block_fold(v, Plus{});
}

}  // namespace voxgrad
