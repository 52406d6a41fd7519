#include <cmath>

#include "augment/sample.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"
#include "tasks/restoration/degradation.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {

// A disc of 1/2 with a smooth rim, in a slice of 0.
Tensor soft_disc(int64_t depth, int64_t side) {
  std::vector<double> v;
  for (int64_t i = 0; i < depth * side * side; ++i) {
    const double y = double(i / side % side) - double(side - 1) / 2, x = double(i % side) - double(side - 1) / 2;
    v.push_back(0.25 * (1 + std::tanh(double(side) / 3 - std::hypot(x, y))));
  }
  return Tensor::from(v, {depth, side, side, 1});
}

Tensor worse_in_mm(const Tensor& image, const std::string& kind, double s, const Vec3& spacing) {
  return degraded(image, {{.kind = kind, .strength = {s, s}}}, Rng(1), spacing);
}
Tensor worse(const Tensor& image, const std::string& kind, double s, const std::vector<int>& axes = {0, 1, 2}, uint64_t seed = 1) {
  return degraded(image, {{.kind = kind, .strength = {s, s}, .axes = axes}}, Rng(seed));
}

double rms(const Tensor& a, const Tensor& b) { return std::sqrt(mean(square(a - b)).item()); }

}  // namespace

TEST_CASE("every degradation is a function of its arguments and leaves the image as it was") {
  const Tensor image = soft_disc(2, 20), before = image.clone();
  for (const DegradationEntry& e : degradation_registry().entries()) {
    CAPTURE(e.name);
    CHECK(!e.summary.empty());
    const double s = std::max(1.0, e.least);
    const Tensor a = worse(image, e.name, s), b = worse(image, e.name, s);
    CHECK(a.shape() == image.shape());
    CHECK(a.values() == b.values());
    CHECK(image.values() == before.values());
    CHECK(std::isfinite(mean(a).item()));
  }
  CHECK(degradation_registry().names().size() >= 12);
}

TEST_CASE("lines of k-space that are lost leave what is measured") {
  const Tensor image = soft_disc(2, 24);
  CHECK(rms(worse(image, "k_space_loss", 1), image) < 2e-3);  // fastMRI's masks leave out the last column
  const double two = rms(worse(image, "k_space_loss", 2), image), six = rms(worse(image, "k_space_loss", 6), image);
  CHECK(two > 0.01);
  CHECK(six > two);
  // The middle of k-space, and so the sum of each slice, is measured: magnitudes are no less than that.
  CHECK(mean(worse(image, "k_space_loss", 6)).item() > mean(image).item() - 1e-5);
}

TEST_CASE("motion changes lines of k-space that were measured in another pose") {
  const Tensor image = soft_disc(1, 24);
  CHECK(rms(worse(image, "motion", 0), image) < 1e-5);
  CHECK(rms(worse(image, "motion", 3, {0}), image) < 1e-5);  // across a single slice
  double most = 0;
  for (uint64_t seed = 1; seed < 5; ++seed) most = std::max(most, rms(worse(image, "motion", 3, {1, 2}, seed), image));
  CHECK(most > 0.005);
}

TEST_CASE("a bias field as a degradation leaves the middle and is bounded") {
  const Tensor image = soft_disc(3, 21), y = worse(image, "bias_field", 0.2);
  const size_t middle = size_t((1 * 21 + 10) * 21 + 10);
  CHECK(close(y.data<float>()[middle], image.data<float>()[middle], 1e-5));
  CHECK(rms(y, image) > 0.005);
  for (size_t i = 0; i < size_t(image.count()); ++i)
    CHECK(y.data<float>()[i] <= std::max(1e-3f, image.data<float>()[i]) * std::exp(0.2f * 19));
  CHECK(rms(worse(image, "bias_field", 0), image) < 1e-6);
}

TEST_CASE("sparse views are filtered back-projections, better with more of them") {
  const Tensor image = soft_disc(1, 32);
  const double many = rms(worse(image, "sparse_views", 120), image), few = rms(worse(image, "sparse_views", 6), image);
  CHECK(many < 0.02);
  CHECK(few > 3 * many);
}

TEST_CASE("the noise of a low dose falls with the root of the photons, and nothing else changes") {
  const Tensor image = soft_disc(2, 32);
  const double low = rms(worse(image, "low_dose", 1e4), image), high = rms(worse(image, "low_dose", 4e4), image);
  CHECK(std::abs(low / high - 2) < 0.3);
  CHECK(rms(worse(image, "low_dose", 1e9), image) < low / 100);
  CHECK(std::abs(mean(worse(image, "low_dose", 1e4) - image).item()) < low / 5);
}

TEST_CASE("metal is bright and casts streaks beyond itself") {
  const Tensor image = soft_disc(1, 32), y = worse(image, "metal", 2);
  const float high = 0.5f + 0.5f;
  int64_t bright = 0, streaks = 0;
  for (size_t i = 0; i < size_t(image.count()); ++i) {
    bright += y.data<float>()[i] > high - 1e-2f;
    streaks += std::abs(y.data<float>()[i] - image.data<float>()[i]) > 0.02f;
  }
  CHECK(bright >= 9);
  CHECK(streaks > 4 * bright);
  CHECK(max(y).item() <= high + 1e-3);
}

TEST_CASE("a dose is one of millimetres: what absorbs is the way through the body, whatever the voxels") {
  const Tensor image = soft_disc(1, 32), empty = Tensor::zeros({1, 32, 32, 1});
  const auto noise = [](const Tensor& x, const Vec3& mm) { return worse_in_mm(x, "low_dose", 1e4, mm) - x; };
  // The same integrals along rays, so the same photons; the density that they stand for is seen in voxels twice as wide.
  CHECK(rms(noise(image, {5, 2, 2}) * 2, noise(image * 2, {1, 1, 1})) < 1e-4);
  CHECK(rms(noise(image, {5, 2, 2}) * 2, noise(image, {1, 1, 1})) > 1e-3);
  CHECK(rms(noise(empty, {1, 0.5, 0.5}), noise(empty, {1, 1, 1}) * 2) < 1e-4);
}

TEST_CASE("slices of voxels that are longer along one axis are seen by rays as they are in space") {
  const Tensor image = soft_disc(1, 48);
  const auto pairs_of = [](const Tensor& x) { return mean(x.reshape({1, 48, 24, 2, 1}), {3}).reshape({1, 48, 24, 1}); };
  const Tensor flat = pairs_of(image);
  CHECK(rms(worse_in_mm(flat, "sparse_views", 120, {1, 1, 2}), flat) < 0.03);
  const Tensor streaks = pairs_of(worse(image, "sparse_views", 12) - image);
  const Tensor right = worse_in_mm(flat, "sparse_views", 12, {1, 1, 2}) - flat, wrong = worse(flat, "sparse_views", 12) - flat;
  CHECK(rms(streaks, right) < 0.5 * rms(streaks, streaks * 0));
  CHECK(rms(streaks, wrong) > rms(streaks, streaks * 0));
  CHECK_THROWS_WITH(worse_in_mm(flat, "sparse_views", 12, {1, 1e-4, 2}), Catch::Matchers::Contains("columns of a detector"));
}

TEST_CASE("metal has a size in millimetres") {
  const Tensor image = soft_disc(3, 32);
  const auto bright = [&](const Vec3& mm) {
    int64_t count = 0;
    const Tensor worse = worse_in_mm(image, "metal", 2, mm);
    for (const float v : worse.data<float>()) count += v > 0.99f;
    return count;
  };
  const int64_t thick = bright({9, 1, 1}), fine = bright({9, 0.5, 0.5});
  CHECK(thick >= 9);
  CHECK(2 * fine > 3 * thick);
  CHECK(bright({1, 1, 1}) > thick);  // reaches into the slices above and below
}
