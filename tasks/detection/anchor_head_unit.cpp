#include <numeric>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/gradient_check.h"
#include "models/model_registry.h"
#include "tasks/detection/anchor_head.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

// Two levels of an input of 1 x 16 x 16 voxels: 4 x 4 and 2 x 2 places.
std::vector<Tensor> two_levels(int64_t anchors, int64_t classes, double value, DType t = DType::f32) {
  return {Tensor::full({1, 1, 4, 4, anchors * classes}, value, t), Tensor::zeros({1, 1, 4, 4, anchors * 6}, t),
          Tensor::full({1, 1, 2, 2, anchors * classes}, value, t), Tensor::zeros({1, 1, 2, 2, anchors * 6}, t)};
}
const Int3 kInput = {1, 16, 16};
const std::vector<AnchorShape> kShapes = {{1, 4, 4}, {1, 6, 3}};

// The definition, over all anchors at once.
std::vector<int64_t> matched_by_definition(const std::vector<ObjectBox>& boxes, const std::vector<AnchorLevel>& levels,
                                           const std::vector<AnchorShape>& shapes, size_t nearest) {
  const std::vector<ObjectBox> all = anchors_of(levels, shapes);
  std::vector<int64_t> out(all.size(), -1);
  std::vector<double> best(all.size(), 0);
  for (size_t b = 0; b < boxes.size(); ++b) {
    std::vector<size_t> candidates;
    size_t first = 0;
    for (const AnchorLevel& l : levels) {
      const size_t count = size_t(l.size[0] * l.size[1] * l.size[2]) * shapes.size();
      std::vector<size_t> order(count);
      std::iota(order.begin(), order.end(), first);
      const auto distance = [&](size_t i) {
        double sum = 0;
        for (size_t a = 0; a < 3; ++a) sum += std::pow(all[i].centre()[a] - boxes[b].centre()[a], 2);
        return sum;
      };
      std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return distance(x) < distance(y) - 1e-9; });
      order.resize(std::min(count, nearest * shapes.size()));
      candidates.insert(candidates.end(), order.begin(), order.end());
      first += count;
    }
    double mean = 0, square = 0;
    for (size_t i : candidates) mean += iou_of(all[i], boxes[b]) / double(candidates.size());
    for (size_t i : candidates) square += std::pow(iou_of(all[i], boxes[b]) - mean, 2);
    const double threshold = mean + std::sqrt(square / double(candidates.size() - 1));
    for (size_t i : candidates)
      if (const double iou = iou_of(all[i], boxes[b]); iou >= threshold && iou > best[i]) best[i] = iou, out[i] = int64_t(b);
  }
  return out;
}

}  // namespace

TEST_CASE("anchors are matched as ATSS says, on 10,000 random sets of boxes, flat ones and twins among them") {
  const auto levels = anchor_levels(two_levels(2, 1, 0), kInput);
  CHECK((levels.size() == 2 && levels[1].stride[1] == 8 && levels[1].scale[1] == 2 && levels[1].scale[0] == 1));
  Rng rng(5);
  int64_t positives = 0, wrong = 0, of_flat = 0;
  for (int set = 0; set < 10000; ++set) {
    std::vector<ObjectBox> boxes;
    for (int b = 0; b < 3; ++b) {
      const double h = rng.uniform(-2, 14), w = rng.uniform(-2, 14);
      boxes.push_back({{-0.5, h, w}, {0.5, h + rng.uniform(0.5, 9), w + rng.uniform(0.5, 9)}});
    }
    const bool flat = set % 4 == 0;
    if (flat) boxes[0].high[1] = boxes[0].low[1];  // no extent along h
    if (set % 8 == 1) boxes[2] = boxes[1];         // the first of two that are the same has the anchors
    const auto match = match_anchors(boxes, levels, kShapes, 3);
    wrong += match != matched_by_definition(boxes, levels, kShapes, 3);
    positives += std::count_if(match.begin(), match.end(), [](int64_t m) { return m >= 0; });
    of_flat += flat ? std::count(match.begin(), match.end(), 0) : 0;
  }
  CHECK(wrong == 0);
  CHECK(positives > 25000);
  CHECK(of_flat == 0);
}

TEST_CASE("deltas of an anchor say the box that it learns") {
  std::vector<Tensor> out = two_levels(2, 3, -9);
  // The second anchor of the place (1, 0) of the coarse level: centre (0, 11.5, 3.5), 12 x 6 voxels.
  out[2].mutable_data<float>()[size_t((1 * 2 + 0) * 6 + 1 * 3 + 2)] = 1;
  const float deltas[] = {0, 0.25f, -0.5f, 0, std::log(0.5f), std::log(2.f)};
  std::copy(deltas, deltas + 6, out[3].mutable_data<float>().begin() + (1 * 2 + 0) * 12 + 6);
  const std::vector<ObjectBox> found = decode_anchors(out, 0, kInput, kShapes);
  REQUIRE(found.size() == 1);
  CHECK(found[0].label == 2);
  CHECK((close(found[0].low[1], 11.5 + 3 - 3, 1e-5) && close(found[0].high[1], 11.5 + 3 + 3, 1e-5)));
  CHECK((close(found[0].low[2], 3.5 - 3 - 6, 1e-5) && close(found[0].high[2], 3.5 - 3 + 6, 1e-5)));
  CHECK((close(found[0].low[0], -0.5, 1e-6) && close(found[0].high[0], 0.5, 1e-6)));
}

TEST_CASE("the losses of anchors have the gradients that finite differences have") {
  std::vector<Tensor> out = two_levels(2, 2, 0, DType::f64);
  for (size_t i = 0; i < out.size(); ++i) {
    const Tensor draw = noise(out[i].shape(), i + 1);
    for (size_t k = 0; k < size_t(draw.count()); ++k) out[i].mutable_data<double>()[k] = 0.3 * double(draw.data<float>()[k]);
  }
  const AnchorTargets t{
      .boxes = {{{{-0.5, 1, 2}, {0.5, 6, 7}, 1}, {{-0.5, 5, 7}, {0.5, 15, 14}, 0}}}, .shapes = {kShapes}, .input = kInput};
  for (const char* classes : {"focal", "sampled"}) {
    const AnchorLoss o{.classes = classes, .giou = 1, .l1 = 0.3, .per_image = 12, .pool = 2};
    CHECK(gradient_error([&](const std::vector<Tensor>& in) { return anchor_loss(in, t, o); }, out) < 1e-6);
  }
  // Without a box there are negatives alone, and the right answer costs nothing.
  AnchorTargets none = t;
  none.boxes = {{}};
  for (const char* classes : {"focal", "sampled"}) {
    CHECK(anchor_loss(two_levels(2, 2, -20), none, {.classes = classes}).item() < 1e-6);
    CHECK(anchor_loss(two_levels(2, 2, 2), none, {.classes = classes}).item() > 0.5);
  }
  AnchorTargets other = t;
  other.shapes = {{kShapes[0]}};
  CHECK_THROWS_WITH(anchor_loss(out, other), Catch::Matchers::Contains("network.anchors"));
}

TEST_CASE("shapes of anchors are fitted to boxes, at the levels of the network") {
  std::vector<Double3> sizes;
  Rng rng(2);
  for (int i = 0; i < 60; ++i) {
    const double s = i % 2 ? 8 : 16, wide = i % 3 == 0 ? 2 : 1;
    sizes.push_back({1, s * rng.uniform(0.95, 1.05), wide * s * rng.uniform(0.95, 1.05)});
  }
  const auto shapes = fitted_shapes(sizes, 2, 2);
  REQUIRE(shapes.size() == 2);
  // A square and one twice as wide, at 8 voxels and, by the second level, at 16.
  CHECK((shapes[0][0] == 1 && shapes[1][0] == 1));
  CHECK((close(shapes[0][1], 8, 0.8) && close(shapes[0][2], 8, 0.8)));
  CHECK((close(shapes[1][1], 8, 0.8) && close(shapes[1][2], 16, 1.6)));
}

TEST_CASE("a network of anchors gives classes and boxes at each level") {
  Rng rng(1);
  const ModelEntry& entry = model_registry().find("retina_net");
  const Options o = entry.options();
  o.set({{"base_features", 4}, {"width", 16}, {"levels", 2}, {"anchors", 5}}, "a test");
  const NetworkPlan plan = entry.plan(o, {.in_channels = 2, .out_channels = 3, .patch = {1, 32, 64}, .extent = {1, 32, 64}});
  Network net = build_network(Json::parse(plan.config), rng);
  const std::vector<Tensor> y = net(noise({2, 1, 32, 64, 2}, 3));
  REQUIRE(y.size() == 4);
  CHECK(y[0].shape() == Shape{2, 1, 16, 32, 15});
  CHECK(y[1].shape() == Shape{2, 1, 16, 32, 30});
  CHECK(y[2].shape() == Shape{2, 1, 8, 16, 15});
  CHECK(std::abs(y[0].values()[0] + std::log(99.)) < 1.5);  // near the prior of 0.01
  const std::vector<AnchorShape> five = {{1, 4, 4}, {1, 4, 8}, {1, 8, 4}, {1, 8, 8}, {1, 6, 6}};
  const AnchorTargets one{.boxes = {{{{-0.5, 3, 4}, {0.5, 9, 20}, 1}}, {}}, .shapes = {five, five}, .input = {1, 32, 64}};
  backward(anchor_loss(y, one));
  for (auto& p : parameters(net)) CHECK(p.tensor.grad());  // all of it learns
  CHECK_THROWS_WITH(entry.plan(o, {.in_channels = 2, .out_channels = 3, .patch = {1, 33, 64}, .extent = {1, 32, 64}}),
                    Catch::Matchers::Contains("train.patch"));
}
