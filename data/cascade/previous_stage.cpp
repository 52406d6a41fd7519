#include "data/cascade/previous_stage.h"

#include "core/device/parallel.h"
#include "core/error.h"
#include "kernels/concat/concat.h"

namespace voxgrad {

Tensor one_hot(const Tensor& mask, const std::vector<int>& labels) {
  check(mask && mask.dtype() == DType::u8 && mask.device().is_cpu(), "previous stage: a mask of u8 on the CPU is wanted, not ", mask);
  Shape s = mask.shape();
  s.dims[s.rank] = int64_t(labels.size());
  ++s.rank;
  const Tensor out = Tensor::empty(s);
  const uint8_t* from = mask.view().as<uint8_t>();
  float* to = out.view().as<float>();
  const size_t n = labels.size();
  parallel_for(mask.count(), 1 << 14, [&](int64_t v) {
    for (size_t k = 0; k < n; ++k) to[size_t(v) * n + k] = from[v] == labels[k] ? 1.f : 0.f;
  });
  return out;
}

Tensor with_previous_stage(const Tensor& image, const Tensor& mask, const std::vector<int>& labels) {
  return concat({image, one_hot(mask, labels).to(image.device())}, -1);
}

}  // namespace voxgrad
