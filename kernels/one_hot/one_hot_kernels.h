#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// y {n, classes} = 1 at the labels (i64 {n}, within the classes), 0 elsewhere.
void one_hot(Cpu, int64_t n, int64_t classes, View label, View y);
void one_hot(Cuda, int64_t n, int64_t classes, View label, View y);

}  // namespace voxgrad
