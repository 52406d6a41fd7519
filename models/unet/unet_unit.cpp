#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/rng.h"
#include "layers/losses.h"
#include "models/unet/unet.h"
#include "optim/adamw.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

int64_t parameters_of(const UNetConfig& c) {
  Rng rng(1);
  UNet net(c, rng);
  return parameter_count(net);
}

UNetConfig tiny(bool residual = false) {
  return {.in_channels = 1,
          .classes = 3,
          .features = {4, 8, 8},
          .kernels = {{1, 3, 3}, {3, 3, 3}, {3, 3, 3}},
          .strides = {{1, 1, 1}, {1, 2, 2}, {2, 2, 2}},
          .encoder_depth = {1, 2, 1},
          .decoder_depth = {1, 2},
          .residual = residual};
}

}  // namespace

TEST_CASE("the plain six-stage net has the parameters of nnU-Net's PlainConvUNet") {
  // A convolution of 3x3x3 from a to b channels with its bias and norm has 27 a b + 3 b parameters.
  // Encoder, 1 input channel, features 32, 64, 128, 256, 320, 320, two convolutions per stage:
  //   960 + 27744, 55488 + 110784, 221568 + 442752, 885504 + 1770240, 2212800 + 2765760, 2765760 + 2765760      sum 14025120
  // Transposed convolutions 2x2x2 with bias, 8 a b + b: 320-320 819520, 320-256 655616, 256-128 262272, 128-64 65600, 64-32 16416  sum
  // 1819424 Decoder, first convolution from twice the channels:
  //   5530560 + 2765760, 3539712 + 1770240, 885120 + 442752, 221376 + 110784, 55392 + 27744                      sum 15349440
  // Heads 1x1x1 with bias: (320 + 256 + 128 + 64 + 32 + 5) per class                                              805 per class
  const int64_t body = 14025120 + 1819424 + 15349440;
  CHECK(parameters_of(UNetConfig::plain({.classes = 2})) == body + 2 * 805);  // 31195594: 31.2 M
  // A third class and the absence of all heads but one, on a sixteenth of the features.
  UNetConfig thin = UNetConfig::plain({.classes = 2, .base_features = 2, .max_features = 20});
  const int64_t two = parameters_of(thin);
  thin.classes = 3;
  CHECK(parameters_of(thin) == two + 20 + 16 + 8 + 4 + 2 + 5);
  thin.deep_supervision = false;
  CHECK(parameters_of(thin) == two + 3 * 3 - 2 * (20 + 16 + 8 + 4 + 2 + 5));
}

TEST_CASE("the residual-encoder net has the parameters of ResEnc L", "[long]") {
  // Stem: 960. A block of n convolutions' worth: 27 a b + 27 b b + 6 b, and a b + 2 b where the channels change (no bias).
  const auto block = [](int64_t a, int64_t b) { return 27 * a * b + 27 * b * b + 6 * b + (a == b ? 0 : a * b + 2 * b); };
  const int64_t features[] = {32, 64, 128, 256, 320, 320}, blocks[] = {1, 3, 4, 6, 6, 6};
  int64_t wanted = 960;
  for (int s = 0; s < 6; ++s) {
    wanted += block(features[s == 0 ? 0 : s - 1], features[s]) + (blocks[s] - 1) * block(features[s], features[s]);
    if (s < 5)
      wanted +=
          8 * features[s + 1] * features[s] + features[s] + 27 * 2 * features[s] * features[s] + 3 * features[s] + 2 * (features[s] + 1);
  }
  const int64_t count = parameters_of(UNetConfig::residual_encoder({.classes = 2}));
  CHECK(count == wanted);
  CHECK(std::abs(double(count) / 1e6 - 102) < 0.5);
}

TEST_CASE("outputs come full resolution first, and one alone where none else is wanted") {
  for (bool residual : {false, true}) {
    Rng rng(2);
    const UNet net(tiny(residual), rng);
    CHECK(net.config.divisor() == Int3{2, 4, 4});
    const Tensor x = noise({2, 4, 8, 12, 1}, 3);
    const auto y = net(x);
    REQUIRE(y.size() == 2);
    CHECK(y[0].shape() == Shape{2, 4, 8, 12, 3});
    CHECK(y[1].shape() == Shape{2, 4, 4, 6, 3});
    Inference scope;
    const auto alone = net(x);
    REQUIRE(alone.size() == 1);
    CHECK(alone[0].values() == y[0].values());
  }
}

TEST_CASE("the decoder concatenates the upsampled tensor first, then the skip") {
  Rng rng(2);
  const UNet net(tiny(), rng);
  const Tensor x = noise({1, 4, 8, 8, 1}, 3), weight = net.decoder.back().blocks[0].conv.weight;
  // Without the weights of its first half, the last stage does not see what is upsampled: an upsampling bias changes nothing.
  const int64_t in = weight.dim(-1);
  for (int64_t i = 0; i < weight.count(); ++i)
    if (i % in < in / 2) weight.mutable_data<float>()[size_t(i)] = 0;
  const auto before = net(x);
  net.up.back().bias.mutable_data<float>()[0] = 5;
  CHECK(net(x)[0].values() == before[0].values());
  net.up.front().bias.mutable_data<float>()[0] = 5;
  CHECK(net(x)[1].values() != before[1].values());
}

TEST_CASE("inputs that do not fit the network are refused with what would fit") {
  Rng rng(2);
  const UNet net(tiny(), rng);
  CHECK_THROWS_WITH(net(Tensor::zeros({1, 4, 6, 8, 1})), Catch::Matchers::Contains("2x4x4"));
  CHECK_THROWS_WITH(net(Tensor::zeros({1, 4, 8, 8, 2})), Catch::Matchers::Contains("{N, D, H, W, 1}"));
}

TEST_CASE("every parameter that the loss reaches gets a gradient, in the same place whatever the seed") {
  for (bool residual : {false, true}) {
    Rng rng(4);
    UNet net(tiny(residual), rng);
    Tensor label = Tensor::zeros({1, 4, 8, 8}, DType::u8);
    for (int64_t i = 0; i < label.count(); ++i) label.mutable_data<uint8_t>()[size_t(i)] = uint8_t(i % 3);
    backward(deep_supervision_loss(net(noise({1, 4, 8, 8, 1}, 5)), label));
    for (auto& p : parameters(net)) {
      INFO(p.name);
      // The coarsest head has weight 0.
      CHECK(bool(p.tensor.grad()) == (p.name.rfind("heads.0", 0) != 0));
    }
  }
}

TEST_CASE("a tiny network learns to copy its input's sign", "[long]") {
  // Voxels above 0 are class 1: the Dice of a threshold that a network of any depth must find. Loss at the start is near ln 2 - 0.5.
  for (bool residual : {false, true}) {
    Rng rng(6);
    UNetConfig c = tiny(residual);
    c.classes = 2;
    UNet net(c, rng);
    AdamW adam(parameters(net), {.learning_rate = 0.02});
    double loss = 0;
    for (int step = 0; step < 60; ++step) {
      const Tensor x = noise({2, 4, 8, 8, 1}, 100 + uint64_t(step));
      Tensor label = Tensor::zeros({2, 4, 8, 8}, DType::u8);
      for (int64_t i = 0; i < x.count(); ++i) label.mutable_data<uint8_t>()[size_t(i)] = x.data<float>()[size_t(i)] > 0;
      const Tensor y = deep_supervision_loss({net(x)[0]}, label);
      loss = y.item();
      backward(y);
      adam.step();
    }
    CHECK(loss < -0.6);
  }
}

TEST_CASE("a configuration survives JSON, and mistakes are named") {
  for (const UNetConfig& c : {tiny(), UNetConfig::plain({}), UNetConfig::residual_encoder({.in_channels = 4, .classes = 5, .stages = 4})})
    CHECK(unet_config_from_json(nlohmann::ordered_json::parse(to_json(c).dump())) == c);
  const auto with = [](const char* key, const nlohmann::ordered_json& value) {
    auto j = to_json(tiny());
    j[key] = value;
    return unet_config_from_json(j);
  };
  CHECK_THROWS_WITH(with("feature", 3), Catch::Matchers::Contains("unknown key \"feature\""));
  CHECK_THROWS_WITH(with("features", {4, 8}), Catch::Matchers::Contains("kernels has 3 entries"));
  CHECK_THROWS_WITH(with("features", "many"), Catch::Matchers::Contains("\"features\""));
  CHECK_THROWS_WITH(with("kernels", {3, 3, 3}), Catch::Matchers::Contains("\"kernels\""));
  CHECK_THROWS_WITH(with("norm", "layer"), Catch::Matchers::Contains("instance, batch or group"));
  CHECK_THROWS_WITH(with("classes", 0), Catch::Matchers::Contains("classes is 0"));
  UNetConfig even = tiny();
  even.kernels[1] = {2, 3, 3};
  CHECK_THROWS_WITH(even.validate(), Catch::Matchers::Contains("kernels[1]"));
  even = tiny();
  even.strides[0] = {2, 1, 1};
  CHECK_THROWS_WITH(even.validate(), Catch::Matchers::Contains("strides[0]"));
}
