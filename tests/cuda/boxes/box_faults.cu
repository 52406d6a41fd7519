#include "tests/cuda/boxes/box_faults.h"

#include "core/cuda/launch.h"
#include "core/cuda/transactions.h"

namespace voxgrad {
namespace {

constexpr int kThreads = 128, kBefore = 128;  // bytes of the barrier, in front of the box

__global__ void hopper_box_fault_kernel(const __grid_constant__ TensorMap map, BoxPlace place, int bytes, unsigned char* y,
                                        BoxFault fault) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  unsigned char* const room = memory + kBefore;
  const SharedAddress barrier(memory);
  if (threadIdx.x == 0) {
    transactions_begin(barrier, 1);
    transactions_fence();
  }
  __syncthreads();
  const int off = fault == BoxFault::unaligned_box ? 64 : fault == BoxFault::past_the_end ? 128 : 0;
  if (threadIdx.x == 0) {
    transactions_expect(barrier, fault == BoxFault::too_little_expected ? bytes / 2
                                 : fault == BoxFault::too_much_expected ? bytes + 16
                                                                        : bytes);
    box_copy(SharedAddress(room + off), map, place.at, barrier);
  }
  if (fault == BoxFault::no_copy_wait) return;
  if (fault != BoxFault::early_read) transactions_wait(barrier, 0);
  if (fault == BoxFault::early_copy) {
    __syncthreads();
    if (threadIdx.x == 0) {
      transactions_expect(barrier, bytes);
      box_copy(SharedAddress(room), map, place.at, barrier);
    }
  }
  for (int i = int(threadIdx.x); i < bytes; i += kThreads) y[i] = room[i];
  if (fault == BoxFault::early_read) transactions_wait(barrier, 0);
  if (fault == BoxFault::early_copy) transactions_wait(barrier, 1);
}

}  // namespace

void read_box_wrongly(Cuda on, const TensorMap& map, BoxPlace place, int bytes, void* y, BoxFault fault) {
  const TensorMap none{};
  launch<hopper_box_fault_kernel>(on, {.threads = kThreads, .shared = kBefore + bytes}, fault == BoxFault::no_map ? none : map, place,
                                  bytes, static_cast<unsigned char*>(y), fault);
}

}  // namespace voxgrad
