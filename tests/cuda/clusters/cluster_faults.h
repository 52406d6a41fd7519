#pragma once
#include "core/device/execution.h"

namespace voxgrad {

// What can be done wrong with parts that blocks of a cluster send each other.
enum class ClusterFault {
  none,
  no_proxy_fence,    // sends what its threads wrote, without fence_proxy
  early_send,        // sends before it has arrived itself
  early_overwrite,   // writes to what is sent before that has arrived
  early_read,        // reads what it gets before it waits
  early_again,       // is sent more while it reads
  too_much_expected,
  to_itself,
  to_nobody,         // a block that the cluster does not have
  unaligned,         // 24 bytes
  past_the_end,      // of shared memory
  early_end,         // ends while what it has sent is under way
  early_leave,       // ends while it is sent something
};
// y {2, 64, 16 bytes}: x {64, 16 bytes}, of which each of two blocks loads a half and sends it to the other one.
void exchange_halves(Cuda, const void* x, void* y, ClusterFault);

}  // namespace voxgrad
