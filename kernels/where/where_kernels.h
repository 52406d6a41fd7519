#pragma once
#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/broadcast/broadcast_kernels.h"

namespace voxgrad {

// y = condition ? a : b; operands 0, 1, 2 of the walk are condition (u8), a and b, each of the dtype of y or of accum_of it.
void where(Cpu, const Broadcast&, View condition, View a, View b, View y);
void where(Cuda, const Broadcast&, View condition, View a, View b, View y);

}  // namespace voxgrad
