#pragma once
// Copies that complete on barriers in shared memory, and blocks that run as a cluster: instructions of sm_90. Under nvcc they are inline
// assembly, which kernels use within VOXGRAD_SM90 alone; elsewhere tests/emulator defines what is declared here.
#include <cstdint>

#include "core/cuda/ptx.h"
#include "core/cuda/tensor_map.h"

// Whether code of this architecture may hold these instructions, and those of core/cuda/wgmma.h.
#if !defined(__CUDA_ARCH__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define VOXGRAD_SM90 1
#else
#define VOXGRAD_SM90 0
#endif

namespace voxgrad {

// A barrier is 8 bytes of shared memory, aligned. A phase of it ends when so many arrivals are there, and as many bytes as were expected;
// then the next one begins. One thread initialises it, calls transactions_fence, and the threads (of the cluster) meet before they use it.
VOXGRAD_PTX(void transactions_begin(SharedAddress barrier, int arrivals),
            asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier.value()), "r"(arrivals) : "memory");)
VOXGRAD_PTX(void transactions_fence(), asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");)
VOXGRAD_PTX(void transactions_arrive(SharedAddress barrier),
            asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier.value()) : "memory");)
// At the same barrier of block `rank` of the cluster.
VOXGRAD_PTX(void transactions_arrive_at(SharedAddress barrier, int rank),
            asm volatile("{\n.reg .b32 there;\nmapa.shared::cluster.u32 there, %0, %1;\n"
                         "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [there];\n}" ::"r"(barrier.value()), "r"(rank)
                         : "memory");)
// Arrives, and the phase ends after so many bytes more.
VOXGRAD_PTX(void transactions_expect(SharedAddress barrier, int bytes),
            asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier.value()), "r"(bytes) : "memory");)
// Returns when the phase of this parity has ended; that before the first one has.
#ifdef __CUDACC__
__device__ __forceinline__ void transactions_wait(SharedAddress barrier, int parity) {
  uint32_t done;
  do {
    asm volatile("{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
                 : "=r"(done) : "r"(barrier.value()), "r"(parity) : "memory");
  } while (!done);
}
#else
void transactions_wait(SharedAddress barrier, int parity, const char* file = __builtin_FILE(), int line = __builtin_LINE());
#endif
// What this thread wrote to shared memory so far, and cp.async wrote that it waited for, is seen by products and bulk copies behind the
// next barrier.
VOXGRAD_PTX(void fence_proxy(), asm volatile("fence.proxy.async.shared::cta;" ::: "memory");)

// One thread copies so many bytes, a multiple of 16, all addresses aligned to 16, and completes them on the barrier.
VOXGRAD_PTX(void bulk_copy(SharedAddress into, const void* from, int bytes, SharedAddress barrier),
            asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(into.value()),
                         "l"(from), "r"(bytes), "r"(barrier.value()) : "memory");)
// To the same addresses, and on the same barriers, of the blocks of the cluster whose bits are set.
VOXGRAD_PTX(void bulk_copy_to(SharedAddress into, const void* from, int bytes, SharedAddress barrier, uint16_t blocks),
            asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1], %2, [%3], %4;" ::
                             "r"(into.value()), "l"(from), "r"(bytes), "r"(barrier.value()), "h"(blocks) : "memory");)

// So many bytes of the shared memory of this block to the same addresses, and completed on the same barrier, of block `rank` of the
// cluster, another one. What was written to them is seen as by products; they are free once that block tells that they have arrived.
VOXGRAD_PTX(
    void bulk_send(SharedAddress at, int bytes, SharedAddress barrier, int rank),
    asm volatile("{\n.reg .b32 into, on;\nmapa.shared::cluster.u32 into, %0, %3;\nmapa.shared::cluster.u32 on, %2, %3;\n"
                 "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [into], [%0], %1, [on];\n}" ::"r"(at.value()),
                 "r"(bytes), "r"(barrier.value()), "r"(rank)
                 : "memory");)

// One thread copies the box that begins at element `at` of the tensor of the map, rows of its fastest axis behind each other from a
// multiple of 128 on. Places may lie outside the tensor, also before it: zeros are written there. The barrier is told of all bytes of the
// box.
VOXGRAD_PTX(
    void box_copy(SharedAddress into, const TensorMap& map, const int (&at)[5], SharedAddress barrier),
    asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6, %7}], "
                 "[%2];" ::"r"(into.value()),
                 "l"(&map), "r"(barrier.value()), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
                 : "memory");)
// To the same addresses, and on the same barriers, of the blocks of the cluster whose bits are set.
VOXGRAD_PTX(void box_copy_to(SharedAddress into, const TensorMap& map, const int (&at)[5], SharedAddress barrier, uint16_t blocks),
            asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
                         "[%1, {%3, %4, %5, %6, %7}], [%2], %8;" ::"r"(into.value()), "l"(&map), "r"(barrier.value()), "r"(at[0]),
                         "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4]), "h"(blocks) : "memory");)

// Of the cluster of this block (Grid::cluster): its blocks, the number of this one (read anew, as thread_read_anew), and a barrier of all
// their threads.
VOXGRAD_PTX(int cluster_blocks(), uint32_t n; asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(n)); return int(n);)
VOXGRAD_PTX(int cluster_rank(), uint32_t n; asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(n)); return int(n);)
VOXGRAD_PTX(void cluster_arrive(), asm volatile("barrier.cluster.arrive.release;" ::: "memory");)
#ifdef __CUDACC__
__device__ __forceinline__ void cluster_wait() { asm volatile("barrier.cluster.wait.acquire;" ::: "memory"); }
#else
void cluster_wait(const char* file = __builtin_FILE(), int line = __builtin_LINE());
#endif

// A barrier of so many threads of the block, whole warps; numbers 1 to 15.
#ifdef __CUDACC__
__device__ __forceinline__ void named_barrier(int number, int threads) {
  asm volatile("barrier.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}
#else
inline void named_barrier(int number, int threads, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  emulator::named_barrier(number, threads, {file, line});
}
#endif

// All warps of a warpgroup give registers back, down to so many a thread, or take more, up to so many.
#ifdef __CUDACC__
template <int kRegisters>
__device__ __forceinline__ void fewer_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void more_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
#else
template <int kRegisters>
void fewer_registers() {}
template <int kRegisters>
void more_registers() {}
#endif

// 16 bytes into shared memory, that products are to see after fence_proxy.
VOXGRAD_PTX(void store_16(SharedAddress into, const uint32_t (&v)[4]),
            asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(into.value()), "r"(v[0]), "r"(v[1]), "r"(v[2]), "r"(v[3])
                         : "memory");)

}  // namespace voxgrad
