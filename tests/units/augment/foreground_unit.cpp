#include "augment/foreground.h"

#include <algorithm>
#include <map>

#include "tests/sample_helpers.h"

using namespace voxgrad;

TEST_CASE("foreground: locations are complete or a large enough sample, and centres fall on them evenly") {
  Tensor label = Tensor::zeros({20, 30, 40}, DType::u8);
  auto l = label.mutable_data<uint8_t>();
  for (int64_t i = 0; i < 50; ++i) l[size_t(1000 + 7 * i)] = 1;
  for (int64_t i = 12000; i < 24000; ++i) l[size_t(i)] = 4;
  l[0] = 255;
  const ForegroundIndex index = find_foreground(label, Rng(1), {.keep = 100, .keep_fraction = 0.05});
  REQUIRE(index.classes.size() == 2);
  CHECK(index.classes[0].label == 1);
  CHECK(index.classes[0].voxels.size() == 50);
  CHECK(index.classes[1].label == 4);
  REQUIRE(index.classes[1].voxels.size() == 600);  // 5 % of 12000
  for (const auto& c : index.classes) {
    CHECK(std::is_sorted(c.voxels.begin(), c.voxels.end()));
    for (int64_t v : c.voxels) CHECK(l[size_t(v)] == c.label);
  }
  double mean = 0;
  for (int64_t v : index.classes[1].voxels) mean += double(v) / 600;
  CHECK(std::abs(mean - 18000) < 5 * 12000 / std::sqrt(12.0 * 600));
  CHECK(find_foreground(label, Rng(1), {.keep = 100, .keep_fraction = 0.05}).classes[1].voxels == index.classes[1].voxels);
  CHECK(find_foreground(label, Rng(2), {.keep = 100, .keep_fraction = 0.05}).classes[1].voxels != index.classes[1].voxels);

  const Sample v = sample_of(Tensor::zeros({20, 30, 40, 1}), label);
  int rare = 0;
  for (uint64_t k = 0; k < 400; ++k) {
    const Int3 patch{7, 8, 9};
    const Double3 c = foreground_centre(index, patch, Rng(k));
    for (int a = 0; a < 3; ++a) {
      const double start = c[size_t(a)] - (patch[a] - 1) / 2.0;
      CHECK((start == std::floor(start) && start >= 0 && start + patch[a] <= index.size[a]));
    }
    const auto labels = extract_patch(v, {.centre = c}, patch).at("label").values();
    const bool has1 = std::count(labels.begin(), labels.end(), 1.0) > 0, has4 = std::count(labels.begin(), labels.end(), 4.0) > 0;
    CHECK((has1 || has4));
    rare += has1;
  }
  CHECK(std::abs(rare - 200) < 60);  // half of them, although the class has 0.4 % of the voxels

  // Patches larger than the volume have it in their middle; every start is reached otherwise.
  CHECK(random_centre({10, 10, 10}, {16, 13, 10}, Rng(0)) == Double3{-3 + 7.5, -1 + 6.0, 4.5});
  std::map<double, int> starts;
  for (uint64_t k = 0; k < 300; ++k) ++starts[random_centre({10, 1, 1}, {7, 1, 1}, Rng(k))[0]];
  CHECK((starts.size() == 4 && starts.begin()->first == 3 && starts.rbegin()->first == 6));
  const ForegroundIndex empty = find_foreground(Tensor::zeros({9, 9, 9}, DType::u8), Rng(1));
  CHECK(empty.classes.empty());
  CHECK(foreground_centre(empty, {3, 3, 3}, Rng(5)) == random_centre({9, 9, 9}, {3, 3, 3}, Rng(5)));
}
