#include "layers/dropout.h"

#include "core/autograd.h"
#include "core/training.h"

namespace voxgrad {
namespace {
void check_probability(const char* who, double p) { check(p >= 0 && p <= 1, who, ": the probability ", p, " is not within 0 and 1"); }

template <class Layer>
bool is_idle(const Layer& layer) {
  return layer.p == 0 || layer.mode.evaluating || Inference::active();
}
}  // namespace

Tensor Dropout::operator()(const Tensor& x) const {
  return is_idle(*this) ? hooked(*this, x) : (*this)(x, Training::draw("Dropout"));
}
Tensor Dropout::operator()(const Tensor& x, const Rng& rng) const {
  check_probability("Dropout", p);
  return hooked(*this, is_idle(*this) ? x : dropout(x, p, rng, {.per_channel = per_channel}));
}

Tensor DropPath::operator()(const Tensor& x) const {
  return is_idle(*this) ? hooked(*this, x) : (*this)(x, Training::draw("DropPath"));
}
Tensor DropPath::operator()(const Tensor& x, const Rng& rng) const {
  check_probability("DropPath", p);
  check(x && x.shape().rank >= 1, "DropPath: {N, ..} is wanted, not ", x);
  if (is_idle(*this) || x.count() == 0) return hooked(*this, x);
  // A sample is the only channel of {N, .., 1}.
  const Tensor samples = x.reshape({x.dim(0), x.count() / x.dim(0), 1});
  return hooked(*this, dropout(samples, p, rng, {.per_channel = true}).reshape(x.shape()));
}

}  // namespace voxgrad
