#pragma once
#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// The kernels that the runtime itself needs; all others live in kernels/.
void fill(Cpu, int64_t n, double value, View into);
void fill(Cuda, int64_t n, double value, View into);
void accumulate(Cpu, int64_t n, View from, View into);  // into += from, same dtype
void accumulate(Cuda, int64_t n, View from, View into);
void cast(Cpu, int64_t n, View from, View into);  // any dtype to any; floating to integer rounds to nearest and saturates
void cast(Cuda, int64_t n, View from, View into);

}  // namespace voxgrad
