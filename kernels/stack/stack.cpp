#include "kernels/stack/stack.h"

#include "kernels/squeeze/squeeze.h"

namespace voxgrad {

Tensor stack(const std::vector<Tensor>& tensors, int axis) {
  check(!tensors.empty(), "stack: no tensor is given");
  std::vector<Tensor> parts;
  for (const Tensor& t : tensors) {
    check(t && t.shape() == tensors[0].shape() && t.dtype() == tensors[0].dtype() && t.device() == tensors[0].device(), "stack: ", t,
          " beside ", tensors[0], ": one shape, dtype and device are wanted");
    parts.push_back(unsqueeze(t, axis));
  }
  return concat(parts, axis);
}

}  // namespace voxgrad
