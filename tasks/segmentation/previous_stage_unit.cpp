#include "tasks/segmentation/previous_stage.h"

#include "data/cascade/previous_stage.h"
#include "tasks/segmentation/segmentation.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {
Tensor random_mask(const Shape& s, double share, uint64_t seed) {
  const Tensor t = Tensor::empty(s, DType::u8);
  Rng rng(seed);
  for (uint8_t& v : t.mutable_data<uint8_t>()) v = rng.coin(share);
  return t;
}

// Whether a voxel within the radius has the value.
std::vector<double> any_within(const Tensor& mask, double radius, double value) {
  const std::vector<double> x = mask.values();
  const int64_t size[3] = {mask.dim(0), mask.dim(1), mask.dim(2)};
  std::vector<double> out;
  for (int64_t d = 0; d < size[0]; ++d)
    for (int64_t h = 0; h < size[1]; ++h)
      for (int64_t w = 0; w < size[2]; ++w) {
        bool any = false;
        for (int64_t v = 0; v < mask.count(); ++v) {
          const double a = double(v / (size[1] * size[2]) - d), b = double(v / size[2] % size[1] - h), c = double(v % size[2] - w);
          any = any || (x[size_t(v)] == value && a * a + b * b + c * c <= radius * radius);
        }
        out.push_back(any);
      }
  return out;
}
}  // namespace

TEST_CASE("masks are dilated and eroded by balls") {
  const Tensor mask = random_mask({5, 6, 7}, 0.1, 1), full = random_mask({5, 6, 7}, 0.9, 2);
  for (double radius : {1., 2., 3.}) {
    CHECK(apply_ball(mask, BallOperator::dilate, radius).values() == any_within(mask, radius, 1));
    std::vector<double> eroded = any_within(full, radius, 0);
    for (double& v : eroded) v = 1 - v;
    CHECK(apply_ball(full, BallOperator::erode, radius).values() == eroded);
    CHECK(apply_ball(full, BallOperator::open, radius).values() ==
          apply_ball(apply_ball(full, BallOperator::erode, radius), BallOperator::dilate, radius).values());
    CHECK(apply_ball(mask, BallOperator::close, radius).values() ==
          apply_ball(apply_ball(mask, BallOperator::dilate, radius), BallOperator::erode, radius).values());
  }
  CHECK(apply_ball(Tensor::zeros({2, 2, 2}, DType::u8), BallOperator::dilate, 3).values() == std::vector<double>(8, 0));
}

TEST_CASE("masks of a first stage are changed at random, and a voxel keeps one label at the most") {
  const Tensor labels = Tensor::zeros({1, 6, 8, 10}, DType::u8);
  for (int64_t i = 0; i < labels.count(); ++i) labels.mutable_data<uint8_t>()[size_t(i)] = uint8_t(i % 10 < 3 ? 1 : i % 10 < 5 ? 2 : 0);
  const auto changed = [&](const PreviousChanges& c, uint64_t seed) {
    const Tensor x = one_hot(labels, {1, 2});
    change_previous(x, c, Rng(seed));
    return x.values();
  };
  const std::vector<double> before = one_hot(labels, {1, 2}).values();
  int kept = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<double> x = changed({.operators = 1, .radius = 2, .removal = 0}, seed);
    CHECK(x == changed({.operators = 1, .radius = 2, .removal = 0}, seed));
    kept += x == before;
    for (size_t v = 0; v < x.size(); v += 2) CHECK(x[v] + x[v + 1] <= 1);
    CHECK(changed({.operators = 0, .removal = 0}, seed) == before);
  }
  CHECK(kept < 16);  // a quarter draws no label; some operations change nothing
}

TEST_CASE("small connected parts of a label are left out") {
  // Label 1 has parts of one and of two voxels, label 2 half of the volume.
  const Tensor labels = Tensor::from({1, 0, 1, 1, 0, 2, 2, 2, 2, 2}, {1, 1, 1, 10}, DType::u8);
  bool one = false, two = false;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Tensor x = one_hot(labels, {1, 2});
    change_previous(x, {.operators = 0, .removal = 1, .largest = 0.3}, Rng(seed));
    const std::vector<double> y = x.values();
    for (size_t v = 5; v < 10; ++v) CHECK(y[2 * v + 1] == 1);
    CHECK(y[4] == y[6]);
    CHECK(y[0] + y[4] >= 1);
    one = one || y[0] == 0;
    two = two || y[4] == 0;
  }
  CHECK(one);
  CHECK(two);
}

TEST_CASE("the batches of a second stage have the channels of the mask behind those of the image") {
  SegmentationOptions o;
  o.previous_labels = {1, 3};
  o.previous = {.operators = 0, .removal = 0};
  const Tensor mask = Tensor::from({3, 0, 1}, {1, 1, 1, 3}, DType::u8);
  const Batch batch{Tensor::from({5, 6, 7}, {1, 1, 1, 3, 1}), {{kPreviousStage, DataKind::labels, mask}}};
  CHECK(Segmentation(o).prepare(batch, Rng(1)).image.values() == std::vector<double>{5, 0, 1, 6, 0, 0, 7, 1, 0});
  // In training the mask is changed at random: label 1 loses its one voxel in half of the draws.
  o.previous = {.operators = 0, .removal = 1, .largest = 1};
  int lost = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) lost += Segmentation(o).prepare(batch, Rng(seed)).image.values()[7] == 0;
  CHECK((lost > 0 && lost < 20));
  CHECK(Segmentation(SegmentationOptions{}).prepare(batch, Rng(1)).image.values() == std::vector<double>{5, 6, 7});
}
