// What the op cases do not say of losses, norms and sampling on a CUDA device.
#include <cmath>
#include <limits>

#include "core/autograd.h"
#include "kernels/dice_cross_entropy/dice_cross_entropy.h"
#include "kernels/grid_sample3d/grid_sample3d.h"
#include "kernels/norm/norm.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("a label beyond the classes is an error of the loss on CUDA") {
  const Tensor logits = Tensor::zeros({1, 2, 2, 2, 3}).to(Device{0});
  const auto loss = [&](std::vector<double> labels, DType t) {
    return dice_cross_entropy(logits, Tensor::from(labels, {1, 2, 2, 2}, t).to(Device{0})).item();
  };
  CHECK(std::isfinite(loss({0, 1, 2, 0, 1, 2, 0, 1}, DType::u8)));
  CHECK_THROWS_WITH(loss({0, 1, 2, 9, 7, 2, 0, 8}, DType::u8), Contains("dice_cross_entropy") && Contains("is 7") && Contains("3 classes"));
  CHECK_THROWS_WITH(loss({0, 1, 2, 0, 1, 2, 0, 300}, DType::i16), Contains("is 300"));
  CHECK_THROWS_WITH(loss({0, 1, 2, 0, -2, 2, 0, 4}, DType::i32), Contains("is -2"));
}

TEST_CASE("running statistics on CUDA move as on the CPU") {
  std::vector<double> values;
  for (int i = 0; i < 2 * 3 * 4 * 5 * 6; ++i) values.push_back(std::sin(i * 0.7) + 3 * (i % 6));
  const Tensor x = Tensor::from(values, {2, 3, 4, 5, 6});
  const auto run = [&](Device d) {
    RunningStatistics running{Tensor::zeros({6}, DType::f32, d), Tensor::full({6}, 1, DType::f32, d)};
    for (int step = 0; step < 2; ++step) batch_norm(x.to(d), {}, {}, running, {.momentum = 0.3});
    std::vector<double> out = running.mean.values();
    for (double v : running.variance.values()) out.push_back(v);
    return out;
  };
  const std::vector<double> here = run({}), there = run({0});
  for (size_t i = 0; i < here.size(); ++i) CHECK(std::abs(here[i] - there[i]) < 1e-6 * (1 + std::abs(here[i])));
}

TEST_CASE("the gradient of grid_sample3d on CUDA keeps small and large values, and says where it is not finite") {
  const Device cuda{0};
  std::vector<double> points;
  for (int i = 0; i < 2 * 8 * 3; ++i) points.push_back(std::sin(i * 1.3));
  for (const double scale : {1e-30, 1.0, 1e30}) {
    Tensor gradients[2];
    for (const Device d : {Device{}, cuda}) {
      Tensor x = Tensor::zeros({2, 3, 3, 3, 2}, DType::f32, d);
      x.require_grad();
      backward(grid_sample3d(x, Tensor::from(points, {2, 2, 2, 2, 3}).to(d)), Tensor::full({2, 2, 2, 2, 2}, scale, DType::f32, d));
      gradients[d == cuda] = x.grad();
    }
    const std::vector<double> a = gradients[0].values(), b = gradients[1].values();
    for (size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) < 1e-6 * scale);
  }
  // The sample with the infinity is NaN, the other is not.
  Tensor x = Tensor::zeros({2, 3, 3, 3, 2}, DType::f32, cuda), g = Tensor::full({2, 2, 2, 2, 2}, 1);
  g.mutable_data<float>()[3] = std::numeric_limits<float>::infinity();
  x.require_grad();
  backward(grid_sample3d(x, Tensor::from(points, {2, 2, 2, 2, 3}).to(cuda)), g.to(cuda));
  CHECK(std::isnan(x.grad().values()[0]));
  for (double v : x.grad().rows(1, 2).values()) CHECK(std::isfinite(v));
}
