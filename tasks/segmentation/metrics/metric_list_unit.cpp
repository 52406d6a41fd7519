#include <cmath>
#include <limits>

#include "core/config/json_values.h"
#include "core/device/parallel.h"
#include "tasks/segmentation/evaluation_statistics.h"
#include "tasks/segmentation/metrics/metric.h"
#include "tests/catch.h"

// Values of MONAI 1.6.1 (f32), surface-distance 0.1 and scipy.ndimage 1.17 for the same masks.
using namespace voxgrad;

namespace {

Tensor blobs(double shift) {
  const Tensor t = Tensor::zeros({16, 24, 32}, DType::u8);
  uint8_t* p = t.view().as<uint8_t>();
  for (int64_t d = 0; d < 16; ++d)
    for (int64_t h = 0; h < 24; ++h)
      for (int64_t w = 0; w < 32; ++w) {
        const double v = std::sin(0.5 * double(d) + shift) + std::sin(0.4 * double(h) - shift) + std::sin(0.3 * double(w) + 1);
        p[(d * 24 + h) * 32 + w] = v > 1.5 ? 2 : v > 0.8 ? 1 : 0;
      }
  return t;
}

uint64_t hash(uint64_t i) { return (i * 2654435761u % 4294967296u >> 16) % 100; }

// {12, 10, 11} of many small parts.
Tensor crumbs(bool reference) {
  const Tensor t = Tensor::zeros({12, 10, 11}, DType::u8);
  for (int64_t i = 0; i < t.count(); ++i) {
    const uint64_t q = hash(uint64_t(i));
    t.view().as<uint8_t>()[i] = reference ? q < 18 || hash(uint64_t(i) + 7) < 9 : q < 25;
  }
  return t;
}

Tensor box(const Shape& s, Int3 begin, Int3 end) {
  const Tensor t = Tensor::zeros(s, DType::u8);
  for (int d = begin.d; d < end.d; ++d)
    for (int h = begin.h; h < end.h; ++h)
      for (int w = begin.w; w < end.w; ++w) t.view().as<uint8_t>()[(d * s[1] + h) * s[2] + w] = 1;
  return t;
}

double of(const char* metric, const Tensor& p, const Tensor& r, const Spacing& spacing, MetricOptions o = {}, int label = 1) {
  o.classes = std::max(o.classes, label + 1);
  o.more = {metric};
  return score(p, r, spacing, o)[size_t(label - 1)].more.at(0);
}

const double kInfinite = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("distances between surfaces and shares of their areas are MONAI's and DeepMind's, for anisotropic voxels") {
  const Spacing spacing = {2.5, 1, 0.8};
  const Tensor a = blobs(0), b = blobs(0.6);
  const MetricOptions three = {.classes = 3, .tolerance_mm = 1};
  CHECK(of("assd", a, b, spacing, three, 1) == Approx(0.8469964265823364).epsilon(1e-6));
  CHECK(of("assd", a, b, spacing, three, 2) == Approx(0.7906387448310852).epsilon(1e-6));
  CHECK(of("hd", a, b, spacing, three, 1) == Approx(5.6).epsilon(1e-6));
  CHECK(of("hd", a, b, spacing, three, 2) == Approx(3.3).epsilon(1e-6));
  CHECK(of("nsd_area", a, b, spacing, three, 1) == Approx(0.84923225971308).epsilon(1e-6));
  CHECK(of("nsd_area", a, b, spacing, three, 2) == Approx(0.7832356863826112).epsilon(1e-6));
  CHECK(of("nsd_area", a, b, spacing, {.classes = 3, .tolerance_mm = 2.5}, 1) == Approx(0.9847322426608492).epsilon(1e-6));
  CHECK(of("nsd_area", a, b, spacing, {.classes = 3, .tolerance_mm = 2.5}, 2) == Approx(0.9701258563078415).epsilon(1e-6));
  CHECK(of("volume_error", a, b, spacing, three, 2) == Approx((2540 - 2459) * 2.0));
  CHECK(of("relative_volume_error", a, b, spacing, three, 2) == Approx(81.0 / 2540));
}

TEST_CASE("objects that touch the border of the volume have a surface there") {
  const Spacing spacing = {3, 1, 0.5};
  const Tensor p = box({4, 5, 6}, {0, 0, 0}, {2, 3, 4}), r = box({4, 5, 6}, {1, 0, 0}, {4, 4, 5});
  const std::pair<double, double> wanted[] = {
      {0, 0.3486463503935981}, {0.5, 0.4770745072458896}, {1, 0.5658599844521925}, {3, 0.7580621235743905}};
  for (auto [tolerance, value] : wanted) CHECK(of("nsd_area", p, r, spacing, {.tolerance_mm = tolerance}) == Approx(value).epsilon(1e-6));
  CHECK(of("assd", p, r, spacing) == Approx(2.642174005508423).epsilon(1e-6));
  CHECK(score(p, r, spacing, {.classes = 2, .tolerance_mm = 1})[0].nsd == Approx(0.39743590354919434).epsilon(1e-6));
}

TEST_CASE("areas of surface elements are those of DeepMind's table, for every corner pattern") {
  const Tensor p = crumbs(false), r = crumbs(true);
  const SurfaceElements s = surface_elements(p, r, {2, 1, 0.7});
  double predicted = 0, real = 0;
  for (auto& e : s.prediction) predicted += e.area_mm2;
  for (auto& e : s.reference) real += e.area_mm2;
  CHECK(predicted == Approx(996.5101260236903).epsilon(1e-6));
  CHECK(real == Approx(1055.7746820899047).epsilon(1e-6));
  CHECK(surface_dice(s, 1) == Approx(0.9959169296262554).epsilon(1e-6));
  for (int code = 1; code < 255; ++code) CHECK(element_area(code, {1, 1, 1}) > 0);
  CHECK(element_area(0, {1, 1, 1}) == 0);
  CHECK(element_area(0xf0, {2, 3, 5}) == Approx(15));               // a plane across D
  CHECK(element_area(1, {1, 1, 1}) == Approx(std::sqrt(3.0) / 8));  // a corner
  CHECK(element_area(3, {1, 2, 4}) == Approx(2 * std::sqrt(5.0)));  // an edge along W: twice the triangle (2, 1, 0)
}

TEST_CASE("connected parts by 6, 18 and 26 neighbours, lesions that are found, and panoptic quality") {
  const Tensor p = crumbs(false), r = crumbs(true);
  CHECK(connected_components(p, 6).count() == 133);
  CHECK(connected_components(p, 18).count() == 9);
  CHECK(connected_components(p, 26).count() == 3);
  CHECK(connected_components(r, 6).count() == 168);
  const MetricOptions six = {.connectivity = 6};
  CHECK(of("panoptic_quality", p, r, {1, 1, 1}, six) == Approx(0.61417496).epsilon(1e-6));
  CHECK(of("lesion_sensitivity", p, r, {1, 1, 1}, six) == 141.0 / 168);
  CHECK(of("lesion_fp", p, r, {1, 1, 1}, six) == 3);
  CHECK(of("lesion_f1", p, r, {1, 1, 1}, six) == 282.0 / (282 + 3 + 27));
  CHECK(of("panoptic_quality", blobs(0), blobs(0.6), {1, 1, 1}, {.classes = 3}, 2) == Approx(0.5803760886192322).epsilon(1e-6));
  // Numbers follow the first voxel in memory, whatever is joined later.
  const Tensor parts = Tensor::from({1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0}, {1, 3, 5}, DType::u8);
  CHECK(connected_components(parts, 6).number == std::vector<int32_t>{1, 0, 2, 0, 3, 0, 4, 0, 0, 3, 4, 4, 0, 0, 0});
  CHECK(connected_components(parts, 6).voxels == std::vector<int64_t>{1, 1, 2, 3});
  CHECK(connected_components(parts).voxels == std::vector<int64_t>{5, 2});
}

TEST_CASE("calibration of probabilities, without what is ignored") {
  const Tensor p = crumbs(false), r = crumbs(true), probabilities = Tensor::zeros({12, 10, 11, 2});
  for (int64_t i = 0; i < p.count(); ++i) {
    const float v = float(double(hash(uint64_t(i)) % 10) / 10 + 0.05);
    probabilities.view().as<float>()[2 * i + 1] = v;
    probabilities.view().as<float>()[2 * i] = 1 - v;
  }
  MetricOptions o = {.classes = 2, .probabilities = probabilities};
  CHECK(of("brier", p, r, {1, 1, 1}, o) == Approx(0.3521969696123042).epsilon(1e-7));
  CHECK(of("ece", p, r, {1, 1, 1}, o) == Approx(0.31196969486773013).epsilon(1e-7));
  CHECK_THROWS_WITH(of("ece", p, r, {1, 1, 1}), Catch::Matchers::Contains("probabilities"));
  // One voxel that counts: p is 0.05 at i = 0 where the reference has the class (hash 0), the others are ignored.
  const Tensor one = Tensor::empty(r.shape(), DType::u8);
  for (int64_t i = 0; i < r.count(); ++i) one.view().as<uint8_t>()[i] = i == 0 ? 1 : 9;
  o.ignore_label = 9;
  CHECK(of("brier", p, one, {1, 1, 1}, o) == Approx(0.95 * 0.95));
  CHECK(of("ece", p, one, {1, 1, 1}, o) == Approx(0.95));
}

TEST_CASE("what metrics give where an object is empty in the prediction, in the reference or in both") {
  const Tensor none = Tensor::zeros({4, 4, 4}, DType::u8), some = box({4, 4, 4}, {1, 1, 1}, {3, 3, 3});
  const double nan = std::nan("");
  struct Row {
    const char* metric;
    double no_prediction, no_reference, neither;
  };
  for (const Row& row : {Row{"assd", kInfinite, kInfinite, nan}, Row{"hd", kInfinite, kInfinite, nan}, Row{"nsd_area", 0, 0, nan},
                         Row{"volume_error", 8, 8, 0}, Row{"relative_volume_error", 1, kInfinite, nan}, Row{"lesion_f1", 0, 0, nan},
                         Row{"lesion_sensitivity", 0, nan, nan}, Row{"lesion_fp", 0, 1, 0}, Row{"panoptic_quality", 0, 0, nan}}) {
    INFO(row.metric);
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    CHECK(same(of(row.metric, none, some, {1, 1, 1}), row.no_prediction));
    CHECK(same(of(row.metric, some, none, {1, 1, 1}), row.no_reference));
    CHECK(same(of(row.metric, none, none, {1, 1, 1}), row.neither));
    CHECK(std::isfinite(of(row.metric, some, some, {1, 1, 1})));
  }
}

TEST_CASE("evaluations with more metrics: table, JSON, CSV, intervals, and comparison of two predictions") {
  const auto evaluation = [](double better) {
    Evaluation e{.label_names = {"background", "tumour, core"}, .more = {"assd", "lesion_fp"}};
    for (int i = 0; i < 8; ++i) {
      const double dice = 0.5 + 0.04 * i + better * (1 + 0.1 * i), assd = i == 0 ? kInfinite : 3 - 0.1 * i;
      e.cases.push_back({"case_" + std::to_string(i), {{.label = 1, .dice = dice, .iou = 0.5, .nsd = std::nan(""), .more = {assd, 2}}}});
    }
    return e;
  };
  const Evaluation a = evaluation(0.05), b = evaluation(0);
  CHECK(a.mean_by_class()[0].more[0] == Approx(2.6));
  CHECK(a.foreground_mean().more[1] == 2);
  const Json json = to_json(a);
  CHECK(json["mean"]["1"]["ASSD_mm"].get<double>() == Approx(2.6));
  CHECK(json["metric_per_case"][0]["metrics"]["1"]["ASSD_mm"].is_null());
  CHECK_THAT(table_of(a), Catch::Matchers::Contains("LesionFP") && Catch::Matchers::Contains("2.60"));
  const std::string csv = csv_of(a);
  CHECK(csv.rfind("case,label,class,Dice,IoU,Precision,Recall,HD95_mm,NSD,ASSD_mm,LesionFP,volume_pred_mm3,volume_ref_mm3\n", 0) == 0);
  CHECK_THAT(csv, Catch::Matchers::Contains("case_0,1,\"tumour, core\",0.55,0.5,0,0,0,,inf,2,0,0\n"));
  const auto parsed = [](const Intervals& i) { return Json::parse(i.json); };
  const Json i = parsed(intervals_of(a, {.resamples = 500}));
  CHECK(i["1"]["Dice"]["mean"].get<double>() == Approx(a.mean_by_class()[0].dice));
  CHECK(i["1"]["Dice"]["low"].get<double>() < i["1"]["Dice"]["mean"].get<double>());
  CHECK(i["1"]["NSD"]["low"].is_null());
  CHECK(i == parsed(intervals_of(a, {.resamples = 500})));
  const Json c = parsed(comparison_of(a, b, {.resamples = 500}));
  CHECK(c["1"]["Dice"]["difference"].get<double>() == Approx(0.05 * 1.35));
  CHECK(c["1"]["Dice"]["p"].get<double>() == Approx(2.0 / 256));  // all of eight differences have one sign
  CHECK(c["1"]["Dice"]["better"] == "a");
  CHECK(parsed(comparison_of(b, a, {.resamples = 500}))["1"]["Dice"]["better"] == "b");
  CHECK(c["1"]["ASSD_mm"]["cases"] == 7);
  CHECK(c["1"]["ASSD_mm"]["better"] == "");
  Evaluation fewer = b;
  fewer.cases.pop_back();
  CHECK_THROWS_WITH(comparison_of(a, fewer, {}), Catch::Matchers::Contains("8 cases"));
  fewer = b;
  fewer.cases[2].id = "other";
  CHECK_THROWS_WITH(comparison_of(a, fewer, {}), Catch::Matchers::Contains("case_2"));
}
