#include "models/dncnn/dncnn.h"

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "kernels/mse_loss/mse_loss.h"
#include "kernels/random/random.h"
#include "tests/catch.h"
#include "tests/network_helpers.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("a DnCNN has as many weights as KAIR's") {
  CHECK(weights_of(network_of(R"({"kind": "dncnn", "flat": true})")) == 557057);
  CHECK(weights_of(network_of(R"({"kind": "dncnn", "flat": true, "depth": 20})")) == 668225);
  CHECK(weights_of(network_of(R"({"kind": "dncnn"})")) == 1665281);
}

TEST_CASE("every weight of a DnCNN learns, and its JSON makes it again") {
  const Network net = network_of(R"({"kind": "dncnn", "in_channels": 2, "classes": 2, "depth": 4, "features": 3})");
  const Tensor x = rand({2, 3, 4, 5, 2}, Rng(1));
  const Tensor y = net(x)[0];
  CHECK(y.shape() == x.shape());
  backward(mse_loss(y, Tensor::zeros(x.shape())));
  for (auto& p : parameters(*net.as<DnCnn>())) CHECK(bool(p.tensor.grad()));
  CHECK(net.as<DnCnn>()->blocks[0].norm.kind == NormKind::none);
  CHECK(net.as<DnCnn>()->blocks[1].norm.kind == NormKind::batch);
  CHECK(network_of(net.config()).config() == net.config());
  CHECK_THAT(error_of([] { network_of(R"({"kind": "dncnn", "depth": 1})"); }), Contains("depth"));
}

TEST_CASE("a DnCNN of a data set of slices is one of slices") {
  const ModelEntry& entry = model_registry().find("dncnn");
  const NetworkPlan plan = entry.plan(entry.options(), {.extent = {1, 300, 200}});
  CHECK(plan.patch.d == 1);
  CHECK(double(plan.patch.h) * plan.patch.w <= 48. * 48 * 48);
  CHECK(parse_json(plan.config, "test")["flat"] == true);
  CHECK(parse_json(entry.plan(entry.options(), {.extent = {20, 30, 20}}).config, "test")["flat"] == false);
}
