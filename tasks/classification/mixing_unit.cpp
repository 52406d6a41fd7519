#include "tasks/classification/mixing.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "tasks/classification/class_losses.h"
#include "tasks/classification/classification.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {

// Image n is n + 1 throughout, and of the class n.
Batch constants(int64_t n, const Int3& size) {
  std::vector<double> values, classes;
  for (int64_t i = 0; i < n; ++i) {
    values.insert(values.end(), size_t(size.d) * size_t(size.h) * size_t(size.w), double(i + 1));
    classes.push_back(double(i));
  }
  return {Tensor::from(values, {n, size.d, size.h, size.w, 1}), {{"class", DataKind::values, Tensor::from(classes, {n, 1}, DType::i32)}}};
}

}  // namespace

TEST_CASE("a number of Beta(a, a) has the mean 1/2 and the variance 1 / (8 a + 4)") {
  for (double a : {0.2, 1.0, 3.0}) {
    Rng rng(5);
    double sum = 0, squares = 0;
    const int n = 4000;
    for (int i = 0; i < n; ++i) {
      const double x = draw_beta(a, rng) - 0.5;
      sum += x, squares += x * x;
    }
    const double variance = 1 / (8 * a + 4);
    CHECK(std::abs(sum / n) < 4 * std::sqrt(variance / n));
    CHECK(std::abs(squares / n - variance) < 0.06 * variance);  // its deviation is below 1.5 %
  }
}

TEST_CASE("mixup averages each image with its partner, and the batch says whose and how much") {
  const Batch batch = constants(5, {1, 2, 2});
  const Batch out = mixed(batch, {.mixup = 1}, Rng(1));
  const double share = out.at("share").item();
  const std::vector<double> partner = out.at("class_mixed").values(), x = out.image.values();
  CHECK(share > 0);
  CHECK(std::set<double>(partner.begin(), partner.end()).size() == 5);
  for (size_t n = 0; n < 5; ++n)
    for (size_t v = 0; v < 4; ++v) CHECK(close(x[4 * n + v], share * double(n + 1) + (1 - share) * (partner[n] + 1), 1e-5));
  CHECK(out.at("class").values() == batch.at("class").values());
  CHECK(mixed(batch, {.mixup = 1}, Rng(1)).image.values() == x);
  CHECK(mixed(batch, {.mixup = 1}, Rng(2)).at("share").item() != share);
  CHECK(!mixed(batch, {}, Rng(1)).find("share"));
}

TEST_CASE("CutMix puts one box of the partner into each image, and the share is what is left") {
  const Int3 size = {6, 5, 4};
  for (uint64_t seed = 1; seed < 20; ++seed) {
    const Batch out = mixed(constants(4, size), {.cutmix = 1}, Rng(seed));
    const std::vector<double> partner = out.at("class_mixed").values(), x = out.image.values();
    std::set<std::vector<bool>> boxes;
    for (size_t n = 0; n < 4; ++n) {
      if (partner[n] == double(n)) continue;
      std::vector<bool> inside;
      for (size_t v = 0; v < 120; ++v) {
        CHECK((x[120 * n + v] == double(n + 1) || x[120 * n + v] == partner[n] + 1));
        inside.push_back(x[120 * n + v] == partner[n] + 1);
      }
      boxes.insert(inside);
      CHECK(close(out.at("share").item(), 1 - double(std::count(inside.begin(), inside.end(), true)) / 120, 1e-6));
    }
    CHECK(boxes.size() <= 1);
  }
}

TEST_CASE("the loss of mixed cases is that of both classes by their shares") {
  const Tensor z = Tensor::from({0.3, -1.2, 0.8, 1.5, 0.4, -0.7}, {2, 3});
  const Tensor own = Tensor::from({2, 0}, {2, 1}, DType::i32), other = Tensor::from({1, 1}, {2, 1}, DType::i32);
  const Batch batch = {Tensor::zeros({2, 1, 1, 1, 1}),
                       {{"class", DataKind::values, own},
                        {"class_mixed", DataKind::values, other},
                        {"share", DataKind::values, Tensor::from({0.25}, {1})}}};
  const double wanted = 0.25 * classification_loss(z, own, {}).item() + 0.75 * classification_loss(z, other, {}).item();
  CHECK(close(Classification({}).loss({z}, batch).item(), wanted, 1e-6));
}

TEST_CASE("training sees the middle of an image, shifted by whole voxels where that is asked for") {
  Case c;
  c.places.size = {1, 10, 7};
  const Int3 patch = {1, 4, 8};
  // Begins at 3 of 10, and at 0, one voxel beyond 7.
  CHECK(Classification({.image = {.shift = 0}}).centre(c, patch, false, Rng(1)) == Double3{0, 4.5, 3.5});
  std::set<double> places;
  for (uint64_t i = 0; i < 100; ++i) {
    const Double3 at = Classification({.image = {.shift = 0.5}}).centre(c, patch, false, Rng(i));
    CHECK(at[0] == 0);
    places.insert(at[1]);
  }
  CHECK(places == std::set<double>{2.5, 3.5, 4.5, 5.5, 6.5});
}
