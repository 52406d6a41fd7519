#include "core/autograd.h"
#include "core/config/json_values.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "models/model_registry.h"
#include "models/resnet/resnet.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("ResNets of one slice have torchvision's number of parameters") {
  // torchvision.models.resnet18/50, num_classes=1000: 11,689,512 and 25,557,032.
  CHECK(parameters_of(ResNetConfig{.in_channels = 3, .classes = 1000, .depth = 18, .flat = true}) == 11689512);
  CHECK(parameters_of(ResNetConfig{.in_channels = 3, .classes = 1000, .depth = 50, .flat = true}) == 25557032);
}

TEST_CASE("a ResNet gives a row of logits per image, and its fields have torchvision's names") {
  Rng rng(1);
  ResNet net({.in_channels = 2, .classes = 3, .depth = 10, .base_features = 4}, rng);
  const Tensor y = net(Tensor::zeros({2, 20, 18, 17, 2}));
  CHECK(y.shape() == Shape{2, 3});
  std::vector<Int3> extents;
  for (auto& f : net.features(Tensor::zeros({1, 32, 32, 32, 2}))) extents.push_back(f.shape().spatial());
  CHECK(extents == std::vector<Int3>{{8, 8, 8}, {4, 4, 4}, {2, 2, 2}, {1, 1, 1}});
  ResNet dilated({.in_channels = 2, .depth = 50, .base_features = 2, .dilated = true}, rng);
  CHECK(dilated.features(Tensor::zeros({1, 32, 32, 40, 2})).back().shape() == Shape{1, 4, 4, 5, 64});
  std::vector<std::string> names;
  for (auto& p : state_of(net)) names.push_back(p.name);
  for (const char* name : {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight",
                           "layer2.0.downsample.1.running_var", "layer4.0.bn2.bias", "fc.weight", "fc.bias"})
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  CHECK_THROWS_WITH(net(Tensor::zeros({1, 8, 8, 8, 1})), Contains("ResNet") && Contains("{N, D, H, W, 2}"));
}

TEST_CASE("every parameter of a ResNet gets a gradient, with blocks of two and of three convolutions") {
  for (const int depth : {10, 50}) {
    Rng rng(2);
    ResNet net({.in_channels = 1, .classes = 2, .depth = depth, .base_features = 2, .small_stem = true}, rng);
    Rng noise(3);
    std::vector<double> x(2 * 8 * 8 * 8);
    for (double& v : x) v = noise.normal();
    backward(cross_entropy(net(Tensor::from(x, {2, 8, 8, 8, 1})), Tensor::from({0, 1}, {2}, DType::u8)));
    for (auto& p : parameters(net)) {
      CAPTURE(depth, p.name);
      CHECK(p.tensor.grad());
    }
  }
}

TEST_CASE("a ResNet is planned from the cases, and survives JSON") {
  const ModelEntry& entry = model_registry().find("resnet");
  const NetworkPlan p = entry.plan(entry.options(), {.in_channels = 1, .out_channels = 4, .extent = {28, 30, 29}});
  CHECK(p.patch == Int3{28, 30, 29});
  const ResNetConfig c = resnet_config_from_json(Json::parse(p.config));
  CHECK_FALSE(c.small_stem);
  CHECK(resnet_config_from_json(Json::parse(entry.plan(entry.options(), {.extent = {1, 28, 30}}).config)).small_stem);
  CHECK(resnet_config_from_json(Json::parse(entry.plan(entry.options(), {.extent = {16, 14, 12}}).config)).small_stem);
  CHECK_FALSE(c.flat);
  CHECK(to_json_text(c) == p.config);
  const NetworkPlan large = entry.plan(entry.options(), {.extent = {1, 2000, 3000}});
  CHECK(resnet_config_from_json(Json::parse(large.config)).flat);
  CHECK_FALSE(resnet_config_from_json(Json::parse(large.config)).small_stem);
  CHECK_THROWS_WITH(resnet_config_from_json(Json::parse(R"({"kind": "resnet", "dept": 18})")),
                    Contains("\"dept\"") && Contains("\"depth\""));
  CHECK_THROWS_WITH(resnet_config_from_json(Json::parse(R"({"kind": "resnet", "depth": 11})")), Contains("11") && Contains("18"));
  CHECK_THROWS_WITH(entry.options().set(Json::parse(R"({"depth": 17})"), "x"), Contains("10, 18"));
}
