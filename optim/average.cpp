#include "optim/average.h"

#include <algorithm>

#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"
#include "optim/update_kernels.h"

namespace voxgrad {

void move_average(const std::vector<Parameter>& into, const std::vector<Parameter>& from, double decay, int64_t step) {
  check(into.size() == from.size(), "move_average: ", from.size(), " tensors for an average of ", into.size());
  check(decay >= 0 && decay < 1, "move_average: the decay ", decay, " is not in [0, 1)");
  const double d = std::min(decay, double(1 + step) / double(10 + step));
  std::vector<AverageTensor> at_once;  // on a CUDA device
  Device device;
  for (size_t i = 0; i < from.size(); ++i) {
    const Tensor &average = into[i].tensor, &now = from[i].tensor;
    check(into[i].name == from[i].name, "move_average: \"", from[i].name, "\" for \"", into[i].name, "\"");
    if (!now.device().is_cpu() && now.info() == average.info() && now.dtype() == DType::f32 &&
        (at_once.empty() || now.device() == device)) {
      device = now.device();
      average.mark_written();
      at_once.push_back({{d}, now.count(), average.view(), now.view()});
      continue;
    }
    average.copy_from(add(affine(average.detach(), d, 0), affine(now.detach(), 1 - d, 0)));
  }
  if constexpr (kCuda)
    if (!at_once.empty()) average_update(current_stream(device), at_once.data(), int64_t(at_once.size()));
}

}  // namespace voxgrad
