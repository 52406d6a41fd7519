#include "tests/cuda/clusters/cluster_facts.h"

#include "core/cuda/launch.h"
#include "core/cuda/transactions.h"

namespace voxgrad {
namespace {

constexpr int kThreads = 64, kBefore = 128;  // bytes of the barriers, in front of the buffer

__global__ void hopper_exchange_kernel(const uint4* x, int n, int rounds, uint4* y) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  const SharedAddress full(memory), empty = full + 8;
  uint4* const buffer = reinterpret_cast<uint4*>(memory + kBefore);
  const int thread = int(threadIdx.x), blocks = cluster_blocks(), rank = cluster_rank();
  const int first = n * rank / blocks, end = n * (rank + 1) / blocks;
  if (thread == 0) {
    transactions_begin(full, kThreads);
    transactions_begin(empty, kThreads / 32 * blocks);
    transactions_fence();
  }
  cluster_arrive();
  cluster_wait();
  for (int r = 0; r < rounds; ++r) {
    transactions_wait(empty, r % 2 ^ 1);
    for (int i = first + thread; i < end; i += kThreads) cp_async_16(SharedAddress(buffer + i), x + r * n + i, true);
    cp_async_commit();
    cp_async_wait<0>();
    fence_proxy();
    if (thread == 0) transactions_expect(full, (n - (end - first)) * 16);
    else transactions_arrive(full);
    __syncthreads();
    if (thread < blocks && thread != rank) bulk_send(SharedAddress(buffer + first), (end - first) * 16, full, thread);
    transactions_wait(full, r % 2);
    for (int i = thread; i < n; i += kThreads) y[(r * blocks + rank) * n + i] = buffer[i];
    __syncwarp();
    if (thread % 32 < blocks) transactions_arrive_at(empty, thread % 32);
  }
  cluster_arrive();
  cluster_wait();
#endif
}

__global__ void hopper_every_second_kernel(const unsigned char* x, int n, unsigned char* y) {
  VOXGRAD_DYNAMIC_SHARED(memory);
#if VOXGRAD_SM90
  const SharedAddress barrier(memory);
  unsigned char* const room = memory + kBefore;
  const int rank = cluster_rank(), own = rank / 2 * (n / 2);
  if (threadIdx.x == 0) {
    transactions_begin(barrier, 1);
    transactions_fence();
  }
  cluster_arrive();
  cluster_wait();
  if (threadIdx.x == 0) {
    transactions_expect(barrier, n);
    bulk_copy_to(SharedAddress(room + own), x + rank % 2 * n + own, n / 2, barrier, uint16_t(5 << rank % 2));
  }
  transactions_wait(barrier, 0);
  for (int i = int(threadIdx.x); i < n; i += kThreads) y[rank * n + i] = room[i];
  cluster_arrive();
  cluster_wait();
#endif
}

}  // namespace

void exchange_parts(Cuda on, int blocks, const void* x, int n, int rounds, void* y) {
  launch<hopper_exchange_kernel>(on, {.x = blocks, .threads = kThreads, .shared = kBefore + n * 16, .cluster = blocks},
                                 static_cast<const uint4*>(x), n, rounds, static_cast<uint4*>(y));
}
void copy_to_every_second(Cuda on, const void* x, int n, void* y) {
  launch<hopper_every_second_kernel>(on, {.x = 4, .threads = kThreads, .shared = kBefore + n, .cluster = 4},
                                     static_cast<const unsigned char*>(x), n, static_cast<unsigned char*>(y));
}
int large_clusters_at_once(Cuda on, int blocks) {
  return clusters_at_once<hopper_exchange_kernel>(on, {.x = blocks, .threads = kThreads, .shared = 227 << 10, .cluster = blocks});
}

}  // namespace voxgrad
