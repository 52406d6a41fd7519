#include "tests/cuda/boxes/box_facts.h"

#include "core/cuda/elements.h"
#include "core/cuda/wgmma.h"
#include "tests/cuda/boxes/swizzle_window.cuh"

namespace voxgrad {
namespace {

constexpr int kBoxThreads = 128, kOfBarrier = 128;

// A barrier lies behind what a box takes of the window.
__device__ inline void begin_barrier(SharedAddress barrier) {
  if (threadIdx.x == 0) {
    transactions_begin(barrier, 1);
    transactions_fence();
  }
}
inline int64_t shared_of(int bytes) { return bytes + kOfBarrier + 1024; }

__global__ void hopper_box_kernel(const __grid_constant__ TensorMap map, BoxPlace place, int bytes, unsigned char* y) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  unsigned char* const room = aligned_window(memory);
  const SharedAddress barrier(room + bytes);
  begin_barrier(barrier);
  __syncthreads();
  if (threadIdx.x == 0) {
    transactions_expect(barrier, bytes);
    box_copy(SharedAddress(room), map, place.at, barrier);
  }
  transactions_wait(barrier, 0);
  for (int i = int(threadIdx.x); i < bytes; i += kBoxThreads) y[i] = room[i];
#endif
}

__global__ void hopper_box_multicast_kernel(const __grid_constant__ TensorMap map, BoxPlace first, BoxPlace second, int bytes,
                                            unsigned char* y) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  unsigned char* const room = aligned_window(memory);
  const SharedAddress barrier(room + 2 * bytes);
  const int rank = cluster_rank();
  begin_barrier(barrier);
  cluster_arrive();
  cluster_wait();
  if (threadIdx.x == 0) {
    transactions_expect(barrier, 2 * bytes);
    box_copy_to(SharedAddress(room + rank * bytes), map, rank == 0 ? first.at : second.at, barrier, 3);
  }
  transactions_wait(barrier, 0);
  for (int i = int(threadIdx.x); i < 2 * bytes; i += kBoxThreads) y[rank * 2 * bytes + i] = room[i];
  cluster_arrive();
  cluster_wait();
#endif
}

template <class T>
__global__ void __launch_bounds__(kBoxThreads) hopper_box_product_kernel(const __grid_constant__ TensorMap map, BoxPlace place, int bytes,
                                                                         int first, int down, const uint4* b, float* d) {
  constexpr int kColumns = 32, kRow = 64, kPieces = kRow / 16;
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  unsigned char* const room = aligned_window(memory);
  unsigned char* const of_b = room + bytes;
  const SharedAddress barrier(of_b + kColumns * kRow);
  begin_barrier(barrier);
  for (int i = int(threadIdx.x); i < kColumns * kPieces; i += kBoxThreads) {
    const uint4 v = b[i];
    const uint32_t words[4] = {v.x, v.y, v.z, v.w};
    store_16(SharedAddress(of_b + (i % kPieces * kColumns + i / kPieces) * 16), words);
  }
  fence_proxy();
  __syncthreads();
  if (threadIdx.x == 0) {
    transactions_expect(barrier, bytes);
    box_copy(SharedAddress(room), map, place.at, barrier);
  }
  transactions_wait(barrier, 0);
  const uint64_t a = matrix_descriptor(SharedAddress(room) + first * kRow, 16, down * kRow, Swizzle::bytes64);
  const uint64_t columns = matrix_descriptor(SharedAddress(of_b), kColumns * 16, 128);
  float sum[kColumns / 2];
  wgmma_fence();
  for (int k = 0; k < 2; ++k) wgmma_of<T>(sum, a + 2 * k, columns + 2 * k * kColumns, k > 0);
  wgmma_commit();
  wgmma_wait<0>();
  const int row = int(threadIdx.x) / 32 * 16 + int(threadIdx.x) % 32 / 4, column = int(threadIdx.x) % 4 * 2;
#pragma unroll
  for (int i = 0; i < kColumns / 2; ++i) d[(row + i % 4 / 2 * 8) * kColumns + i / 4 * 8 + column + i % 2] = sum[i];
#endif
}

}  // namespace

void read_box(Cuda on, const TensorMap& map, BoxPlace place, int bytes, void* y) {
  launch<hopper_box_kernel>(on, {.threads = kBoxThreads, .shared = shared_of(bytes)}, map, place, bytes, static_cast<unsigned char*>(y));
}
void read_boxes_of_cluster(Cuda on, const TensorMap& map, BoxPlace first, BoxPlace second, int bytes, void* y) {
  launch<hopper_box_multicast_kernel>(on, {.x = 2, .threads = kBoxThreads, .shared = shared_of(2 * bytes), .cluster = 2}, map, first,
                                      second, bytes, static_cast<unsigned char*>(y));
}
void multiply_box(Cuda on, DType t, const TensorMap& map, BoxPlace place, int bytes, int first, int down, const void* b, float* d) {
  on_dtype(t, [&]<class T>() {
    if constexpr (dtype_of<T> == DType::f32 || sizeof(T) == 2)
      launch<hopper_box_product_kernel<T>>(on, {.threads = kBoxThreads, .shared = shared_of(bytes + 32 * 64)}, map, place, bytes, first,
                                           down, static_cast<const uint4*>(b), d);
  });
}

}  // namespace voxgrad
