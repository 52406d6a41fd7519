#include "kernels/stack/stack.h"

#include "kernels/squeeze/squeeze.h"

namespace voxgrad {

Tensor stack(const std::vector<Tensor>& tensors, int axis) {
  check(!tensors.empty() && tensors.size() <= 64, "stack: 1 to 64 tensors are wanted, not ", tensors.size());
  check(tensors[0].shape().rank < Shape::kMaxRank, "stack: tensors of fewer than ", Shape::kMaxRank, " axes are wanted, not ", tensors[0]);
  const int rank = tensors[0].shape().rank + 1;
  check(axis >= -rank && axis < rank, "stack: axis ", axis, " of a result of ", rank, " axes does not exist");
  std::vector<Tensor> parts;
  for (const Tensor& t : tensors) {
    check(t && t.shape() == tensors[0].shape() && t.dtype() == tensors[0].dtype() && t.device() == tensors[0].device(), "stack: ", t,
          " beside ", tensors[0], ": one shape, dtype and device are wanted");
    parts.push_back(unsqueeze(t, axis));
  }
  return concat(parts, axis);
}

}  // namespace voxgrad
