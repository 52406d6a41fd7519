#pragma once
#include "tests/cuda/boxes/box_facts.h"

namespace voxgrad {

// What can be done wrong with boxes.
enum class BoxFault {
  none,
  too_little_expected,  // only of what lies inside the tensor
  too_much_expected,    // 16 bytes more than the box has
  early_read,           // before the box has arrived
  early_copy,           // over a box that is still read
  unaligned_box,        // to a place that is a multiple of 64 bytes alone
  past_the_end,         // of shared memory
  no_map,               // of a map that is none
  no_copy_wait,         // ends before the copy does
};
// y as of read_box, of a box that lies half outside the tensor.
void read_box_wrongly(Cuda, const TensorMap&, BoxPlace, int bytes, void* y, BoxFault);

}  // namespace voxgrad
