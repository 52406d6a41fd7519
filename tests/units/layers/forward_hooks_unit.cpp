#include "core/forward_hooks.h"

#include <cmath>

#include "core/autograd.h"
#include "layers/sequential.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Names = std::vector<std::string>;

TEST_CASE("forward hooks are told the name, type and output of each layer, parts before wholes") {
  Rng rng(1);
  Sequential net(ConvBlock({.in = 2, .out = 3}, rng), Activation{.kind = ActivationKind::gelu},
                 ResidualBlock({.in = 3, .out = 4, .stride = {1, 2, 2}}, rng));
  const Tensor x = noise({1, 2, 4, 4, 2}, 2);
  const Tensor plain = net(x);
  Names seen;
  std::vector<Tensor> outputs;
  {
    const ForwardHooks scope(net, [&](const LayerOutput& o) {
      seen.push_back(o.name + ":" + o.type);
      outputs.push_back(o.output);
    });
    CHECK(net(x).values() == plain.values());
  }
  CHECK(seen == Names{"0.conv:Conv3d", "0.norm.instance:InstanceNorm", "0.norm:Norm", "0:ConvBlock", "1:Activation",
                      "2.projection.conv:Conv3d", "2.projection.norm.instance:InstanceNorm", "2.projection.norm:Norm",
                      "2.projection:ConvBlock", "2.first.conv:Conv3d", "2.first.norm.instance:InstanceNorm", "2.first.norm:Norm",
                      "2.first:ConvBlock", "2.second.conv:Conv3d", "2.second.norm.instance:InstanceNorm", "2.second.norm:Norm",
                      "2.second:ConvBlock", "2:ResidualBlock", ":Sequential"});
  CHECK(outputs[0].shape() == Shape{1, 2, 4, 4, 3});
  CHECK(outputs[8].shape() == Shape{1, 2, 2, 2, 4});
  CHECK(outputs.back().values() == plain.values());
  net(x);
  CHECK(seen.size() == 19);  // the scope has ended
}

TEST_CASE("each layer of a U-Net reports once, whatever is fused without hooks") {
  Rng rng(3);
  for (bool residual : {false, true}) {
    UNetConfig config = residual ? UNetConfig::residual_encoder({.stages = 2, .base_features = 4})
                                 : UNetConfig::plain({.stages = 3, .base_features = 4});
    UNet net(config, rng);
    const Tensor x = noise({1, 8, 8, 8, 1}, 4);
    const std::vector<Tensor> plain = net(x);
    std::map<std::string, int> calls;
    std::map<std::string, Shape> shapes;
    std::vector<Tensor> hooked_outputs;
    {
      const ForwardHooks scope(net, [&](const LayerOutput& o) {
        ++calls[o.name];
        shapes[o.name] = o.output.shape();
      });
      hooked_outputs = net(x);
    }
    for (size_t i = 0; i < plain.size(); ++i) CHECK(difference(plain[i], hooked_outputs[i]) < 1e-5);
    size_t with_weight = 0;
    walk(net, [&](const std::string& name, Tensor&) {
      if (!name.ends_with(".weight")) return;
      ++with_weight;
      CHECK(calls[name.substr(0, name.size() - 7)] == 1);
    });
    CHECK(with_weight > 10);
    CHECK(calls["decoder.0"] == 1);
    for (auto& [name, count] : calls) CHECK((count == 1 && !name.empty()));
    CHECK(shapes["decoder.0.blocks.0"] == (residual ? Shape{1, 8, 8, 8, 4} : Shape{1, 4, 4, 4, 8}));
  }
}

TEST_CASE("a hook may put a leaf in the place of an output, whose gradient it then has") {
  Rng rng(5);
  Sequential net(Conv3d({.in = 1, .out = 2}, rng), Activation{.kind = ActivationKind::relu},
                 Conv3d({.in = 2, .out = 1, .kernel = {1, 1, 1}}, rng));
  Tensor features;
  const ForwardHooks scope(net, [&](const LayerOutput& o) {
    return o.name == "0" ? features = o.output.detach().require_grad() : Tensor{};
  });
  // The inner scope is called first and sees what the layer made; the outer one sees what the inner one put in its place.
  bool inner_saw_gradient = true;
  const ForwardHooks inner(net, [&](const LayerOutput& o) { inner_saw_gradient = inner_saw_gradient && o.output.requires_grad(); });
  backward(net(noise({1, 3, 3, 3, 1}, 6)), Tensor::full({1, 3, 3, 3, 1}, 1));
  CHECK(inner_saw_gradient);
  // d(sum)/d(features) = the last weight where the features are positive.
  const auto w = std::get<2>(net.layers).weight.values(), f = features.values(), g = features.grad().values();
  for (size_t i = 0; i < f.size(); ++i) CHECK(std::abs(g[i] - (f[i] > 0 ? w[i % 2] : 0)) < 1e-6);
  CHECK_FALSE(std::get<0>(net.layers).weight.grad());
}

TEST_CASE("copies of the network do not report") {
  Rng rng(1);
  Conv3d conv({.in = 1, .out = 1}, rng);
  const Conv3d copy = conv;
  int calls = 0;
  const ForwardHooks scope(conv, [&](const LayerOutput&) { ++calls; });
  copy(Tensor::zeros({1, 2, 2, 2, 1}));
  CHECK(calls == 0);
  conv(Tensor::zeros({1, 2, 2, 2, 1}));
  CHECK(calls == 1);
}
