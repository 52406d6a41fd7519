#include "layers/cl_dice.h"

#include <cmath>

#include "core/gradient_check.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/random/random.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {
// {2, depth, 9, 10, 2}: probabilities, and what they should be.
std::pair<Tensor, Tensor> lines(int depth) {
  std::vector<double> x, y;
  for (int n = 0; n < 2; ++n)
    for (int d = 0; d < depth; ++d)
      for (int h = 0; h < 9; ++h)
        for (int w = 0; w < 10; ++w)
          for (int c = 0; c < 2; ++c) {
            const double a = 0.9 * d + 0.7 * h + 1.1 * n, b = std::cos(0.8 * w + c);
            x.push_back(0.5 + 0.5 * std::sin(a) * b);
            y.push_back(std::sin(a + 0.4) * b > 0.3 ? 1 : 0);
          }
  const Shape s{2, depth, 9, 10, 2};
  return {Tensor::from(x, s, DType::f64), Tensor::from(y, s, DType::f64)};
}
}  // namespace

TEST_CASE("soft clDice is MONAI's, of volumes and of slices") {
  // MONAI 1.6.1, SoftclDiceLoss.
  struct Row {
    int depth, iterations;
    double loss;
  };
  for (const Row& r : {Row{6, 3, 0.27235669319871236}, Row{1, 2, 0.2636707217781082}, Row{6, 0, 0.2701614956703787}}) {
    const auto [x, y] = lines(r.depth);
    CHECK(close(soft_cl_dice_loss(x, y, {.iterations = r.iterations}).item(), r.loss, 1e-9));
  }
  const auto [x, y] = lines(2);
  CHECK(soft_cl_dice_loss(y, y).item() < 1e-4);
  const Tensor random = sigmoid(randn(y.shape(), Rng(1)).to(DType::f64));
  CHECK(gradient_error([&y = y](const std::vector<Tensor>& in) { return soft_cl_dice_loss(in[0], y, {.iterations = 2}); }, {random}) <
        1e-5);
  CHECK_THROWS_WITH(soft_cl_dice_loss(x, lines(3).second), Catch::Matchers::Contains("soft_cl_dice_loss"));
}
