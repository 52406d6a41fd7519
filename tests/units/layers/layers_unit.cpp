#include <cmath>

#include "core/autograd.h"
#include "core/device/parallel.h"
#include "kernels/binary/binary.h"
#include "kernels/norm_act/norm_act.h"
#include "kernels/pointwise/pointwise.h"
#include "layers/blocks.h"
#include "layers/dropout.h"
#include "layers/init.h"
#include "layers/losses.h"
#include "layers/sequential.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

TEST_CASE("he_normal has the deviation of its fan-in, whatever the threads") {
  Rng a(5), b(5);
  const Tensor w = he_normal({64, 3, 3, 3, 32}, 27 * 32, a);
  double sum = 0, square = 0;
  for (double v : w.values()) sum += v, square += v * v;
  const double n = double(w.count()), wanted = 2 / (1.0001 * 27 * 32);
  CHECK(std::abs(sum / n) < 4 * std::sqrt(wanted / n));                       // four standard errors
  CHECK(std::abs(square / n / wanted - 1) < 4 * std::sqrt(2 / n));
  set_threads(1);
  CHECK(he_normal({64, 3, 3, 3, 32}, 27 * 32, b).values() == w.values());
  set_threads(2);
  CHECK(he_normal({2}, 1, b).values() != he_normal({2}, 1, b).values());     // the Rng moved on
}

TEST_CASE("layers have the shapes and names that checkpoints rely on") {
  Rng rng(1);
  Conv3d conv({.in = 4, .out = 6, .kernel = {1, 3, 5}, .stride = {1, 2, 2}, .groups = 2}, rng);
  CHECK(conv.weight.shape() == Shape{6, 1, 3, 5, 2});
  CHECK(conv.options.padding == Int3{0, 1, 2});
  CHECK(conv(noise({1, 3, 8, 8, 4}, 2)).shape() == Shape{1, 3, 4, 4, 6});
  Conv3d dilated({.in = 2, .out = 2, .dilation = {2, 2, 2}, .bias = false}, rng);
  CHECK(dilated.options.padding == Int3{2, 2, 2});
  CHECK(parameters(dilated).size() == 1);
  ConvTranspose3d up({.in = 4, .out = 3, .kernel = {1, 2, 2}, .stride = {1, 2, 2}}, rng);
  CHECK(up.weight.shape() == Shape{4, 1, 2, 2, 3});
  CHECK(up(noise({1, 3, 4, 5, 4}, 2)).shape() == Shape{1, 3, 8, 10, 3});
  Linear linear({.in = 3, .out = 2}, rng);
  CHECK(linear(noise({5, 3}, 2)).shape() == Shape{5, 2});
  ConvBlock block({.in = 2, .out = 4, .norm = NormKind::batch}, rng);
  const auto state = state_of(block, "b");
  REQUIRE(state.size() == 6);
  CHECK(state[0].name == "b.conv.weight");
  CHECK(state[2].name == "b.norm.batch.weight");
  CHECK(state[5].name == "b.norm.batch.running_var");
  CHECK(parameters(block).size() == 4);  // the running statistics are no parameters
  CHECK_THROWS_WITH(Conv3d({.in = 3, .out = 4, .groups = 2}, rng), Catch::Matchers::Contains("3 to 4 channels"));
}

TEST_CASE("a sequence applies its layers in turn") {
  Rng rng(3);
  Sequential net(Conv3d({.in = 1, .out = 4}, rng), InstanceNorm({.channels = 4}), Activation{.kind = ActivationKind::gelu},
                 Conv3d({.in = 4, .out = 2, .kernel = {1, 1, 1}}, rng));
  const Tensor x = noise({1, 4, 4, 4, 1}, 4);
  const auto& [first, norm, act, last] = net.layers;
  CHECK(difference(net(x), last(gelu(norm(first(x))))) == 0);
  const auto p = parameters(net, "net");
  REQUIRE(p.size() == 6);
  CHECK(p[0].name == "net.0.weight");
  CHECK(p[2].name == "net.1.weight");
  CHECK(p[5].name == "net.3.bias");
}

TEST_CASE("a block with an activation that norms do not fuse computes the same composition") {
  Rng rng(3);
  const Tensor x = noise({1, 4, 4, 4, 2}, 4);
  for (ActivationKind kind : {ActivationKind::none, ActivationKind::relu, ActivationKind::leaky_relu, ActivationKind::silu})
    for (NormKind norm : {NormKind::none, NormKind::instance, NormKind::group}) {
      const ConvBlock block({.in = 2, .out = 4, .norm = norm, .groups = 2, .activation = {.kind = kind}}, rng);
      CHECK(difference(block(x), block.activation(block.norm(block.conv(x)))) < 1e-6);
    }
}

TEST_CASE("a residual block starts as the activation of its skip") {
  Rng rng(7);
  const Tensor x = noise({2, 4, 4, 6, 4}, 1);
  const ResidualBlock same({.in = 4, .out = 4}, rng);
  CHECK_FALSE(same.projection);
  CHECK(difference(same(x), leaky_relu(x)) == 0);
  ResidualBlock wider({.in = 4, .out = 6, .stride = {1, 2, 2}}, rng);
  REQUIRE(wider.projection);
  CHECK_FALSE(wider.projection->conv.bias);
  CHECK(wider.projection->conv.weight.shape() == Shape{6, 1, 1, 1, 4});
  CHECK(wider(x).shape() == Shape{2, 4, 2, 3, 6});
  backward(wider(x), noise({2, 4, 2, 3, 6}, 2));
  for (auto& p : parameters(wider)) {
    CHECK(p.tensor.grad());
    // With its scale at 0, only the scale and shift of the second norm move what lies behind them.
    if (p.name == "second.norm.instance.weight") CHECK(difference(p.tensor.grad(), Tensor::zeros({6})) > 0);
  }
}

TEST_CASE("batch norm keeps PyTorch's running statistics and uses them within Inference") {
  BatchNorm norm({.channels = 2});
  const Tensor x = Tensor::from({1, 10, 2, 20, 3, 30, 6, 60}, {1, 1, 2, 2, 2});
  norm(x);
  // Means 3 and 30; unbiased variances (4 + 1 + 0 + 9) / 3 and 100 times that; 0.9 (0, 1) + 0.1 of them.
  CHECK(difference(norm.running_mean, Tensor::from({0.3, 3}, {2})) < 1e-6);
  CHECK(difference(norm.running_var, Tensor::from({0.9 + 1.4 / 3, 0.9 + 140. / 3}, {2})) < 1e-5);
  const auto mean = norm.running_mean.values();
  Inference scope;
  const Tensor y = norm(x);
  CHECK(std::abs(y.values()[0] - (1 - 0.3) / std::sqrt(0.9 + 1.4 / 3 + 1e-5)) < 1e-6);
  CHECK(norm.running_mean.values() == mean);
}

TEST_CASE("dropout scales what it keeps, and rests within Inference") {
  const Dropout drop{.p = 0.25};
  const Tensor x = Tensor::full({1, 20, 20, 20, 2}, 3);
  int64_t zeros = 0;
  for (double v : drop(x, Rng(1)).values()) {
    CHECK((v == 0 || v == 4));
    zeros += v == 0;
  }
  CHECK(std::abs(double(zeros) / 16000 - 0.25) < 4 * std::sqrt(0.25 * 0.75 / 16000));
  Inference scope;
  CHECK(drop(x, Rng(1)).shares_memory_with(x));
}

TEST_CASE("deep supervision weighs outputs as nnU-Net") {
  CHECK(deep_supervision_weights(1) == std::vector<double>{1});
  const auto w = deep_supervision_weights(5);
  // 1, 1/2, 1/4, 1/8 and 0, over their sum 15/8.
  for (size_t i = 0; i < 5; ++i) CHECK(std::abs(w[i] - std::vector<double>{8. / 15, 4. / 15, 2. / 15, 1. / 15, 0}[i]) < 1e-15);

  // nearest-exact: of two voxels the second, of three the middle one.
  const Tensor line = Tensor::from({0, 1, 2, 3, 4, 5}, {1, 1, 1, 6}, DType::u8);
  CHECK(downsample_label(line, {1, 1, 3}).values() == std::vector<double>{1, 3, 5});
  CHECK(downsample_label(line, {1, 1, 2}).values() == std::vector<double>{1, 4});

  Tensor full = noise({1, 4, 4, 4, 3}, 1), half = noise({1, 2, 2, 2, 3}, 2), quarter = noise({1, 1, 1, 1, 3}, 3);
  for (Tensor* t : {&full, &half, &quarter}) t->require_grad();
  Tensor label = Tensor::zeros({1, 4, 4, 4}, DType::u8);
  for (int i = 0; i < 64; ++i) label.mutable_data<uint8_t>()[size_t(i)] = uint8_t(i % 3);
  const Tensor loss = deep_supervision_loss({full, half, quarter}, label);
  const double wanted =
      (2. / 3) * dice_cross_entropy(full, label).item() + (1. / 3) * dice_cross_entropy(half, downsample_label(label, {2, 2, 2})).item();
  CHECK(std::abs(loss.item() - wanted) < 1e-6);
  backward(loss);
  CHECK(full.grad());
  CHECK(half.grad());
  CHECK_FALSE(quarter.grad());  // of weight 0
}

TEST_CASE("a perfect prediction has soft Dice 1, and ignored voxels count for nothing") {
  Tensor logits = Tensor::full({1, 2, 2, 2, 3}, -50), label = Tensor::zeros({1, 2, 2, 2}, DType::u8);
  for (int i = 0; i < 8; ++i) {
    label.mutable_data<uint8_t>()[size_t(i)] = uint8_t(i % 3);
    logits.mutable_data<float>()[size_t(3 * i + i % 3)] = 50;
  }
  CHECK(std::abs(dice_cross_entropy(logits, label).item() + 1) < 1e-6);
  Tensor all = Tensor::full({1, 2, 2, 2}, 7, DType::u8);
  CHECK(cross_entropy(logits.require_grad(), all, {.ignore_label = 7}).item() == 0);
  const Tensor loss = dice_cross_entropy(logits, all, {.dice = {.ignore_label = 7}, .cross_entropy = {.ignore_label = 7}});
  CHECK(std::abs(loss.item() + 1) < 1e-6);  // smooth / smooth
  backward(loss);
  for (double g : logits.grad().values()) CHECK(g == 0);
}

TEST_CASE("norms of constant and of far-off inputs are finite and exact") {
  const Tensor same = instance_norm(Tensor::full({1, 3, 3, 3, 2}, 1e6));
  for (double v : same.values()) CHECK(v == 0);
  // Alternating 1e4 and 1e4 + 1: mean 1e4 + 1/2, deviation 1/2, results -1 and 1 (times 1 - 2 eps).
  Tensor x = Tensor::empty({1, 20, 20, 20, 1});
  for (int64_t i = 0; i < x.count(); ++i) x.mutable_data<float>()[size_t(i)] = 1e4f + float(i % 2);
  const auto y = instance_norm(x).values();
  for (size_t i = 0; i < y.size(); ++i) REQUIRE(std::abs(y[i] - (i % 2 ? 1 : -1) * (1 - 2e-5)) < 1e-6);
}
