#include "models/nafnet/nafnet.h"

#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "kernels/mse_loss/mse_loss.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/network_helpers.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// 0.5 sin(k + 2 c + 3 r + 5 s + q) and 0.1 cos(k + q).
void fill(Conv3d& conv, double q) {
  std::vector<double> w, b;
  const Shape& shape = conv.weight.shape();
  for (int k = 0; k < shape[0]; ++k) {
    for (int r = 0; r < shape[2]; ++r)
      for (int s = 0; s < shape[3]; ++s)
        for (int c = 0; c < shape[4]; ++c) w.push_back(0.5 * std::sin(k + 2 * c + 3 * r + 5 * s + q));
    b.push_back(0.1 * std::cos(k + q));
  }
  conv.weight.copy_from(Tensor::from(w, shape));
  conv.bias.copy_from(Tensor::from(b, conv.bias.shape()));
}
}  // namespace

TEST_CASE("a block of NAFNet is that of NAFNet_arch.py") {
  // By its formulas with torch 2.15, f64.
  const Inference quiet;
  const Network net = network_of(R"({"kind": "nafnet", "flat": true, "features": 2, "blocks_down": [1], "blocks_up": [1], "middle": 1})");
  NafBlock& b = net.as<NafNet>()->down[0].blocks[0];
  int q = 0;
  for (Conv3d* conv : {&b.conv1, &b.conv2, &b.conv3, &b.conv4, &b.conv5}) fill(*conv, ++q);
  std::vector<double> weight, x;
  for (int k = 0; k < 2; ++k)
    for (int c = 0; c < 2; ++c) weight.push_back(0.5 * std::sin(k + 2 * c + 6));
  b.attention.weight.copy_from(Tensor::from(weight, {2, 2}));
  b.attention.bias.copy_from(Tensor::from({0.1 * std::cos(6), 0.1 * std::cos(7)}, {2}));
  b.beta.copy_from(Tensor::full({2}, 0.5));
  b.gamma.copy_from(Tensor::full({2}, 0.25));
  for (int i = 0; i < 24; ++i) x.push_back(std::sin(i));
  const std::vector<double> y = b(Tensor::from(x, {1, 1, 3, 4, 2})).values();
  const double expected[] = {-0.06124827859931985, 0.8227393158754467, 0.8325332209319954, 0.11868750589892164};
  double squares = 0;
  for (double v : y) squares += v * v;
  for (size_t i = 0; i < 4; ++i) CHECK(std::abs(y[i] - expected[i]) < 1e-5);
  CHECK(close(squares, 11.677546119637666, 1e-5));
}

TEST_CASE("a NAFNet has as many weights as the published ones, and all of them learn") {
  // NAFNet-SIDD-width32 and NAFNet-GoPro-width32: 29.16 M and 17.11 M.
  const std::string start = R"({"kind": "nafnet", "flat": true, "features": 32, "in_channels": 3, "classes": 3, )";
  CHECK(weights_of(network_of(start + R"("blocks_down": [2, 2, 4, 8], "blocks_up": [2, 2, 2, 2], "middle": 12})")) == 29159715);
  CHECK(weights_of(network_of(start + R"("blocks_down": [1, 1, 1, 28], "blocks_up": [1, 1, 1, 1], "middle": 1})")) == 17111907);

  const Network net = network_of(R"({"kind": "nafnet", "features": 2, "blocks_down": [1, 1], "blocks_up": [1, 1], "middle": 1})");
  CHECK(net.traits().divisor == Int3{4, 4, 4});
  const Tensor x = rand({1, 4, 8, 4, 1}, Rng(1));
  const Tensor y = net(x)[0];
  CHECK(y.shape() == x.shape());
  backward(mse_loss(y, Tensor::zeros(x.shape())));
  for (auto& p : parameters(*net.as<NafNet>())) CHECK(bool(p.tensor.grad()));
  CHECK(network_of(net.config()).config() == net.config());
  CHECK_THAT(error_of([] { network_of(R"({"kind": "nafnet", "blocks_up": [1]})"); }), Contains("blocks_up has 1"));
}

TEST_CASE("a NAFNet of slices keeps the depth") {
  const Network net = network_of(R"({"kind": "nafnet", "features": 2, "blocks_down": [1], "blocks_up": [1], "middle": 1, "flat": true})");
  CHECK(net.traits().divisor == Int3{1, 2, 2});
  CHECK(net(Tensor::zeros({1, 3, 6, 4, 1}))[0].shape() == Shape{1, 3, 6, 4, 1});
}
