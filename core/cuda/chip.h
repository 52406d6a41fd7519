#pragma once
#include "core/device/execution.h"

namespace voxgrad::cuda {

// What kernels are chosen by, and grids of blocks that stay cut by.
struct Chip {
  int architecture = 0;  // 90: sm_90
  int multiprocessors = 0;
};
Chip chip_of(Cuda);  // also while work is recorded

}  // namespace voxgrad::cuda
