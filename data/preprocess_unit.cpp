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

TEST_CASE("the nearest label of a voxel, and the box of what is above 0") {
  Geometry g;
  g.working = {1, 1, 3};
  g.box = {1, 1, 5};
  g.resampling = "centres";
  g.file_spacing = {1, 1, 1};
  g.spacing = {1, 1, 2};
  const Tensor labels = Tensor::from({7, 8, 9}, {1, 1, 3}, DType::u8);
  CHECK(nearest_at_file_spacing(labels, g).values() == std::vector<double>{7, 7, 8, 9, 9});  // 0.5 and 1.5 lie in the middle
  g.spacing = {1, 1, 1.8};
  CHECK(nearest_at_file_spacing(labels, g).values() == std::vector<double>{7, 8, 8, 9, 9});

  const Tensor image = Tensor::from({-1, 0, 2, 0, 1, -3}, {1, 1, 6, 1});
  CHECK(box_of_nonzero(image) == std::pair(Int3{0, 0, 0}, Int3{1, 1, 6}));
  CHECK(box_of_nonzero(image, true) == std::pair(Int3{0, 0, 2}, Int3{1, 1, 3}));
}

TEST_CASE("a volume within a thousandth of the network's spacing is not resampled where MONAI would not") {
  Volume v{Tensor::zeros({4, 4, 8, 1}), Affine::scaling({1, 1.5, 1.0009})};
  ModelDescription d{.patch = {8, 8, 8}, .normalization = {{.kind = "none"}}, .channels = {"a"}, .resampling = "centres"};
  const Geometry g = preprocess(v, d, "v").geometry;
  CHECK(g.working == Int3{4, 6, 8});  // (4 - 1) 1.5 + 1 = 5.5, to even
  CHECK(g.spacing == Vec3{1, 1, 1.0009});
}
