#include "train/inside.h"

#include "core/error.h"
#include "data/case_store.h"
#include "kernels/binary/binary.h"

namespace voxgrad {

Batch zero_outside(const Batch& batch, const std::vector<Normalization>& channels) {
  const Field* inside = batch.find(kInside);
  if (!inside) return batch;
  check(int64_t(channels.size()) == batch.image.dim(4), "zero_outside: a batch of ", batch.image.dim(4), " channels, ", channels.size(),
        " are described");
  std::vector<double> stays;  // 1: whatever the mask says
  for (auto& n : channels) stays.push_back(n.mask ? 0 : 1);
  const Shape& s = inside->data.shape();
  const Tensor mask = inside->data.to(DType::f32).reshape({s[0], s[1], s[2], s[3], 1});
  const Tensor keep = Tensor::from(stays, {1, 1, 1, 1, int64_t(stays.size())}).to(batch.image.device());
  Batch out{mul(batch.image, maximum(mask, keep)), {}};
  for (const Field& f : batch.targets)
    if (f.name != kInside) out.targets.push_back(f);
  return out;
}

}  // namespace voxgrad
