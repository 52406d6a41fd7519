#pragma once
#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {

// x and y are {outer, reduced, inner}. reverse: sums over j >= i.
void cumulative_sum(Cpu, const ReduceRuns&, bool reverse, View x, View y);
void cumulative_sum(Cuda, const ReduceRuns&, bool reverse, View x, View y);

}  // namespace voxgrad
