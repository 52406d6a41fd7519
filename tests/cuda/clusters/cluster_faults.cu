#include "tests/cuda/clusters/cluster_faults.h"

#include "core/cuda/launch.h"
#include "core/cuda/transactions.h"

namespace voxgrad {
namespace {

using Fault = ClusterFault;
constexpr int kThreads = 32, kHalf = 32, kBefore = 128;  // pieces of 16 bytes of a half; bytes of the barrier

__global__ void hopper_cluster_fault_kernel(const uint4* x, uint4* y, Fault fault) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  const SharedAddress full(memory);
  uint4* const buffer = reinterpret_cast<uint4*>(memory + kBefore);
  const int thread = int(threadIdx.x), rank = cluster_rank(), own = rank * kHalf;
  if (thread == 0) {
    transactions_begin(full, kThreads);
    transactions_fence();
  }
  cluster_arrive();
  cluster_wait();
  if (fault == Fault::no_proxy_fence) {
    const uint4 v = x[own + thread];
    const uint32_t words[4] = {v.x, v.y, v.z, v.w};
    store_16(SharedAddress(buffer + own + thread), words);
  } else {
    cp_async_16(SharedAddress(buffer + own + thread), x + own + thread, true);
    cp_async_commit();
    if (fault != Fault::early_send) cp_async_wait<0>();
    fence_proxy();
  }
  if (thread == 0) transactions_expect(full, kHalf * 16 + (fault == Fault::too_much_expected ? 16 : 0));
  else transactions_arrive(full);
  __syncthreads();
  const int to = fault == Fault::to_itself ? rank : fault == Fault::to_nobody ? 2 : rank ^ 1;
  const int bytes = fault == Fault::unaligned ? 24 : fault == Fault::past_the_end ? 3 * kHalf * 16 : kHalf * 16;
  if (thread == 0 && (fault != Fault::early_leave || rank == 1)) bulk_send(SharedAddress(buffer + own), bytes, full, to);
  cp_async_wait<0>();
  if (fault == Fault::early_overwrite) buffer[own + thread] = uint4{};
  if (fault == Fault::early_leave) {
    for (int i = 0; i <= rank; ++i) {
      cluster_arrive();
      cluster_wait();
    }
    return;
  }
  if (fault != Fault::early_read) transactions_wait(full, 0);
  if (fault == Fault::early_again) {
    __syncthreads();
    if (thread == 0) {
      transactions_expect(full, kHalf * 16);
      bulk_send(SharedAddress(buffer + own), kHalf * 16, full, to);
    } else {
      transactions_arrive(full);
    }
  }
  for (int i = thread; i < 2 * kHalf; i += kThreads) y[rank * 2 * kHalf + i] = buffer[i];
  if (fault == Fault::early_read) transactions_wait(full, 0);
  if (fault == Fault::early_again) transactions_wait(full, 1);
  if (fault == Fault::early_end) return;
  cluster_arrive();
  cluster_wait();
}

}  // namespace

void exchange_halves(Cuda on, const void* x, void* y, ClusterFault fault) {
  launch<hopper_cluster_fault_kernel>(on, {.x = 2, .threads = kThreads, .shared = kBefore + 2 * kHalf * 16, .cluster = 2},
                                      static_cast<const uint4*>(x), static_cast<uint4*>(y), fault);
}

}  // namespace voxgrad
