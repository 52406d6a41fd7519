#include "data/resample/resample_nnunet.h"

#include "data/normalize.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {
const std::vector<float> kValues = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};
Tensor volume() { return Tensor::from(kValues, {2, 2, 3, 1}); }
double worst(const Tensor& y, const std::vector<double>& wanted) {
  const std::vector<double> v = y.values();
  REQUIRE(v.size() == wanted.size());
  double out = 0;
  for (size_t i = 0; i < v.size(); ++i) out = std::max(out, std::abs(v[i] - wanted[i]));
  return out;
}
}  // namespace

// From resample_data_or_seg_to_shape of nnunetv2 2.8.1 with SciPy 1.17.
TEST_CASE("volumes are resampled as nnU-Net does") {
  CHECK(worst(resample_nnunet(volume(), {3, 2, 5}, {.from = {1, 1, 1}, .to = {0.6, 1, 0.6}, .order = 3}),
              {3.36742, 1.85270, 1.00000, 2.44691, 4.26638, 1.00000, 2.08635, 5.00000, 7.87251, 9.00000,
               2.43662, 2.79711, 3.50000, 4.20289, 4.56338, 1.82145, 2.84866, 5.00000, 7.41746, 8.73345,
               1.50582, 3.74151, 6.38654, 5.95887, 4.86039, 3.06264, 3.61098, 5.00000, 6.96242, 8.13294}) < 2e-5);
  CHECK(worst(resample_nnunet(volume(), {3, 2, 5}, {.from = {4, 1, 1}, .to = {4, 1, 0.6}, .order = 3}),
              {3.24277, 1.97917, 1.00000, 2.68206, 4.30615, 1.00000, 2.18843, 5.00000, 7.81157, 9.00000,
               2.00000, 3.61505, 6.00000, 5.72372, 4.82061, 2.89643, 3.50889, 5.00000, 7.02335, 8.00000,
               2.00000, 3.61505, 6.00000, 5.72372, 4.82061, 2.89643, 3.50889, 5.00000, 7.02335, 8.00000}) < 2e-5);
  CHECK(worst(resample_nnunet(volume(), {3, 2, 5}, {.from = {1, 1, 1}, .to = {0.6, 1, 0.6}, .order = 1}),
              {3.00000, 2.20000, 1.00000, 2.80000, 4.00000, 1.00000, 2.60000, 5.00000, 7.40000, 9.00000,
               2.50000, 2.90000, 3.50000, 4.10000, 4.50000, 2.00000, 3.20000, 5.00000, 7.10000, 8.50000,
               2.00000, 3.60000, 6.00000, 5.40000, 5.00000, 3.00000, 3.80000, 5.00000, 6.80000, 8.00000}) < 2e-5);
}

TEST_CASE("the box of what is not zero, and what it encloses") {
  const Tensor x = Tensor::zeros({1, 5, 6, 1});
  const auto at = [&](int h, int w) -> float& { return x.mutable_data<float>()[size_t(h * 6 + w)]; };
  for (int h = 1; h <= 3; ++h)
    for (int w = 2; w <= 4; ++w) at(h, w) = h == 2 && w == 3 ? 0.f : 2.f;
  const auto [begin, size] = box_of_nonzero(x);
  CHECK(begin == Int3{0, 1, 2});
  CHECK(size == Int3{1, 3, 3});
  CHECK(box_of_nonzero(Tensor::zeros({2, 3, 4, 1})).second == Int3{2, 3, 4});
  // In a volume of one slice every voxel is at the border along D; in the middle of three it is enclosed.
  const Tensor thick = Tensor::zeros({3, 3, 3, 1});
  for (float& v : thick.mutable_data<float>()) v = 2;
  thick.mutable_data<float>()[13] = 0;
  thick.mutable_data<float>()[0] = 0;
  const auto mask = foreground_of(thick);
  CHECK(mask[13] == 1);
  CHECK(mask[0] == 0);
}

TEST_CASE("normalisation by kinds: within the mask, to 0 .. 1, by quantiles") {
  const auto normalized = [](const Normalization& n, const std::vector<float>& v) {
    const Tensor x = Tensor::from(v, {1, 1, int64_t(v.size()), 1});
    normalize(x, {n});
    return x.values();
  };
  CHECK(normalized({.kind = "zscore", .mask = true}, {0, 2, 4, 0}) == std::vector<double>{0, -1, 1, 0});
  CHECK(normalized({.kind = "rescale_to_0_1"}, {2, 4, 3}) == std::vector<double>{0, 1, 0.5});
  CHECK(normalized({.kind = "rgb_to_0_1"}, {0, 255}) == std::vector<double>{0, 1});
  CHECK(normalized({.kind = "quantiles", .low = 0.25, .high = 0.75}, {0, 1, 2, 3, 4}) == std::vector<double>{0, 0, 0.5, 1, 1});
}
