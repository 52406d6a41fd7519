#include "layers/init.h"

#include <algorithm>
#include <cmath>

#include "core/device/parallel.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/random/random_isa.h"

namespace voxgrad {

Tensor he_normal(const Shape& s, int64_t fan_in, Rng& rng, double slope) {
  check(fan_in > 0, "he_normal: a fan-in of ", fan_in, " for the shape ", s);
  Tensor t = Tensor::empty(s);
  const float deviation = float(std::sqrt(2 / ((1 + slope * slope) * double(fan_in))));
  const uint64_t key = rng.split().key();
  const auto values = t.mutable_data<float>();
  // A draw of 128 bits gives two numbers.
  constexpr int64_t kPairs = 128;
  const auto normals = VOXGRAD_BY_ISA(random_kernels, normals);
  parallel_chunks((t.count() + 1) / 2, kPairs, [&](int64_t, int64_t begin, int64_t end) {
    uint32_t first[2 * kPairs], second[2 * kPairs];
    float z[2 * kPairs];
    for (int64_t pair = begin; pair < end; ++pair) {
      const Random128 r = philox(key, uint64_t(pair));
      uint32_t *a = first + 2 * (pair - begin), *b = second + 2 * (pair - begin);
      a[0] = r.word[0], b[0] = r.word[1], a[1] = r.word[2], b[1] = r.word[3];
    }
    const int64_t count = std::min(t.count(), 2 * end) - 2 * begin;
    normals(first, second, count, z);
    for (int64_t i = 0; i < count; ++i) values[size_t(2 * begin + i)] = deviation * z[i];
  });
  return t.require_grad();
}

Tensor scaled_parameter(const Tensor& t, double scale) { return affine(t.detach(), scale, 0).require_grad(); }

}  // namespace voxgrad
