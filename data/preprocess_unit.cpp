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

TEST_CASE("labels of thick slices come from the nearest slice where images do, and within slices from most of their surroundings") {
  // Slices of 5 mm to 2.5 mm; rows of 1 mm to 2 mm, of which each lies between two.
  Geometry g;
  g.canonical = g.box = {2, 1, 4};
  g.file_spacing = {5, 1, 1};
  g.spacing = {2.5, 1, 2};
  g.working = {4, 1, 2};
  g.resampling = "nnunet";
  const Volume label{Tensor::from({1, 1, 0, 2, 0, 0, 3, 3}, {2, 1, 4}, DType::u8), Affine::scaling({5, 1, 1})};
  g.affine = label.affine;
  const auto resampled = [&] { return preprocess_label(label, g, 4, "label").values(); };
  CHECK(resampled() == std::vector<double>{1, 2, 1, 2, 0, 3, 0, 3});
  // Half of 1 and half of 2, of which 2 is taken: the next slice, all of 1, has no say.
  const Volume mixed{Tensor::from({1, 2, 0, 0, 1, 1, 0, 0}, {2, 1, 4}, DType::u8), label.affine};
  CHECK(preprocess_label(mixed, g, 4, "label").values() == std::vector<double>{2, 0, 2, 0, 1, 0, 1, 0});
  // Voxels that are not thick are interpolated along all axes: the inner slices lie at a quarter of the way.
  g.file_spacing[0] = 2;
  g.spacing[0] = 1;
  const std::vector<double> thin = resampled();
  CHECK(std::vector<double>(thin.begin(), thin.begin() + 2) == std::vector<double>{1, 2});
  CHECK(std::vector<double>(thin.begin() + 2, thin.begin() + 4) == std::vector<double>{1, 2});  // as much as 0, and nearer than that
  CHECK(std::vector<double>(thin.begin() + 6, thin.end()) == std::vector<double>{0, 3});
}

TEST_CASE("labels are resampled as nnU-Net 2.8 does: values by its resample_data_or_seg_to_shape, order 1, thick slices by themselves") {
  struct Row {
    Int3 from, to;
    Vec3 file_spacing, spacing;
    std::string labels, wanted;
  };
  const std::vector<Row> rows = {
      {{4, 5, 6}, {7, 4, 9}, {1, 1, 1}, {4. / 7, 5. / 4, 6. / 9},
       "201000112112120001202122220121021120201010211200200120100112111112000000220112011010220020002200111001001100020000000022",
       "200110000111201112220201222222011221200110000111110112220011222220011221022111200220110100220011200100011122011111120200"
       "000000221111100220001120111111112000000000021100110222000200000222000000110000002000000000000222000222000111110001002000"
       "000000000222"},
      {{4, 6, 6}, {8, 3, 9}, {6, 1, 1}, {3, 2, 2. / 3},
       "131201232330212033113000003130000203012201033121101203001200200202100123030301013230321013313032311100030320123000322331"
       "010123101301100213121222",
       "233223300111300000000022033233223300111300000000022033003322211000122000100002223003322211000122000100002223003333300331"
       "100332031113200003333300331100332031113200322233301100113011110022222322233301100113011110022222"},
      {{5, 4, 4}, {5, 8, 2}, {1, 1, 1}, {1, 0.5, 2},
       "24311441424024130423042322020232342422434044014242403421130103132431303042123224",
       "41414141202043434343434322222222444423230404121220204141313133334141000022222424"},
  };
  for (const Row& r : rows) {
    Geometry g;
    g.canonical = g.box = r.from;
    g.working = r.to;
    g.file_spacing = r.file_spacing;
    g.spacing = r.spacing;
    g.resampling = "nnunet";
    g.affine = Affine::scaling(r.file_spacing);
    std::vector<double> labels;
    for (char c : r.labels) labels.push_back(c - '0');
    std::string got;
    for (double v : preprocess_label({Tensor::from(labels, {r.from.d, r.from.h, r.from.w}, DType::u8), g.affine}, g, 5, "label").values())
      got += char('0' + int(v));
    CHECK(got == r.wanted);
  }
}
