#include "layers/init.h"

#include <cmath>

#include "core/device/parallel.h"
#include "kernels/pointwise/pointwise.h"

namespace voxgrad {

Tensor he_normal(const Shape& s, int64_t fan_in, Rng& rng, double slope) {
  check(fan_in > 0, "he_normal: a fan-in of ", fan_in, " for the shape ", s);
  Tensor t = Tensor::empty(s);
  const float deviation = float(std::sqrt(2 / ((1 + slope * slope) * double(fan_in))));
  const uint64_t key = rng.split().key();
  const auto values = t.mutable_data<float>();
  // A draw of 128 bits gives two numbers.
  parallel_for((t.count() + 1) / 2, 1 << 13, [&](int64_t pair) {
    const Random128 r = philox(key, uint64_t(pair));
    values[size_t(2 * pair)] = deviation * normal_of(r.word[0], r.word[1]);
    if (2 * pair + 1 < t.count()) values[size_t(2 * pair + 1)] = deviation * normal_of(r.word[2], r.word[3]);
  });
  return t.require_grad();
}

Tensor scaled_parameter(const Tensor& t, double scale) { return affine(t.detach(), scale, 0).require_grad(); }

}  // namespace voxgrad
