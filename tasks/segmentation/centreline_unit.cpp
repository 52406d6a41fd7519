#include <cmath>

#include "core/autograd.h"
#include "kernels/random/random.h"
#include "layers/cl_dice.h"
#include "tasks/segmentation/segmentation.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {

// {1, 4, 6, 5}: 0, 1 and 2 in bars; every seventh voxel `other`.
Tensor bars(int other) {
  std::vector<double> v;
  for (int i = 0; i < 120; ++i) v.push_back(i % 7 == 3 ? other : i % 5 < 2 ? 1 : i % 30 < 5 ? 2 : 0);
  return Tensor::from(v, {1, 4, 6, 5}, DType::u8);
}
double loss_of(const SegmentationOptions& o, const Tensor& logits, const Tensor& label) {
  return Segmentation(o).loss({logits}, {Tensor::zeros({1, 4, 6, 5, 1}), {{"label", DataKind::labels, label}}}).item();
}

}  // namespace

TEST_CASE("segmentation.centreline_weight adds soft clDice of classes, or of regions, without what is ignored") {
  const Tensor label = bars(0), random = randn({1, 4, 6, 5, 3}, Rng(1));
  const SegmentationOptions none = {.dice_weight = 0, .cross_entropy_weight = 0}, some = {.dice_weight = 0, .cross_entropy_weight = 0,
                                                                                           .centreline_weight = 0.5};
  CHECK(loss_of(none, random, label) == 0);
  // Logits that are sure of the label have a loss near 0.
  const auto sure_of = [](const Tensor& l, const std::vector<std::vector<int>>& values) {
    std::vector<double> out;
    for (double v : l.values())
      for (const auto& of : values) out.push_back(std::find(of.begin(), of.end(), int(v)) != of.end() ? 20 : -20);
    return Tensor::from(out, {1, 4, 6, 5, int64_t(values.size())});
  };
  const Tensor sure = sure_of(label, {{0}, {1}, {2}});
  CHECK(loss_of(some, sure, label) < 1e-4);
  CHECK(loss_of(some, random, label) > 0.1);
  CHECK(close(loss_of({.centreline_weight = 0.5}, random, label), loss_of({}, random, label) + loss_of(some, random, label), 1e-5));

  SegmentationOptions regions = some;
  regions.map.regions = {{.name = "whole", .values = {1, 2}, .written = 1}, {.name = "core", .values = {2}, .written = 2}};
  CHECK(loss_of(regions, sure_of(label, {{1, 2}, {2}}), label) < 1e-4);
  CHECK(loss_of(regions, sure_of(label, {{2}, {2}}), label) > 0.01);

  SegmentationOptions ignoring = some;
  ignoring.map.ignore = 9;
  const Tensor partly = bars(9);
  CHECK(loss_of(ignoring, sure_of(partly, {{0, 9}, {1}, {2}}), partly) == loss_of(ignoring, sure_of(partly, {{0}, {1, 9}, {2}}), partly));
}
