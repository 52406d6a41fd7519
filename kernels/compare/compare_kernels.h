#pragma once
#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/broadcast/broadcast_kernels.h"

namespace voxgrad {

enum class Relation { equal, not_equal, less, less_equal, both, either };

// y (u8) = whether a and b are in the relation. Elements are of `t`, or of accum_of(t) in an operand that says so.
void compare(Cpu, Relation, DType t, const Broadcast&, View a, View b, View y);
void compare(Cuda, Relation, DType t, const Broadcast&, View a, View b, View y);

}  // namespace voxgrad
