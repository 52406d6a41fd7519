#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// y = the one element of `value` where mask (u8) is not 0, else x; all of n elements.
void masked_fill(Cpu, int64_t n, View mask, View value, View x, View y);
void masked_fill(Cuda, int64_t n, View mask, View value, View x, View y);

}  // namespace voxgrad
