#include <cmath>
#include <limits>

#include "core/autograd.h"
#include "kernels/max_pool3d/max_pool3d.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("max pooling passes a NaN of its window on, wherever it stands, and -infinity, with a gradient and without") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), least = -std::numeric_limits<double>::infinity();
  // Channels that are several groups of vectors, single ones and a rest of one, whatever the instruction set.
  for (const DType t : {DType::f32, DType::f64, DType::bf16}) {
    const int64_t c = 64 + 16 + 3;
    std::vector<double> values(size_t(4 * c));
    for (int64_t v = 0; v < 4; ++v)
      for (int64_t i = 0; i < c; ++i) {
        const int64_t kind = i % 6;  // 0 to 3: the voxel that is NaN; 4: all are -infinity; 5: numbers
        values[size_t(v * c + i)] = kind == v ? nan : kind == 4 ? least : double((v * 7 + i) % 5) - 2;
      }
    const Tensor x = Tensor::from(values, {1, 1, 2, 2, c}, t);
    const MaxPool3dOptions o{.kernel = {1, 2, 2}, .stride = {1, 2, 2}};
    for (const bool gradient : {false, true}) {
      const std::vector<double> y = max_pool3d(gradient ? x.clone().require_grad() : x, o).values();
      for (int64_t i = 0; i < c; ++i) {
        CAPTURE(t, gradient, i);
        if (i % 6 < 4) CHECK(std::isnan(y[size_t(i)]));
        else if (i % 6 == 4) CHECK(y[size_t(i)] == least);
        else
          CHECK(y[size_t(i)] == std::max({values[size_t(i)], values[size_t(c + i)], values[size_t(2 * c + i)], values[size_t(3 * c + i)]}));
      }
    }
  }
}
