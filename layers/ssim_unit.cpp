#include "layers/ssim.h"

#include <cmath>
#include <utility>

#include "core/autograd.h"
#include "kernels/concat/concat.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

TEST_CASE("ssim is scikit-image's structural_similarity, slice by slice") {
  // scikit-image 0.26: structural_similarity(a, b, data_range=2) of 12 x 11 pixels, a = sin(0.3 r c) + 1 and b = a + 0.3 cos(r + 2 c), and
  // of b with cos(r + 2 c + 1).
  std::vector<double> a, b;
  for (int d = 0; d < 2; ++d)
    for (int r = 0; r < 12; ++r)
      for (int c = 0; c < 11; ++c) {
        a.push_back(std::sin(0.3 * r * c) + 1);
        b.push_back(a.back() + 0.3 * std::cos(r + 2 * c + d));
      }
  const Shape s{1, 2, 12, 11, 1};
  const Tensor x = Tensor::from(a, s, DType::f64), y = Tensor::from(b, s, DType::f64);
  CHECK(close(ssim(x, y, {.range = 2}).item(), (0.953161983912 + 0.950415466687) / 2, 1e-9));
  CHECK(close(ssim(x, x).item(), 1));
  CHECK_THROWS_WITH(ssim(Tensor::zeros({1, 1, 6, 9, 1}), Tensor::zeros({1, 1, 6, 9, 1})), Catch::Matchers::Contains("window of 7"));
}

namespace {
// sin(0.15 r + 0.2 c + d) + 1, and that plus 0.3 cos(r + 2 c + d).
std::pair<Tensor, Tensor> waves(const Shape& s) {
  std::vector<double> a, b;
  for (int d = 0; d < s[1]; ++d)
    for (int r = 0; r < s[2]; ++r)
      for (int c = 0; c < s[3]; ++c) {
        a.push_back(std::sin(0.15 * r + 0.2 * c + d) + 1);
        b.push_back(a.back() + 0.3 * std::cos(r + 2 * c + d));
      }
  return {Tensor::from(a, s, DType::f64), Tensor::from(b, s, DType::f64)};
}
}  // namespace

TEST_CASE("ssim of volumes is scikit-image's of three axes") {
  const auto [x, y] = waves({1, 9, 10, 11, 1});  // scikit-image 0.26: structural_similarity(a, b, data_range=2)
  CHECK(close(ssim(x, y, {.range = 2, .volume = true}).item(), 0.9566314477756778, 1e-9));
  CHECK_THROWS_WITH(ssim(x.rows(0, 1), waves({1, 5, 10, 11, 1}).second, {.volume = true}), Catch::Matchers::Contains("one shape"));
  const auto [flat, other] = waves({1, 5, 10, 11, 1});
  CHECK_THROWS_WITH(ssim(flat, other, {.volume = true}), Catch::Matchers::Contains("window of 7"));
}

TEST_CASE("multi-scale ssim is MONAI's, of slices and of volumes") {
  // The formula in NumPy with SciPy's correlate1d, f64. MONAI 1.6.1, MultiScaleSSIMMetric(data_range=2, kernel_size=11, kernel_sigma=1.5)
  // with weights (0.0448, 0.2856) / 0.3304 where two scales hold a window, gives 0.9194685, 0.9847736 and 0.9745021 in f32.
  const auto value = [](const Shape& s, bool volume) {
    const auto [x, y] = waves(s);
    return multi_scale_ssim(x, y, {.range = 2, .volume = volume}).item();
  };
  CHECK(close(value({1, 2, 26, 24, 1}, false), 0.9194684933443544, 1e-9));
  CHECK(close(value({1, 24, 22, 23, 1}, true), 0.9847694667825937, 1e-9));
  CHECK(close(value({1, 1, 180, 176, 1}, false), 0.9745044818915479, 1e-9));
  CHECK_THROWS_WITH(multi_scale_ssim(Tensor::zeros({1, 1, 10, 9, 1}), Tensor::zeros({1, 1, 10, 9, 1})),
                    Catch::Matchers::Contains("window of 11"));
}

TEST_CASE("multi-scale ssim has gradients of each channel") {
  auto [x, y] = waves({1, 1, 23, 22, 1});
  Tensor two = concat({x, y}, 4), other = concat({y, y}, 4);
  two.require_grad();
  const double step = 1e-5;
  const Tensor value = multi_scale_ssim(two, other);
  CHECK(close(value.item(), (multi_scale_ssim(x, y).item() + 1) / 2, 1e-9));
  backward(value);
  for (int64_t at : {0, 345}) {
    Tensor moved = two.detach().clone();
    moved.mutable_data<double>()[size_t(at)] += step;
    CHECK(close((multi_scale_ssim(moved, other).item() - value.item()) / step, two.grad().values()[size_t(at)], 1e-6));
  }
}
