#include "tests/cuda/hopper_facts.h"

#include "core/cuda/elements.h"
#include "core/cuda/wgmma.h"
#include "tests/cuda/boxes/swizzle_window.cuh"

namespace voxgrad {
namespace {

template <class T, int kColumns>
__global__ void __launch_bounds__(128)
    hopper_product_kernel(int steps, const uint4* image_a, OperandPlace a, const uint4* image_b, OperandPlace b, const float* before,
                          float* d) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  unsigned char* const window = aligned_window(memory);
  for (int i = int(threadIdx.x); i < kImageBytes / 16; i += 128) {
    const uint4 from[2] = {image_a[i], image_b[i]};
    for (int k = 0; k < 2; ++k) {
      const uint32_t words[4] = {from[k].x, from[k].y, from[k].z, from[k].w};
      store_16(SharedAddress(window + k * kImageBytes + i * 16), words);
    }
  }
  fence_proxy();
  __syncthreads();
  const int row = int(threadIdx.x) / 32 * 16 + int(threadIdx.x) % 32 / 4, column = int(threadIdx.x) % 4 * 2;
  float sum[kColumns / 2];
#pragma unroll
  for (int i = 0; i < kColumns / 2; ++i)
    sum[i] = before ? before[(row + i % 4 / 2 * 8) * kColumns + i / 4 * 8 + column + i % 2] : 12345.f;
  const SharedAddress start(window);
  const uint64_t of_a = matrix_descriptor(start + a.first, a.across, a.down, Swizzle(a.swizzle));
  const uint64_t of_b = matrix_descriptor(start + (kImageBytes + b.first), b.across, b.down, Swizzle(b.swizzle));
  wgmma_fence();
  for (int s = 0; s < steps; ++s) wgmma_of<T>(sum, of_a + s * a.step / 16, of_b + s * b.step / 16, before || s > 0);
  wgmma_commit();
  wgmma_wait<0>();
#pragma unroll
  for (int i = 0; i < kColumns / 2; ++i) d[(row + i % 4 / 2 * 8) * kColumns + i / 4 * 8 + column + i % 2] = sum[i];
#endif
}

template <class T, int kColumns>
__global__ void __launch_bounds__(128)
    hopper_held_kernel(int steps, const T* a, const uint4* image_b, OperandPlace b, float* d) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  unsigned char* const window = aligned_window(memory);
  for (int i = int(threadIdx.x); i < kImageBytes / 16; i += 128) {
    const uint4 v = image_b[i];
    const uint32_t words[4] = {v.x, v.y, v.z, v.w};
    store_16(SharedAddress(window + i * 16), words);
  }
  fence_proxy();
  __syncthreads();
  constexpr int kEach = 4 / int(sizeof(T));
  const int row = int(threadIdx.x) / 32 * 16 + int(threadIdx.x) % 32 / 4, lane = int(threadIdx.x) % 4, length = steps * 8 * kEach;
  const uint64_t of_b = matrix_descriptor(SharedAddress(window) + b.first, b.across, b.down);
  float sum[kColumns / 2];
  for (int s = 0; s < steps; ++s) {
    uint32_t held[4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
      held[i] = *reinterpret_cast<const uint32_t*>(a + (row + i % 2 * 8) * length + (s * 8 + i / 2 * 4 + lane) * kEach);
    wgmma_fence();
    wgmma_held<T>(sum, held, of_b + s * b.step / 16, s > 0);
    wgmma_commit();
    wgmma_wait<0>();
  }
#pragma unroll
  for (int i = 0; i < kColumns / 2; ++i) d[(row + i % 4 / 2 * 8) * kColumns + i / 4 * 8 + lane * 2 + i % 2] = sum[i];
#endif
}

__global__ void hopper_multicast_kernel(const unsigned char* x, int n, unsigned char* y) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  const SharedAddress barrier(memory);
  unsigned char* const room = memory + 128;
  const int rank = cluster_rank(), half = n / cluster_blocks();
  if (threadIdx.x == 0) {
    transactions_begin(barrier, 1);
    transactions_fence();
  }
  cluster_arrive();
  cluster_wait();
  if (threadIdx.x == 0) {
    transactions_expect(barrier, n);
    bulk_copy_to(SharedAddress(room + rank * half), x + rank * half, half, barrier, 3);
  }
  transactions_wait(barrier, 0);
  for (int i = int(threadIdx.x); i < n; i += int(blockDim.x)) y[rank * n + i] = room[i];
  cluster_arrive();
  cluster_wait();
#endif
}

// The threads of both blocks give the stages back at the barriers of both, as consumers of multicasts do.
__global__ void hopper_ring_kernel(const int32_t* x, int n, int rounds, int32_t* y) {
  constexpr int kStages = 2;
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  const auto full = [&](int s) { return SharedAddress(memory) + s * 8; };
  const auto empty = [&](int s) { return SharedAddress(memory) + (kStages + s) * 8; };
  int32_t* const ring = reinterpret_cast<int32_t*>(memory + 128);
  const int blocks = cluster_blocks(), rank = cluster_rank(), warps = int(blockDim.x) / 32 - 1;
  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; ++s) {
      transactions_begin(full(s), 1);
      transactions_begin(empty(s), warps * blocks);
    }
    transactions_fence();
  }
  cluster_arrive();
  cluster_wait();
  if (threadIdx.x < 32) {
    for (int r = 0; r < rounds && threadIdx.x == 0; ++r) {
      const int s = r % kStages;
      transactions_wait(empty(s), 1 - r / kStages % 2);
      transactions_expect(full(s), n * 4);
      bulk_copy(SharedAddress(ring + s * n), x + r * n, n * 4, full(s));
    }
  } else {
    for (int r = 0; r < rounds; ++r) {
      const int s = r % kStages;
      transactions_wait(full(s), r / kStages % 2);
      for (int i = int(threadIdx.x) - 32; i < n; i += warps * 32) y[rank * n + i] += ring[s * n + i];
      __syncwarp();
      if (threadIdx.x % 32 == 0)
        for (int to = 0; to < blocks; ++to) transactions_arrive_at(empty(s), to);
    }
  }
  cluster_arrive();
  cluster_wait();
#endif
}

__global__ void hopper_some_kernel(const float* x, float* y) {
  VOXGRAD_SHARED(float, tile, [64]);
#if VOXGRAD_SM90
  if (threadIdx.x >= 64) return;
  const int t = int(threadIdx.x);
  tile[t] = x[t];
  named_barrier(1, 64);
  const float v = tile[63 - t];
  named_barrier(1, 64);
  tile[t] = v;
  y[t] = tile[t];
#endif
}

}  // namespace

void multiply_images(Cuda on, DType t, int columns, int steps, const void* image_a, OperandPlace a, const void* image_b, OperandPlace b,
                     const float* before, float* d) {
  const auto go = [&]<class T, int kColumns>(Width<kColumns>) {
    launch<hopper_product_kernel<T, kColumns>>(on, {.threads = 128, .shared = 2 * kImageBytes + 1024}, steps,
                                               static_cast<const uint4*>(image_a), a, static_cast<const uint4*>(image_b), b, before, d);
  };
  on_dtype(t, [&]<class T>() {
    if constexpr (dtype_of<T> == DType::f32 || sizeof(T) == 2) {
      if (columns == 32) go.template operator()<T>(Width<32>{});
      else if (columns == 64) go.template operator()<T>(Width<64>{});
      else if (columns == 96) go.template operator()<T>(Width<96>{});
      else if (columns == 128) go.template operator()<T>(Width<128>{});
      else go.template operator()<T>(Width<160>{});
    }
  });
}
void multiply_held(Cuda on, DType t, int columns, int steps, const void* a, const void* image_b, OperandPlace b, float* d) {
  const auto go = [&]<class T, int kColumns>(Width<kColumns>) {
    launch<hopper_held_kernel<T, kColumns>>(on, {.threads = 128, .shared = kImageBytes + 1024}, steps, static_cast<const T*>(a),
                                            static_cast<const uint4*>(image_b), b, d);
  };
  on_dtype(t, [&]<class T>() {
    if constexpr (dtype_of<T> == DType::f32 || sizeof(T) == 2) {
      if (columns == 32) go.template operator()<T>(Width<32>{});
      else if (columns == 64) go.template operator()<T>(Width<64>{});
      else go.template operator()<T>(Width<96>{});
    }
  });
}
void copy_to_cluster(Cuda on, const void* x, int n, void* y) {
  launch<hopper_multicast_kernel>(on, {.x = 2, .threads = 64, .shared = n + 128, .cluster = 2}, static_cast<const unsigned char*>(x), n,
                                  static_cast<unsigned char*>(y));
}
void sum_ring(Cuda on, const int32_t* x, int n, int rounds, int32_t* y) {
  launch<hopper_ring_kernel>(on, {.x = 2, .threads = 128, .shared = 2 * n * 4 + 128, .cluster = 2}, x, n, rounds, y);
}
void reverse_by_some(Cuda on, const float* x, float* y) { launch<hopper_some_kernel>(on, {.threads = 96}, x, y); }

}  // namespace voxgrad
