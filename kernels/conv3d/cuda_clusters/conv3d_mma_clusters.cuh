#pragma once
// What the blocks of a cluster of conv3d_mma_cuda.cu do for each other, on sm_90. They have one tile and the same channels of x, and differ
// in output channels and taps: each loads a part of the slots of every halo and sends it to the others.
#include "core/cuda/transactions.h"
#include "kernels/conv3d/cuda/conv3d_mma.cuh"

namespace voxgrad {

// One for each thread; chunks of the halo are numbered from the block's first one on. Buffer c % buffers has two barriers: that chunk c is
// there but for what the block has loaded itself, and that all blocks have read the chunk before it.
class MmaCluster {
 public:
  // In front of everything in shared memory. Threads meet behind it.
  __device__ MmaCluster(const MmaPlan& p, unsigned char* memory, int warps)
      : plan_(p), memory_(memory) {
#if VOXGRAD_SM90
    if (!shares()) return;
    if (threadIdx.x == 0) {
      for (int i = 0; i < p.buffers; ++i) {
        transactions_begin(full(i), 1);
        transactions_begin(empty(i), warps * blocks());
      }
      transactions_fence();
    }
    cluster_arrive();
    cluster_wait();
#endif
  }
  __device__ bool shares() const { return blocks() > 1; }
  // The slots of part `part` of `parts` that this block loads, by so many threads.
  struct Slots {
    int begin, end;
  };
  __device__ Slots slots(int part, int parts, int threads) const {
    const int own = rank(), first = at(own), last = at(own + 1);
    const int each = divided_up(last - first, parts * threads / kPieces) * (threads / kPieces);
    const int begin = first + part * each, end = begin + each;
    return {begin < last ? begin : last, end < last ? end : last};
  }

  // Before any of chunk c is loaded.
  __device__ void begin_chunk(int c) const {
#if VOXGRAD_SM90
    if (!shares()) return;
    transactions_wait(empty(c % plan_.buffers), c / plan_.buffers % 2 ^ 1);
    if (threadIdx.x != 0) return;
    const int own = rank();
    transactions_expect(full(c % plan_.buffers), (plan_.tile.slots() - (at(own + 1) - at(own))) * kSlot);
#endif
  }
  // Of slots that the threads of the block have written, between this and their barrier.
  __device__ void written() const {
#if VOXGRAD_SM90
    if (shares()) fence_proxy();
#endif
  }
  // Behind that barrier.
  __device__ void send(int c, const Slots& s) const {
#if VOXGRAD_SM90
    const int to = int(threadIdx.x);
    if (shares() && to < blocks() && to != rank() && s.begin < s.end)
      bulk_send(SharedAddress(memory_ + plan_.before_halos() + c % plan_.buffers * plan_.halo_bytes() + s.begin * kSlot),
                (s.end - s.begin) * kSlot, full(c % plan_.buffers), to);
#endif
  }
  // Returns when chunk c has come.
  __device__ void wait_for(int c) const {
#if VOXGRAD_SM90
    if (shares()) transactions_wait(full(c % plan_.buffers), c / plan_.buffers % 2);
#endif
  }
  // A warp has read chunk c.
  __device__ void end_chunk(int c) const {
#if VOXGRAD_SM90
    if (!shares()) return;
    __syncwarp();
    if (const int to = int(threadIdx.x) % 32; to < blocks()) transactions_arrive_at(empty(c % plan_.buffers), to);
#endif
  }
  // Nothing of the others comes to this block's shared memory any more.
  __device__ void end() const {
#if VOXGRAD_SM90
    if (!shares()) return;
    cluster_arrive();
    cluster_wait();
#endif
  }

 private:
  // Made anew for each use, as registers are few.
#if VOXGRAD_SM90
  __device__ int blocks() const { return plan_.cluster(); }
  __device__ int rank() const { return shares() ? cluster_rank() : 0; }
#else
  __device__ int blocks() const { return 1; }
  __device__ int rank() const { return 0; }
#endif
  __device__ static int divided_up(int a, int b) { return (a + b - 1) / b; }
  __device__ int at(int rank) const { return plan_.tile.slots() * rank / blocks(); }
  __device__ SharedAddress full(int buffer) const { return SharedAddress(memory_) + buffer * 8; }
  __device__ SharedAddress empty(int buffer) const { return SharedAddress(memory_) + (plan_.buffers + buffer) * 8; }

  const MmaPlan& plan_;
  unsigned char* memory_;
};

}  // namespace voxgrad
