#include "tests/cuda/hopper_faults.h"

#include "core/cuda/elements.h"
#include "core/cuda/wgmma.h"

namespace voxgrad {
namespace {

using Fault = HopperFault;
constexpr int kBytesA = 64 * 32, kBytesB = 32 * 32;

__global__ void __launch_bounds__(128) hopper_faulty_kernel(const uint4* a, const uint4* b, float* c, Fault fault) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  const SharedAddress barrier(memory);
  unsigned char *const at_a = memory + 128, *const at_b = at_a + kBytesA;
  const int thread = int(threadIdx.x);
  if (thread == 0 && fault != Fault::no_initialisation) {
    transactions_begin(barrier, 1);
    transactions_fence();
  }
  if (fault == Fault::no_barrier) transactions_wait(barrier, thread == 0 ? 1 : 0);
  __syncthreads();
  const bool stored = fault == Fault::no_proxy_fence;
  if (stored)
    for (int i = thread; i < (kBytesA + kBytesB) / 16; i += 128) {
      const uint4 v = i < kBytesA / 16 ? a[i] : b[i - kBytesA / 16];
      const uint32_t words[4] = {v.x, v.y, v.z, v.w};
      store_16(SharedAddress(at_a + i * 16), words);
    }
  if (thread == 0) {
    if (fault == Fault::too_many_arrivals) transactions_expect(barrier, 16), transactions_arrive(barrier);
    transactions_expect(barrier, stored ? 0 : kBytesA + kBytesB + (fault == Fault::too_much_expected ? 16 : 0));
    if (!stored) {
      bulk_copy(SharedAddress(at_a), a, kBytesA, barrier);
      bulk_copy(SharedAddress(at_b), b, fault == Fault::unaligned_copy ? 24 : kBytesB, barrier);
    }
  }
  if (fault == Fault::early_product) {
    __syncthreads();
  } else if (fault == Fault::no_copy_wait) {
    return;
  } else {
    transactions_wait(barrier, 0);
  }
  __syncthreads();
  const int off = fault == Fault::unaligned_matrix ? 8 : fault == Fault::warps_differ ? thread / 32 * 16 : 0;
  const SharedAddress first = SharedAddress(at_a) + off;
  const uint64_t of_a = matrix_descriptor(first, 64 * 16, fault == Fault::unaligned_pitch ? 120 : 128);
  const uint64_t of_b = matrix_descriptor(SharedAddress(at_b), 32 * 16, 128);
  float sum[16];
  if (fault != Fault::no_product_fence) wgmma_fence();
  uint32_t held[4] = {0x3f003f00u, 0x3f003f00u, 0x3f003f00u, 0x3f003f00u};  // 0.5
  if (fault == Fault::early_reload) wgmma_columns_bf16(sum, held, of_b, false);
  else wgmma_bf16(sum, of_a, of_b, false);
  wgmma_commit();
  if (fault == Fault::early_reload) held[2] = 0;
  if (fault == Fault::no_product_wait) return;
  if (fault == Fault::early_copy) {
    __syncthreads();
    if (thread == 0) {
      transactions_expect(barrier, kBytesA);
      bulk_copy(SharedAddress(at_a), a, kBytesA, barrier);
    }
    wgmma_wait<0>();
    transactions_wait(barrier, 1);
  }
  if (fault == Fault::early_write) sum[3] = 0;
  float seen[16];
  if (fault == Fault::early_read)
    for (int i = 0; i < 16; ++i) seen[i] = sum[i];
  wgmma_wait<0>();
  if (fault != Fault::early_read)
    for (int i = 0; i < 16; ++i) seen[i] = sum[i];
  for (int i = 0; i < 16; ++i)
    c[(thread / 32 * 16 + thread % 32 / 4 + i % 4 / 2 * 8) * 32 + i / 4 * 8 + thread % 4 * 2 + i % 2] = seen[i];
}

}  // namespace

void multiply_copied(Cuda on, const void* a, const void* b, float* c, HopperFault fault) {
  launch<hopper_faulty_kernel>(on, {.threads = 128, .shared = 128 + kBytesA + kBytesB}, static_cast<const uint4*>(a),
                               static_cast<const uint4*>(b), c, fault);
}

}  // namespace voxgrad
