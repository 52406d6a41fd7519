// What the two networks of MONAI have in common; tools/crosscheck/monai_bundles compares their outputs with MONAI's.

#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/forward_hooks.h"
#include "core/memory/memory.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "models/model_registry.h"
#include "models/res_unet/res_unet.h"
#include "models/segresnet/segresnet.h"
#include "tests/temporary_folder.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
Network made(const std::string& json) {
  Rng rng(3);
  return build_network(Json::parse(json), rng);
}
}  // namespace

TEST_CASE("the blocks of a SegResNet store none of their group norms, and are the composition of their layers") {
  const Network net = made(R"({"kind": "segresnet", "features": 8, "groups": 2, "blocks_down": [2], "blocks_up": []})");
  Network copy = net;
  const auto weights = parameters(copy);
  Rng rng(1);
  Tensor x = Tensor::empty({2, 8, 8, 8, 1});
  for (float& v : x.mutable_data<float>()) v = rng.normal();
  struct Run {
    Tensor y;
    std::vector<Tensor> gradients;
    size_t kept;
  };
  const auto run = [&] {
    for (const auto& p : weights) p.tensor.clear_grad();
    const size_t before = memory_stats(Device{}).in_use;
    const Tensor y = net(x)[0];
    Run out{.y = y.detach(), .kept = memory_stats(Device{}).in_use - before};
    Tensor seed = Tensor::empty(y.shape());
    Rng noise(2);
    for (float& v : seed.mutable_data<float>()) v = noise.normal();
    backward(y, seed);
    for (const auto& p : weights) out.gradients.push_back(p.tensor.grad());
    return out;
  };
  const Run got = run();
  const Run stored = [&] {
    const ForwardHooks scope(copy, [](const LayerOutput&) {});
    return run();
  }();
  CHECK(difference(got.y, stored.y) < 1e-5);
  for (size_t i = 0; i < weights.size(); ++i) {
    CAPTURE(weights[i].name);
    double most = 0;
    for (const double v : stored.gradients[i].values()) most = std::fmax(most, std::abs(v));
    CHECK(difference(got.gradients[i], stored.gradients[i]) < 1e-4 * most);
  }
  // Two norms of each block and the one in front of the head.
  CHECK(stored.kept - got.kept > 5 * 0.95 * 2 * 512 * 8 * sizeof(float));
}

TEST_CASE("residual U-Nets and SegResNets give the extents of their input, and every weight learns") {
  for (const char* json : {R"({"kind": "res_unet", "classes": 3, "channels": [4, 6, 8], "strides": [2, 2], "norm": "batch"})",
                           R"({"kind": "res_unet", "classes": 3, "channels": [4, 6, 8], "strides": [2, 1], "units": 0})",
                           R"({"kind": "res_unet", "classes": 3, "channels": [4, 6], "strides": [2], "flat": true, "activation": "relu"})",
                           R"({"kind": "segresnet", "classes": 3, "features": 4, "groups": 2, "blocks_down": [1, 2], "blocks_up": [1]})"}) {
    CAPTURE(json);
    const Network net = made(json);
    const int depth = net.traits().divisor.d == 1 ? 1 : 8;
    Rng rng(1);
    const Tensor x = Tensor::empty({2, depth, 8, 12, 1});
    for (float& v : x.mutable_data<float>()) v = rng.normal();
    const Tensor y = net(x)[0];
    CHECK(y.shape() == Shape{2, depth, 8, 12, 3});
    Tensor label = Tensor::zeros({2, depth, 8, 12}, DType::u8);
    for (int64_t i = 0; i < label.count(); ++i) label.mutable_data<uint8_t>()[size_t(i)] = uint8_t(i % 3);
    backward(cross_entropy(y, label));
    Network copy = net;
    for (auto& p : parameters(copy)) {
      INFO(p.name);
      CHECK(bool(p.tensor.grad()));
    }
    CHECK(made(net.config()).config() == net.config());
  }
  CHECK_THAT(error_of([] { made(R"({"kind": "res_unet", "channels": [4, 8]})"); }), Contains("strides has 4 entries"));
  CHECK_THAT(error_of([] { made(R"({"kind": "res_unet", "up_kernel": 1})"); }), Contains("skips voxels"));
  CHECK_THAT(error_of([] { made(R"({"kind": "segresnet", "blocks_up": [1]})"); }), Contains("blocks_up has 1 entries"));
  CHECK_THAT(error_of([] { made(R"({"kind": "segresnet", "groups": 3})"); }), Contains("3 groups do not divide 8"));
}
