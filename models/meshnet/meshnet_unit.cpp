#include "models/meshnet/meshnet.h"

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "tests/catch.h"
#include "tests/network_helpers.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("a MeshNet sees as far as its dilations add up to, and no farther") {
  // 1 + 2 + 4 = 7 voxels to either side.
  const Network net = network_of(R"({"kind": "meshnet", "features": 3, "dilations": [1, 4, 2], "norm": "none"})");
  for (auto& p : parameters(*net.as<MeshNet>()))
    for (float& v : p.tensor.mutable_data<float>()) v = 0.1f;  // nothing is cut off by ReLU
  const Inference quiet;
  Tensor x = Tensor::zeros({1, 20, 20, 20, 1});
  const std::vector<double> before = net(x)[0].values();
  x.mutable_data<float>()[size_t(10 * 400 + 10 * 20 + 10)] = 1;
  const std::vector<double> after = net(x)[0].values();
  for (int d : {2, 3, 10, 17, 18}) {
    const size_t at = size_t((d * 400 + 10 * 20 + 10) * 2);
    CHECK((after[at] != before[at]) == (d >= 3 && d <= 17));
  }
}

TEST_CASE("every weight of a MeshNet learns, and its JSON makes it again") {
  const Network net = network_of(R"({"kind": "meshnet", "in_channels": 2, "classes": 3, "dilations": [1, 2]})");
  Rng rng(1);
  const Tensor x = Tensor::empty({2, 4, 6, 6, 2});
  for (float& v : x.mutable_data<float>()) v = rng.normal();
  backward(cross_entropy(net(x)[0], Tensor::full({2, 4, 6, 6}, 1, DType::u8)));
  for (auto& p : parameters(*net.as<MeshNet>())) CHECK(bool(p.tensor.grad()));
  const Network again = network_of(net.config());
  CHECK(again.config() == net.config());
  CHECK(again.traits().in_channels == 2);
  CHECK_THAT(error_of([] { network_of(R"({"kind": "meshnet", "dilations": []})"); }), Contains("0 dilations"));
  CHECK_THAT(error_of([] { network_of(R"({"kind": "meshnet", "features": 0})"); }), Contains("features"));
}
