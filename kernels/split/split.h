#pragma once
#include <vector>

#include "core/tensor.h"

// One op with as many outputs as there are parts, each a copy of elements along one axis. Negative axes count from the end. Any dtype. The
// gradient of an output that nothing depends on is 0. Save nothing.
namespace voxgrad {

// Parts of these extents, which add up to that of the axis.
std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& extents, int axis);
// Parts of one extent; the last one is smaller where it must be.
std::vector<Tensor> split(const Tensor& x, int64_t extent, int axis);
// At most `count` parts of ceil(extent / count) each; the last one is smaller where it must be, as in PyTorch.
std::vector<Tensor> chunk(const Tensor& x, int64_t count, int axis);

}  // namespace voxgrad
