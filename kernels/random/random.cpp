#include "kernels/random/random.h"

#include "core/convert.h"
#include "core/floating.h"
#include "kernels/random/random_kernels.h"
#include "kernels/reduce/reduce.h"
#include "kernels/sort/sort_kernels.h"

namespace voxgrad {
namespace {

Tensor filled(const char* op, RandomKind kind, const Shape& s, double a, double b, const Rng& rng, DType t, Device d,
              const Tensor& p = {}) {
  check(is_floating(t), op, ": a floating dtype is wanted, not ", name_of(t));
  const Tensor y = Tensor::empty(s, t, d);
  const RandomFill f = {kind, rng.key(), rng.counter(), y.count(), a, b};
  on_device(d, [&](auto on) { fill_random(on, f, p.view(), y.view()); });
  return y;
}

Tensor integers(const Shape& s, int64_t low, uint64_t range, const Rng& rng, DType t, Device d) {
  const Tensor y = Tensor::empty(s, t, d);
  on_device(d, [&](auto on) { fill_integers(on, RandomIntegers{rng.key(), rng.counter(), y.count(), low, range}, y.view()); });
  return y;
}

}  // namespace

Tensor rand(const Shape& s, const Rng& rng, const UniformOptions& o) {
  check(o.low <= o.high, "rand: [", o.low, ", ", o.high, ") is no range");
  return filled("rand", RandomKind::uniform, s, o.low, o.high, rng, o.dtype, o.device);
}

Tensor randn(const Shape& s, const Rng& rng, const NormalOptions& o) {
  check(o.deviation >= 0, "randn: a deviation of ", o.deviation, ", not negative is wanted");
  return filled("randn", RandomKind::normal, s, o.mean, o.deviation, rng, o.dtype, o.device);
}

Tensor randint(const Shape& s, int64_t low, int64_t high, const Rng& rng, const IntegerOptions& o) {
  check(low < high, "randint: [", low, ", ", high, ") holds no integer");
  check(!is_floating(o.dtype), "randint: an integer dtype is wanted, not ", name_of(o.dtype));
  on_any_dtype(o.dtype, [&]<class T>() {
    const bool fits = double(low) >= detail::lowest_of<T> && double(high - 1) <= detail::highest_of<T>;
    check(fits, "randint: [", low, ", ", high, ") does not fit ", name_of(o.dtype));
  });
  return integers(s, low, uint64_t(high) - uint64_t(low), rng, o.dtype, o.device);
}

Tensor bernoulli(const Shape& s, double p, const Rng& rng, const BernoulliOptions& o) {
  check(p >= 0 && p <= 1, "bernoulli: the probability ", p, " is not within 0 and 1");
  return filled("bernoulli", RandomKind::bernoulli, s, 0, p, rng, o.dtype, o.device);
}

Tensor bernoulli(const Tensor& p, const Rng& rng) {
  check_floating("bernoulli", p);
  if (p.count() > 0) {
    const double low = min(p.detach()).item(), high = max(p.detach()).item();
    check(low >= 0 && high <= 1, "bernoulli: probabilities from ", low, " to ", high, ", within 0 and 1 is wanted");
  }
  return filled("bernoulli", RandomKind::bernoulli, p.shape(), 0, 0, rng, p.dtype(), p.device(), p.detach());
}

Tensor randperm(int64_t n, const Rng& rng, Device d) {
  check(n >= 0, "randperm: ", n, " numbers, not negative is wanted");
  const Tensor keys = integers({n}, 0, 0, rng, DType::i64, d), y = Tensor::empty({n}, DType::i64, d);
  if (n > 0) on_device(d, [&](auto on) { argsort(on, SortedAxis{1, n, 1, false}, keys.view(), y.view()); });
  return y;
}

}  // namespace voxgrad
