#include <algorithm>

#include "tests/sample_helpers.h"

using namespace voxgrad;

TEST_CASE("contrast that is drawn keeps the range of the image") {
  Augmentation o = only({"contrast"});
  const Sample s = random_sample({6, 6, 6}, 1, 5);
  const auto before = s.image().values();
  const auto [low, high] = std::minmax_element(before.begin(), before.end());
  int changed = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Tensor image = augment(s, o, Rng(seed)).image();
    const auto after = image.values();
    CHECK(*std::min_element(after.begin(), after.end()) >= *low);
    CHECK(*std::max_element(after.begin(), after.end()) <= *high);
    changed += !same(image, s.image());
  }
  CHECK(changed == 50);
}

TEST_CASE("patches are mirrored half the time on each axis, image and label alike") {
  Augmentation o;
  o.order = {"mirror"};
  const Sample s = random_sample({4, 5, 6}, 2, 6);
  constexpr int kTimes = 800;
  int of_each[8] = {};
  for (uint64_t seed = 0; seed < kTimes; ++seed) {
    const Sample patch = augmented_patch(s, {.centre = {1.5, 2, 2.5}, .size = {4, 5, 6}}, o, Rng(seed));
    int found = 0;
    for (int axes = 0; axes < 8; ++axes) {
      const Sample wanted = mirror(s, {(axes & 4) != 0, (axes & 2) != 0, (axes & 1) != 0});
      if (!same(patch.image(), wanted.image()) || !same(patch.at("label"), wanted.at("label"))) continue;
      ++of_each[axes];
      ++found;
    }
    CHECK(found == 1);
  }
  // A binomial of 800 and 1/8, within five deviations.
  for (int n : of_each) CHECK(std::abs(n - kTimes / 8) < 5 * std::sqrt(kTimes * 0.125 * 0.875));
}
