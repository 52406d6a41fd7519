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

// Which input of an axis the tap of an output is, or -1.
static int64_t input_at(int64_t o, int64_t tap, int stride, int padding, int dilation, int64_t in) {
  const int64_t i = o * stride - padding + tap * dilation;
  return i >= 0 && i < in ? i : -1;
}

TEST_CASE("the gradient of max pooling goes to the winner of each window, also where threads share a volume or a slice") {
  struct Case {
    Shape x;
    Int3 kernel, stride, padding, dilation;
  };
  // More than 2^18 elements: several slabs, whose borders windows cross; a dilated window's taps pass over some of them.
  for (const Case& c : {Case{{1, 26, 40, 16, 16}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
                        Case{{1, 26, 32, 12, 32}, {3, 2, 2}, {2, 2, 1}, {1, 0, 1}, {3, 1, 1}},
                        Case{{2, 1, 160, 64, 32}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, {1, 1, 1}}}) {
    for (const DType t : {DType::f32, DType::bf16}) {
      CAPTURE(c.x, t);
      std::vector<double> values(size_t(c.x.count()));
      for (size_t i = 0; i < values.size(); ++i) values[i] = double(i * 7919 % 251);  // bf16 has them all
      const Tensor x = Tensor::from(values, c.x, t).require_grad();
      const Tensor y = max_pool3d(x, {.kernel = c.kernel, .stride = c.stride, .padding = c.padding, .dilation = c.dilation});
      std::vector<double> gy(size_t(y.count())), wanted(values.size());
      for (size_t i = 0; i < gy.size(); ++i) gy[i] = double(i % 3) - 1;
      backward(y, Tensor::from(gy, y.shape(), t));
      const Shape& s = y.shape();
      for (int64_t i = 0; i < s.count(); ++i) {
        const int64_t ch = i % s[4], ow = i / s[4] % s[3], oh = i / s[4] / s[3] % s[2], od = i / s[4] / s[3] / s[2] % s[1];
        const int64_t n = i / s[4] / s[3] / s[2] / s[1];
        int64_t best = -1;
        for (int a = 0; a < c.kernel[0]; ++a)
          for (int b = 0; b < c.kernel[1]; ++b)
            for (int e = 0; e < c.kernel[2]; ++e) {
              const int64_t d = input_at(od, a, c.stride[0], c.padding[0], c.dilation[0], c.x[1]);
              const int64_t h = input_at(oh, b, c.stride[1], c.padding[1], c.dilation[1], c.x[2]);
              const int64_t w = input_at(ow, e, c.stride[2], c.padding[2], c.dilation[2], c.x[3]);
              if (d < 0 || h < 0 || w < 0) continue;
              const int64_t at = (((n * c.x[1] + d) * c.x[2] + h) * c.x[3] + w) * c.x[4] + ch;
              if (best < 0 || values[size_t(at)] > values[size_t(best)]) best = at;
            }
        wanted[size_t(best)] += gy[size_t(i)];
      }
      CHECK(x.grad().values() == wanted);
    }
  }
}
