#include "kernels/conv3d/conv3d.h"

#include <cmath>
#include <limits>

#include "core/rng.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

Tensor random(const Shape& shape, Rng rng) {
  Tensor t = Tensor::empty(shape, DType::f32);
  for (float& v : t.mutable_data<float>()) v = float(rng.uniform(-1, 1));
  return t;
}

}  // namespace

TEST_CASE("large depthwise and pointwise outputs, which are written past the caches") {
  const Int3 in{40, 64, 64};
  const Tensor x = random({1, in.d, in.h, in.w, 32}, Rng(1)), w = random({32, 3, 3, 3, 1}, Rng(2)), b = random({32}, Rng(3));
  const Tensor y = conv3d(x, w, b, {.padding = {1, 1, 1}, .groups = 32});
  const auto at = [&](int d, int h, int v, int c) {
    const bool inside = d >= 0 && d < in.d && h >= 0 && h < in.h && v >= 0 && v < in.w;
    return inside ? double(x.data<float>()[size_t(((d * in.h + h) * in.w + v) * 32 + c)]) : 0.0;
  };
  double error = 0;
  for (int64_t i = 0; i < y.shape().count(); i += 101) {
    const int c = int(i % 32), v = int(i / 32 % in.w), h = int(i / 32 / in.w % in.h), d = int(i / 32 / in.w / in.h);
    double sum = b.data<float>()[c];
    for (int t = 0; t < 27; ++t) sum += w.data<float>()[c * 27 + t] * at(d + t / 9 - 1, h + t / 3 % 3 - 1, v + t % 3 - 1, c);
    error = std::max(error, std::abs(sum - y.data<float>()[i]));
  }
  CHECK(error < 1e-5);  // 28 products below 1

  const Tensor gx = conv3d(random({1, in.d, in.h, in.w, 3}, Rng(4)), random({32, 1, 1, 1, 3}, Rng(5)), {});
  const Tensor small = conv3d(random({1, 1, 1, 5, 3}, Rng(4)), random({32, 1, 1, 1, 3}, Rng(5)), {});
  for (int64_t i = 0; i < small.shape().count(); ++i) CHECK(gx.data<float>()[i] == small.data<float>()[i]);
}

TEST_CASE("a NaN reaches the outputs that read it and no others") {
  for (int kernel : {3, 5, 7}) {
    Tensor x = Tensor::zeros({1, 1, 1, 40, 16});
    x.mutable_data<float>()[20 * 16 + 3] = std::numeric_limits<float>::quiet_NaN();
    Tensor w = Tensor::empty({16, 1, 1, kernel, 1}, DType::f32);
    for (float& v : w.mutable_data<float>()) v = 1;
    for (DType t : {DType::f32, DType::bf16}) {
      const Tensor y = conv3d(x.to(t), w, {}, {.padding = {0, 0, kernel / 2}, .groups = 16}).to(DType::f32);
      for (int v = 0; v < 40; ++v)
        for (int c = 0; c < 16; ++c) {
          CAPTURE(kernel, v, c, name_of(t));
          CHECK(std::isnan(y.data<float>()[v * 16 + c]) == (c == 3 && std::abs(v - 20) <= kernel / 2));
        }
    }
  }
}
