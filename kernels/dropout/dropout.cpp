#include "kernels/dropout/dropout.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "kernels/dropout/dropout_kernels.h"

namespace voxgrad {
namespace {
Tensor dropped(const DropoutProblem& p, const Tensor& x) {
  Tensor y = Tensor::empty_like(x);
  on_device(x.device(), [&](auto on) { dropout(on, p, x.view(), y.view()); });
  return y;
}
}  // namespace

Tensor dropout(const Tensor& x, double probability, const Rng& rng, const DropoutOptions& o) {
  check(x && is_floating(x.dtype()), "dropout: a floating tensor is wanted, not ", x);
  check(probability >= 0 && probability <= 1, "dropout: the probability ", probability, " is not within 0 and 1");
  check(!o.per_channel || x.shape().rank >= 2, "dropout: per channel, {N, .., C} is wanted, not ", x);
  if (probability == 0 || (Inference::active() && !o.always)) return x;
  DropoutProblem p{.key = rng.key(),
                   .stream = rng.counter(),
                   .threshold = std::max<uint64_t>(1, uint64_t(std::llround(probability * 0x1p32))),
                   .scale = probability < 1 ? 1 / (1 - probability) : 0,
                   .count = x.count(),
                   .per_channel = o.per_channel};
  if (o.per_channel) p.channels = x.dim(-1), p.inner = x.shape().count(1, x.shape().rank - 1);
  return record({"dropout", {{"probability", probability}, {"per_channel", o.per_channel}}}, {x}, dropped(p, x),
                [p](const Tensor& gy, Needs) { return Grads{dropped(p, gy)}; });
}

}  // namespace voxgrad
