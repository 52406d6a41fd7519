#include "layers/ssim.h"

#include <cmath>

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
