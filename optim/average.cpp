#include "optim/average.h"

#include <algorithm>

#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"

namespace voxgrad {

void move_average(const std::vector<Parameter>& into, const std::vector<Parameter>& from, double decay, int64_t step) {
  check(into.size() == from.size(), "move_average: ", from.size(), " tensors for an average of ", into.size());
  check(decay >= 0 && decay < 1, "move_average: the decay ", decay, " is not in [0, 1)");
  const double d = std::min(decay, double(1 + step) / double(10 + step));
  for (size_t i = 0; i < from.size(); ++i) {
    const Tensor &average = into[i].tensor, &now = from[i].tensor;
    check(into[i].name == from[i].name, "move_average: \"", from[i].name, "\" for \"", into[i].name, "\"");
    average.copy_from(add(affine(average.detach(), d, 0), affine(now.detach(), 1 - d, 0)));
  }
}

}  // namespace voxgrad
