#pragma once
#include "core/tensor.h"

namespace voxgrad {

enum class PadMode {
  constant,  // `value`
  edge,      // the nearest voxel: a b c -> a a | a b c | c c
  reflect,   // mirrored about the centre of the outermost voxel: a b c -> c b | a b c | b a; pads less than the extent
};

struct PadOptions {
  PadMode mode = PadMode::constant;
  double value = 0;  // of PadMode::constant; one that fits the dtype
};

// {N, D, H, W, C} gets `before` voxels in front and `after` voxels behind, per axis. Any dtype in any mode. Saves nothing.
Tensor pad3d(const Tensor& x, const Int3& before, const Int3& after, const PadOptions& options = {});

}  // namespace voxgrad
