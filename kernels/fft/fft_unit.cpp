#include <cmath>

#include "core/rng.h"
#include "kernels/fft/fft.h"
#include "kernels/random/random.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

TEST_CASE("fft is fastMRI's fft2c, its inverse and its adjoint are ifft") {
  // torch 2.15: fftshift(fft2(ifftshift(z), norm="ortho")) with z = sin(0.7 arange(30)), pairs of which are complex numbers of 5 rows and
  // 3 columns.
  std::vector<double> values;
  for (int i = 0; i < 30; ++i) values.push_back(std::sin(0.7 * i));
  const Tensor x = Tensor::from(values, {1, 1, 5, 3, 2}, DType::f64);
  const std::vector<double> y = fft(x).values();
  const auto at = [&](int h, int w, double re, double im) {
    return close(y[size_t(6 * h + 2 * w)], re, 1e-12) && close(y[size_t(6 * h + 2 * w + 1)], im, 1e-12);
  };
  CHECK(at(0, 0, 0.350856484585, 0.67457852052816));
  CHECK(at(2, 1, 0.12921218535432, 0.31016066815289));
  CHECK(at(4, 2, 0.2739147799543, 0.82512115811177));
  CHECK(at(1, 0, 0.24035188081598, -0.53666347113337));
}

TEST_CASE("fft and ifft are adjoint to 1e-5 in f32 whatever the extents, and undo each other") {
  for (const Shape& s : {Shape{1, 1, 64, 45, 16}, Shape{1, 1, 37, 58, 2}, Shape{1, 6, 20, 28, 4}})
    for (int axes = 1; axes <= 3; ++axes) {
      const Tensor x = randn(s, Rng(1)), z = randn(s, Rng(2));
      const Tensor y = fft(x, axes), back = ifft(z, axes);
      double forward = 0, adjoint = 0, size = 0, off = 0;
      const auto xs = x.values(), zs = z.values(), ys = y.values(), bs = back.values(), rs = ifft(y, axes).values();
      for (size_t i = 0; i < xs.size(); ++i) {
        forward += ys[i] * zs[i];
        adjoint += xs[i] * bs[i];
        size += xs[i] * xs[i];
        off = std::fmax(off, std::abs(rs[i] - xs[i]));
      }
      CHECK(std::abs(forward - adjoint) < 1e-5 * size);
      CHECK(off < 1e-5);
    }
}
