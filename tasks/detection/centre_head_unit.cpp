#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/gradient_check.h"
#include "models/centre_net/centre_net.h"
#include "models/model_registry.h"
#include "tasks/detection/centre_head.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

const CentreTargets kTwoBoxes = {
    .boxes = {{{{0.5, 2.2, 3.1}, {5.5, 9.4, 8.3}, 1}}, {}}, .unit = {{4, 5, 6}, {4, 5, 6}}, .input = {8, 12, 12}};

}  // namespace

TEST_CASE("what a network of centres learns is what is read from it") {
  // Numbers that say the box at its cell, by the formula: the cell of the centre (3, 5.8, 5.7) is (1, 2, 2), of 2 x 3 x 3 voxels.
  const Tensor heat = Tensor::full({2, 4, 4, 4, 2}, -9), numbers = Tensor::zeros({2, 4, 4, 4, 6});
  const int64_t at = (1 * 4 + 2) * 4 + 2;
  heat.mutable_data<float>()[size_t(at * 2 + 1)] = 3;
  const double middle[3] = {1.5 * 2 - 0.5, 2.5 * 3 - 0.5, 2.5 * 3 - 0.5}, stride[3] = {2, 3, 3};
  const ObjectBox& b = kTwoBoxes.boxes[0][0];
  for (size_t a = 0; a < 3; ++a) {
    numbers.mutable_data<float>()[size_t(at * 6) + a] = float((b.centre()[a] - middle[a]) / stride[a]);
    numbers.mutable_data<float>()[size_t(at * 6) + 3 + a] = float(std::log(b.size()[a] / kTwoBoxes.unit[0][a]));
  }
  const std::vector<ObjectBox> found = decode_centres(heat, numbers, 0, {8, 12, 12}, {4, 5, 6});
  REQUIRE(found.size() == 1);
  CHECK(found[0].label == 1);
  CHECK(close(found[0].score, 1 / (1 + std::exp(-3.)), 1e-6));
  for (size_t a = 0; a < 3; ++a) {
    CHECK(close(found[0].low[a], b.low[a], 1e-5));
    CHECK(close(found[0].high[a], b.high[a], 1e-5));
  }
  CHECK(decode_centres(heat, numbers, 1, {8, 12, 12}, {4, 5, 6}).empty());
  CHECK(decode_centres(heat, numbers, 0, {8, 12, 12}, {4, 5, 6}, {.min_score = 0.96}).empty());
}

TEST_CASE("of equal neighbours in a heat map the first one is a centre") {
  const Tensor heat = Tensor::full({1, 1, 3, 5, 1}, -9), numbers = Tensor::zeros({1, 1, 3, 5, 6});
  for (size_t at : {1, 2, 9, 14}) heat.mutable_data<float>()[at] = 2;  // 1 and 2 are neighbours, 9 and 14 are, and 9 is none of 2
  CHECK(decode_centres(heat, numbers, 0, {1, 3, 5}, {1, 1, 1}).size() == 2);
  CHECK(decode_centres(heat, numbers, 0, {1, 3, 5}, {1, 1, 1}, {.min_score = 0.05, .keep = 1}).size() == 1);
}

TEST_CASE("the loss of centres has the gradient that finite differences have, and is least where the boxes are right") {
  Tensor heat = noise({2, 4, 4, 4, 2}, 3).to(DType::f64), numbers = noise({2, 4, 4, 4, 6}, 4).to(DType::f64);
  for (double& v : numbers.mutable_data<double>()) v *= 0.3;
  const auto loss = [&](const std::vector<Tensor>& in) { return centre_loss(in[0], in[1], kTwoBoxes, {.heat = 1, .giou = 2, .l1 = 0.5}); };
  CHECK(gradient_error(loss, {heat, numbers}) < 1e-6);
  const double before = loss({heat, numbers}).item();
  for (int step = 0; step < 400; ++step) {
    heat.require_grad(), numbers.require_grad();
    backward(loss({heat, numbers}));
    for (Tensor* t : {&heat, &numbers}) {
      const Tensor g = t->grad();
      *t = t->clone();
      for (size_t i = 0; i < size_t(t->count()); ++i) t->mutable_data<double>()[i] -= 0.1 * g.data<double>()[i];
    }
  }
  CHECK(loss({heat, numbers}).item() < 0.5 * before);
  const std::vector<ObjectBox> found = decode_centres(heat, numbers, 0, {8, 12, 12}, {4, 5, 6}, {.min_score = 0.3});
  REQUIRE(!found.empty());
  CHECK(iou_of(found[0], kTwoBoxes.boxes[0][0]) > 0.7);
  CHECK(found[0].label == kTwoBoxes.boxes[0][0].label);
}

TEST_CASE("a network of centres gives heat maps and boxes at the resolution of its stage") {
  Rng rng(1);
  const ModelEntry& entry = model_registry().find("centre_net");
  const Options o = entry.options();
  o.set({{"base_features", 4}, {"stage", 1}}, "a test");
  const NetworkPlan plan = entry.plan(o, {.in_channels = 2, .out_channels = 3, .patch = {1, 32, 64}, .extent = {1, 32, 64}});
  const Network net = build_network(Json::parse(plan.config), rng);
  CHECK(net.traits().out_channels == 3);
  const std::vector<Tensor> y = net(Tensor::zeros({2, 1, 32, 64, 2}));
  REQUIRE(y.size() == 2);
  CHECK(y[0].shape() == Shape{2, 1, 16, 32, 3});
  CHECK(y[1].shape() == Shape{2, 1, 16, 32, 6});
  CHECK(std::abs(y[0].values()[0] + std::log(9.)) < 1);  // near the prior of 0.1
  CHECK_THROWS_WITH(net(Tensor::zeros({2, 1, 30, 64, 2})), Catch::Matchers::Contains("CentreNet"));
}
