#include <cmath>
#include <limits>

#include "core/config/json_values.h"
#include "core/device/parallel.h"
#include "core/rng.h"
#include "tests/catch.h"
#include "tasks/segmentation/metrics.h"

using namespace voxgrad;

namespace {

// Random blobs: voxels are of class 1 + (i % 2) where a product of sines is high; `shift` moves them.
Tensor blobs(const Shape& s, double shift) {
  const Tensor t = Tensor::zeros(s, DType::u8);
  uint8_t* p = t.view().as<uint8_t>();
  for (int64_t d = 0; d < s[0]; ++d)
    for (int64_t h = 0; h < s[1]; ++h)
      for (int64_t w = 0; w < s[2]; ++w) {
        const double v = std::sin(0.5 * double(d) + shift) + std::sin(0.4 * double(h) - shift) + std::sin(0.3 * double(w) + 1);
        p[(d * s[1] + h) * s[2] + w] = v > 1.5 ? 2 : v > 0.8 ? 1 : 0;
      }
  return t;
}

double brute_distance(const Tensor& mask, const Spacing& spacing, int64_t d, int64_t h, int64_t w) {
  const Shape s = mask.shape();
  const uint8_t* p = mask.view().as<uint8_t>();
  double best = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < s[0]; ++i)
    for (int64_t j = 0; j < s[1]; ++j)
      for (int64_t k = 0; k < s[2]; ++k) {
        if (!p[(i * s[1] + j) * s[2] + k]) continue;
        const double a = double(i - d) * spacing[0], b = double(j - h) * spacing[1], c = double(k - w) * spacing[2];
        best = std::min(best, a * a + b * b + c * c);
      }
  return std::sqrt(best);
}

}  // namespace

TEST_CASE("confusion counts and the ratios follow their definitions, NaN for 0 / 0") {
  const Tensor prediction = Tensor::from({0, 1, 1, 1, 0, 0, 2, 0}, {1, 2, 4}, DType::u8);
  const Tensor reference = Tensor::from({0, 1, 1, 0, 1, 0, 0, 0}, {1, 2, 4}, DType::u8);
  const auto c = confusion(prediction, reference, 4);
  CHECK(c[0] == Confusion{.tp = 3, .fp = 1, .fn = 2, .tn = 2});
  CHECK(c[1] == Confusion{.tp = 2, .fp = 1, .fn = 1, .tn = 4});
  CHECK(c[2] == Confusion{.tp = 0, .fp = 1, .fn = 0, .tn = 7});
  CHECK(c[3] == Confusion{.tp = 0, .fp = 0, .fn = 0, .tn = 8});
  CHECK(c[1].dice() == 4.0 / 6);
  CHECK(c[1].iou() == 2.0 / 4);
  CHECK(c[1].precision() == 2.0 / 3);
  CHECK(c[2].dice() == 0);
  CHECK(c[2].precision() == 0);
  CHECK(std::isnan(c[2].recall()));
  CHECK(std::isnan(c[3].dice()));
  CHECK(std::isnan(c[3].iou()));
  CHECK(std::isnan(c[3].precision()));
}

TEST_CASE("ignored voxels are not counted, labels outside the classes are an error") {
  const Tensor prediction = Tensor::from({0, 1, 1, 1}, {1, 1, 4}, DType::u8);
  const Tensor reference = Tensor::from({0, 1, 3, 3}, {1, 1, 4}, DType::u8);
  CHECK(confusion(prediction, reference, 2, 3)[1] == Confusion{.tp = 1, .fp = 0, .fn = 0, .tn = 1});
  CHECK_THROWS_WITH(confusion(prediction, reference, 2), Catch::Matchers::Contains("reference") && Catch::Matchers::Contains("label 3"));
  CHECK_THROWS_WITH(confusion(reference, prediction, 2), Catch::Matchers::Contains("prediction") && Catch::Matchers::Contains("label 3"));
  CHECK_THROWS_WITH(confusion(prediction, reference.reshape({4}), 2), Catch::Matchers::Contains("one shape"));
  const auto scores = score(prediction, reference, {1, 1, 1}, {.classes = 2, .ignore_label = 3});
  CHECK(scores[0].hd95_mm == 0);
  CHECK(scores[0].nsd == 1);
}

TEST_CASE("the distance transform is exact for anisotropic spacing") {
  const Shape s = {9, 21, 35};
  const Tensor mask = Tensor::zeros(s, DType::u8);
  Rng rng(7);
  for (int i = 0; i < 12; ++i) mask.view().as<uint8_t>()[rng.below(mask.count())] = 1;
  for (const Spacing& spacing : {Spacing{1, 1, 1}, Spacing{3.3, 0.7, 0.45}, Spacing{0.2, 1.9, 5}}) {
    const Tensor y = distance_transform(mask, spacing);
    double worst = 0;
    for (int64_t d = 0; d < s[0]; ++d)
      for (int64_t h = 0; h < s[1]; ++h)
        for (int64_t w = 0; w < s[2]; ++w) {
          const double want = brute_distance(mask, spacing, d, h, w), got = y.view().as<float>()[(d * s[1] + h) * s[2] + w];
          const double error = std::fabs(got - want) / std::max(want, 0.1);
          if (!(error < worst)) worst = error;
        }
    CHECK(worst < 4 * 0x1p-23);  // two roundings of squares and the root, in f32
  }
  const Tensor far = distance_transform(Tensor::zeros({2, 3, 4}, DType::u8), {1, 1, 1});
  for (double v : far.values()) CHECK(std::isinf(v));
}

TEST_CASE("surface scores agree with distances counted by hand and with scipy") {
  // Two boxes of one voxel's thickness: the second is moved by 3 voxels along W, 2 mm each. All surface distances lie in {0, 2, 4, 6} mm.
  const Tensor a = Tensor::zeros({3, 8, 12}, DType::u8), b = Tensor::zeros({3, 8, 12}, DType::u8);
  for (int64_t h = 2; h < 6; ++h)
    for (int64_t w = 0; w < 5; ++w) {
      a.view().as<uint8_t>()[96 + h * 12 + 2 + w] = 1;
      b.view().as<uint8_t>()[96 + h * 12 + 5 + w] = 1;
    }
  const auto s = score(a, b, {1, 1, 2}, {.classes = 2, .tolerance_mm = 2});
  CHECK(s[0].hd95_mm == 6);  // a fifth of each surface is 6 mm away
  CHECK(s[0].nsd == 0.6);    // columns at 0, 0 and 2 mm of five
  CHECK(s[0].dice == 0.4);
  CHECK(s[0].volume_mm3 == 40);

  // scipy.ndimage: border = mask ^ binary_erosion(mask), distance_transform_edt(sampling), numpy.percentile(95), for blobs(0) and
  // blobs(0.6).
  const auto t = score(blobs({16, 24, 32}, 0), blobs({16, 24, 32}, 0.6), {2.5, 1, 0.8}, {.classes = 3, .tolerance_mm = 1});
  CHECK(t[0].hd95_mm == Approx(2.5612496949731396).epsilon(1e-6));
  CHECK(t[1].hd95_mm == Approx(2.692582403567252).epsilon(1e-6));
  CHECK(t[0].nsd == Approx(0.6679308891698272).epsilon(1e-9));
  CHECK(t[1].nsd == Approx(0.7015706806282722).epsilon(1e-9));
}

TEST_CASE("quantiles of distances are interpolated between order statistics, and the larger direction counts") {
  CHECK(hausdorff_distance({.to_reference = {4, 1, 3, 2}, .to_prediction = {0}}, 0.5) == 2.5);
  CHECK(hausdorff_distance({.to_reference = {0, 0}, .to_prediction = {0, 10, 0, 0, 0}}, 0.95) == Approx(8));
  CHECK(hausdorff_distance({.to_reference = {1, 5}, .to_prediction = {3}}, 1) == 5);
}

TEST_CASE("scores of absent classes: NaN in both, infinite distance in one") {
  const Tensor none = Tensor::zeros({4, 4, 4}, DType::u8), one = none.clone();
  one.view().as<uint8_t>()[21] = 1;
  const auto missed = score(none, one, {1, 1, 1}, {.classes = 3});
  CHECK(missed[0].dice == 0);
  CHECK(std::isinf(missed[0].hd95_mm));
  CHECK(missed[0].nsd == 0);
  CHECK(std::isnan(missed[1].dice));
  CHECK(std::isnan(missed[1].hd95_mm));
  CHECK(std::isnan(missed[1].nsd));
  const auto same = score(one, one, {1, 1, 1}, {.classes = 2});
  CHECK(same[0].hd95_mm == 0);
  CHECK(same[0].nsd == 1);
}

TEST_CASE("scores do not depend on the number of threads") {
  const Tensor a = blobs({16, 24, 32}, 0), b = blobs({16, 24, 32}, 0.9);
  const int before = threads();
  std::vector<ClassScores> results[2];
  for (int n : {1, 3}) {
    set_threads(n);
    results[n == 3] = score(a, b, {1.5, 1, 0.7}, {.classes = 3});
  }
  set_threads(before);
  for (int k = 0; k < 2; ++k) {
    CHECK(results[0][k].counts == results[1][k].counts);
    CHECK(results[0][k].hd95_mm == results[1][k].hd95_mm);
    CHECK(results[0][k].nsd == results[1][k].nsd);
  }
}

TEST_CASE("an evaluation averages over cases, then over classes, and writes both table and JSON") {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const auto scores = [](int label, double dice, double hd) {
    return ClassScores{.label = label,
                       .counts = {.tp = 1, .fp = 2, .fn = 3, .tn = 4},
                       .dice = dice,
                       .iou = dice,
                       .precision = dice,
                       .recall = dice,
                       .hd95_mm = hd,
                       .nsd = dice};
  };
  Evaluation e{.label_names = {"background", "liver", "spleen"}, .tolerance_mm = 2};
  e.cases.push_back({"a", {scores(1, 0.5, 3), scores(2, nan, nan)}});
  e.cases.push_back({"b", {scores(1, 0.9, inf), scores(2, 0.8, 1)}});
  const auto mean = e.mean_by_class();
  CHECK(mean[0].dice == Approx(0.7));
  CHECK(mean[0].hd95_mm == 3);
  CHECK(mean[0].surface_missing == 1);
  CHECK(mean[1].dice == Approx(0.8));
  CHECK(mean[1].cases == 1);
  CHECK(e.foreground_mean().dice == Approx(0.75));
  const auto json = to_json(e);
  CHECK(json["foreground_mean"]["Dice"].get<double>() == Approx(0.75));
  CHECK(json["mean"]["2"]["Dice"].get<double>() == Approx(0.8));
  CHECK(json["metric_per_case"][0]["metrics"]["2"]["Dice"].is_null());
  CHECK(json["metric_per_case"][1]["metrics"]["1"]["HD95_mm"].is_null());
  CHECK(json["metric_per_case"][1]["metrics"]["1"]["n_pred"] == 3);
  const std::string table = table_of(e);
  CHECK_THAT(table, Catch::Matchers::Contains("1 liver") && Catch::Matchers::Contains("NSD 2 mm") && Catch::Matchers::Contains("0.7500"));
  CHECK(std::isnan(nan_mean({nan, nan})));
}
