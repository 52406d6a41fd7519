#include "data/preprocess.h"

#include <cmath>

#include "tests/catch.h"

using namespace voxgrad;

namespace {

// Five voxels of 1 mm in a row, normalised.
std::vector<double> normalised(const std::vector<double>& voxels, const Normalization& how) {
  ModelDescription d;
  d.channels = {"image"};
  d.normalization = {how};
  const Volume v{Tensor::from(voxels, {1, 1, 5, 1}), {}};
  return preprocess(v, d, "five voxels").image.values();
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::abs(a[i] - b[i]) <= most ? most : std::abs(a[i] - b[i]);
  return most;
}

}  // namespace

TEST_CASE("CT voxels are clipped on both sides, then shifted and scaled by the numbers of the data set") {
  const Normalization ct{.kind = "ct", .mean = 50, .std = 75, .low = -100, .high = 200};
  CHECK(largest_difference(normalised({-2000, -100, 50, 125, 3000}, ct), {-2, -2, 0, 1, 2}) < 1e-6);
}

TEST_CASE("other images are shifted and scaled by their own mean and deviation, or left as they are") {
  // Mean 4, variance (9 + 4 + 1 + 0 + 36) / 5 = 10.
  const double unit = std::sqrt(10);
  CHECK(largest_difference(normalised({1, 2, 3, 4, 10}, {}), {-3 / unit, -2 / unit, -1 / unit, 0, 6 / unit}) < 1e-6);
  CHECK(normalised({7, 7, 7, 7, 7}, {}) == std::vector<double>(5, 0.0));
  CHECK(normalised({1, 2, 3, 4, 10}, {.kind = "none"}) == std::vector<double>{1, 2, 3, 4, 10});
}

TEST_CASE("labels that are resampled keep the border of the volume") {
  const auto resampled = [](const std::vector<double>& voxels, const Shape& from, Int3 to) {
    Geometry g;
    g.canonical = {int(from[0]), int(from[1]), int(from[2])};
    g.box = g.canonical;
    g.working = to;
    return preprocess_label({Tensor::from(voxels, from, DType::u8), {}}, g, 2, "label").values();
  };
  CHECK(resampled(std::vector<double>(12, 1), {2, 3, 2}, {8, 12, 8}) == std::vector<double>(768, 1));
  CHECK(resampled(std::vector<double>(12, 0), {2, 3, 2}, {8, 12, 8}) == std::vector<double>(768, 0));
  // The middle of a voxel pair lies between its halves: three fine voxels nearer to the first coarse one, three nearer to the second.
  CHECK(resampled({1, 0}, {1, 1, 2}, {1, 1, 6}) == std::vector<double>{1, 1, 1, 0, 0, 0});
  CHECK(resampled({0, 1}, {1, 1, 2}, {1, 1, 6}) == std::vector<double>{0, 0, 0, 1, 1, 1});
}
