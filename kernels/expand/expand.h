#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// x repeated along axes of extent 1 to the shape `to`, as NumPy broadcasts: axes are matched from the last one, each extent of x is that
// of `to`, 1 or absent; -1 in `to` stands for the extent of x. Any dtype; the gradient is summed over what was repeated. A copy, or the
// memory of x where nothing is repeated. Saves nothing.
Tensor expand(const Tensor& x, const Shape& to);

// Whether expand takes a tensor of the shape s to the shape `to`.
bool broadcasts_to(const Shape& s, const Shape& to);

// x counts[k] times behind itself along axis k. Axes are matched from the last one; a missing count is 1, and counts beyond the rank add
// axes in front. NumPy's tile, PyTorch's repeat. Recorded as expand. Saves nothing.
Tensor tile(const Tensor& x, const std::vector<int64_t>& counts);
inline Tensor repeat(const Tensor& x, const std::vector<int64_t>& counts) { return tile(x, counts); }

}  // namespace voxgrad
