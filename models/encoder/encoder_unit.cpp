#include "models/encoder/encoder.h"

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/training.h"
#include "io/checkpoint.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"
#include "models/centre_net/centre_net.h"
#include "models/resnet/resnet.h"
#include "models/retina_net/retina_net.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// Keys by which each encoder is small.
const std::vector<std::pair<std::string, Json>> kSmallEncoders = {
    {"unet", {{"base_features", 4}, {"stages", 3}}},
    {"resnet", {{"resnet.depth", 10}, {"resnet.base_features", 2}}},
    {"densenet", {{"densenet.growth", 2}, {"densenet.base_features", 4}}},
    {"convnext", {{"convnext.base_features", 2}, {"convnext.blocks", {1, 1, 1}}, {"convnext.kernel", 3}}},
    {"segresnet", {{"segresnet.features", 8}, {"segresnet.blocks_down", {1, 1, 1}}, {"segresnet.blocks_up", {1, 1}}}},
    {"res_unet", {{"res_unet.channels", {4, 6, 8}}, {"res_unet.strides", {2, 2}}, {"res_unet.units", 1}}}};

NetworkPlan planned_on(const char* network, const Json& keys, const PlanRequest& r) {
  const ModelEntry& entry = model_registry().find(network);
  const Options o = entry.options();
  o.set(keys, "a test");
  return entry.plan(o, r);
}

Json with_keys(Json keys, const Json& more) {
  for (auto& [key, value] : more.items()) keys[key] = value;
  return keys;
}

std::vector<std::string> names_of(Network net) {
  std::vector<std::string> out;
  for (auto& p : state_of(net)) out.push_back(p.name);
  return out;
}

Tensor input_of(const Int3& size, int channels) { return noise({2, size.d, size.h, size.w, channels}, 5); }

}  // namespace

TEST_CASE("every encoder gives features of the extents and channels that its stages say, in volumes and slices") {
  std::vector<std::string> all;
  for (const ModelEntry& e : model_registry().entries())
    if (e.encoder) all.push_back(e.name);
  std::vector<std::string> tried;
  for (auto& [name, keys] : kSmallEncoders) {
    tried.push_back(name);
    const EncoderEntry& entry = *model_registry().find(name).encoder;
    const Options o = entry.options();
    for (auto& [key, value] : keys.items()) o.set({{key.substr(key.find('.') == key.npos ? 0 : name.size() + 1), value}}, "a test");
    for (const double slices : {1., 40.}) {
      const NetworkPlan plan = entry.plan(o, {.in_channels = 2, .out_channels = 9, .extent = {slices, 60, 40}});
      CAPTURE(name, plan.config);
      Rng rng(1);
      const Encoder encoder(plan.config, 2, rng);
      const Int3 divisor = encoder_divisor(plan.config);
      CHECK(divisor == encoder.stages().back().stride);
      CHECK(plan.patch.h % divisor.h == 0);
      CHECK(plan.patch.d % divisor.d == 0);
      CHECK((slices > 1 || (plan.patch.d == 1 && divisor.d == 1 && encoder.stages()[0].kernel.d == 1)));
      const Int3 size = {slices > 1 ? 2 * divisor.d : 1, divisor.h, 2 * divisor.w};
      const Inference quiet;
      const std::vector<Tensor> y = encoder.features("a test", input_of(size, 2));
      REQUIRE(y.size() == encoder.stages().size());
      for (size_t s = 0; s < y.size(); ++s) {
        const EncoderStage& stage = encoder.stages()[s];
        CHECK(y[s].shape() == Shape{2, size.d / stage.stride.d, size.h / stage.stride.h, size.w / stage.stride.w, stage.channels});
      }
      double weights = 0;
      Encoder counted = encoder;
      for (auto& p : state_of(counted)) weights += double(p.tensor.count());
      CHECK(least_encoder_weights(plan.config) <= weights);
      CHECK(least_encoder_weights(plan.config) > 0);
      CHECK_THROWS_WITH(encoder.features("Net", input_of({size.d, size.h + 1, size.w}, 2)), Contains("Net") && Contains("multiple of"));
      CHECK_THROWS_WITH(encoder.features("Net", input_of(size, 3)), Contains("{N, D, H, W, 2}"));
    }
  }
  std::sort(all.begin(), all.end()), std::sort(tried.begin(), tried.end());
  CHECK(all == tried);
}

TEST_CASE("detectors go on from any encoder: all of them learns, and they survive JSON") {
  for (const char* network : {"retina_net", "centre_net"})
    for (auto& [name, keys] : kSmallEncoders) {
      Json chosen = with_keys(keys, {{"encoder", name}});
      if (std::string(network) == "retina_net") chosen = with_keys(chosen, {{"width", 8}, {"levels", 2}, {"anchors", 2}});
      const NetworkPlan plan = planned_on(network, chosen, {.in_channels = 1, .out_channels = 3, .patch = {1, 64, 32}});
      CAPTURE(network, name, plan.config);
      const Json config = Json::parse(plan.config);
      CHECK(config["encoder"]["kind"] == name);
      Rng rng(1);
      Network net = build_network(config, rng);
      CHECK(Json::parse(net.config()) == config);
      const Int3 divisor = net.traits().divisor;
      CHECK((divisor.d == 1 && 64 % divisor.h == 0 && 32 % divisor.w == 0));
      const Training scope(rng);
      const std::vector<Tensor> y = net(input_of({1, 64, 32}, 1));
      Tensor loss;
      for (const Tensor& t : y) loss = loss ? loss + sum(t * t) : sum(t * t);
      backward(loss);
      for (auto& p : parameters(net)) {
        CAPTURE(p.name);
        CHECK(p.tensor.grad());
      }
      // Memory of a clone is its own, that of its encoder too.
      Network other = net.clone();
      const std::vector<double> before = state_of(net)[0].tensor.values();
      walk(other, [](const std::string&, Tensor& t) { t.copy_from(Tensor::zeros(t.shape(), t.dtype())); });
      CHECK(state_of(net)[0].tensor.values() == before);
    }
}

TEST_CASE("an encoder's weights have the names that they have in the network which it is of") {
  const auto names = [](const Json& keys) {
    const NetworkPlan plan = planned_on("retina_net", keys, {.patch = {1, 64, 64}});
    Rng rng(1);
    return names_of(build_network(Json::parse(plan.config), rng));
  };
  Rng rng(1);
  ResNet classifier({.depth = 10, .base_features = 2, .flat = true}, rng);
  const std::vector<std::string> mine = names({{"encoder", "resnet"}, {"resnet.depth", 10}, {"resnet.base_features", 2}});
  for (auto& p : state_of(classifier)) {
    CAPTURE(p.name);
    CHECK((std::find(mine.begin(), mine.end(), p.name) != mine.end()) == !p.name.starts_with("fc."));
  }
  const std::vector<std::string> of_unet = names({{"base_features", 4}, {"stages", 2}});
  CHECK(of_unet[0] == "encoder.0.blocks.0.conv.weight");
  CHECK(of_unet.back() == "box_out.bias");
}

TEST_CASE("files of before there was a choice of encoders have a U-Net's") {
  const Json unet = Json::parse(R"({"features": [4, 8, 8], "kernels": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]], "encoder_depth": [1, 1, 1], "decoder_depth": [1, 1], "deep_supervision": false})");
  Json old = {{"kind", "retina_net"}, {"in_channels", 1}, {"classes", 2}, {"unet", unet},    {"stage", 1},
              {"levels", 2},          {"anchors", 3},     {"width", 8},   {"head_depth", 1}, {"prior", 0.01}};
  Rng rng(1);
  Network net = build_network(old, rng);
  CHECK(net.traits().divisor == Int3{2, 4, 4});
  CHECK(Json::parse(net.config())["encoder"]["kind"] == "unet");
  const std::vector<Tensor> y = net(input_of({4, 8, 8}, 1));
  CHECK(y[0].shape() == Shape{2, 4, 4, 4, 6});
  CHECK(y[2].shape() == Shape{2, 2, 2, 2, 6});
  const std::vector<std::string> names = names_of(net);
  CHECK(std::vector<std::string>(names.begin(), names.begin() + 4) ==
        std::vector<std::string>{"encoder.0.blocks.0.conv.weight", "encoder.0.blocks.0.conv.bias",
                                 "encoder.0.blocks.0.norm.instance.weight", "encoder.0.blocks.0.norm.instance.bias"});
  for (const char* key : {"levels", "anchors", "width", "head_depth", "prior"}) old.erase(key);
  old["kind"] = "centre_net";
  Network centres = build_network(old, rng);
  CHECK(centres(input_of({4, 8, 8}, 1))[1].shape() == Shape{2, 4, 4, 4, 6});
  const std::vector<std::string> of_centres = names_of(centres);
  CHECK(std::find(of_centres.begin(), of_centres.end(), "decoder.0.blocks.0.conv.weight") != of_centres.end());
  old["unet"] = 7;
  CHECK_THROWS_WITH(build_network(old, rng), Contains("\"unet\" is 7"));
}

TEST_CASE("an encoder that there is not, and keys of one that is not chosen, are refused by their names") {
  const PlanRequest r{.patch = {1, 64, 64}};
  CHECK_THROWS_WITH(planned_on("retina_net", {{"encoder", "vgg"}}, r), Contains("vgg") && Contains("resnet"));
  CHECK_THROWS_WITH(planned_on("centre_net", {{"resnet.depth", 50}}, r),
                    Contains("network.resnet.depth: is 50, a key of the encoder resnet; network.encoder is unet"));
  CHECK_THROWS_WITH(planned_on("retina_net", {{"encoder", "resnet"}, {"base_features", 8}}, r),
                    Contains("network.base_features: is 8, a key of the encoder unet; network.encoder is resnet"));
  CHECK_THROWS_WITH(planned_on("retina_net", {{"encoder", "resnet"}}, {.patch = {1, 48, 640}}), Contains("train.patch"));
  Rng rng(1);
  const auto build = [&](const char* text) { build_network(Json::parse(text), rng); };
  CHECK_THROWS_WITH(build(R"({"kind": "retina_net", "encoder": {"kind": "meshnet"}})"), Contains("meshnet") && Contains("resnet"));
  CHECK_THROWS_WITH(build(R"({"kind": "retina_net", "encoder": {"kind": "resnet", "depth": 11}})"), Contains("10, 18"));
  CHECK_THROWS_WITH(build(R"({"kind": "retina_net", "encoder": {"kind": "resnet"}, "stage": 3})"), Contains("4 stages"));
  CHECK_THROWS_WITH(build(R"({"kind": "retina_net", "encoder": 3})"), Contains("encoder"));
  CHECK_THROWS_WITH(build(R"({"kind": "retina_net"})"), Contains("encoder"));
}

TEST_CASE("the first strides of a residual network leave thick slices as they are") {
  const auto stages = [](const PlanRequest& r, const Json& keys = Json::object()) {
    const EncoderEntry& entry = *model_registry().find("resnet").encoder;
    const Options o = entry.options();
    o.set(with_keys({{"depth", 10}, {"base_features", 2}}, keys), "a test");
    const NetworkPlan plan = entry.plan(o, r);
    std::vector<Int3> out;
    for (auto& s : encoder_stages(plan.config)) out.push_back(s.stride);
    out.push_back(plan.patch);
    return out;
  };
  using List = std::vector<Int3>;
  CHECK(stages({.extent = {96, 96, 96}}) == List{{4, 4, 4}, {8, 8, 8}, {16, 16, 16}, {32, 32, 32}, {96, 96, 96}});
  // Voxels of 1 mm in slices of 5 mm: 2 and 4 mm after the stem and its pooling.
  CHECK(stages({.extent = {96, 96, 96}, .spacing = {5, 1, 1}}) == List{{1, 4, 4}, {2, 8, 8}, {4, 16, 16}, {8, 32, 32}, {96, 96, 96}});
  // Slices are half as many as voxels along them after two strides.
  CHECK(stages({.extent = {20, 96, 96}}) == List{{1, 4, 4}, {2, 8, 8}, {4, 16, 16}, {8, 32, 32}, {24, 96, 96}});
  CHECK(stages({.extent = {20, 96, 96}}, {{"flat_strides", 0}})[0] == Int3{4, 4, 4});
  CHECK(stages({.extent = {1, 96, 96}, .spacing = {9, 1, 1}}) == List{{1, 4, 4}, {1, 8, 8}, {1, 16, 16}, {1, 32, 32}, {1, 96, 96}});
  Rng rng(1);
  ResNet net({.depth = 10, .base_features = 2, .flat_strides = 3}, rng);
  CHECK(net.features(noise({1, 4, 32, 32, 1}, 1)).back().shape() == Shape{1, 1, 1, 1, 16});
  CHECK_THROWS_WITH(ResNet({.flat_strides = 6}, rng), Contains("flat_strides"));
}
