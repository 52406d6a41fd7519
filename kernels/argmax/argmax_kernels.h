#pragma once
#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {

// x is {outer, reduced, inner}. indices (i32 or i64) and, where there, values (of the dtype of x) are {outer, inner}, assigned.
void extreme_places(Cpu, const ReduceRuns&, bool smallest, View x, View values, View indices);
void extreme_places(Cuda, const ReduceRuns&, bool smallest, View x, View values, View indices);

}  // namespace voxgrad
