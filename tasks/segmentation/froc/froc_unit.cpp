#include "tasks/segmentation/froc/froc.h"

#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/segmentation/evaluate_files.h"
#include "tasks/segmentation/froc/froc_report.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Two volumes of 10 voxels in a row. In the first lesions at 0-1 and 4-5, of which one is found at 0.9 and one at 0.3, and a false positive
// of 0.6; in the second a lesion at 0 that nothing finds, and false positives of 0.8 and 0.2.
const std::vector<double> kProbability[2] = {{0, 0.9, 0.4, 0, 0.3, 0.05, 0, 0.5, 0.6, 0}, {0.05, 0, 0, 0.7, 0.8, 0, 0, 0.2, 0, 0}};
const std::vector<double> kReference[2] = {{1, 1, 0, 0, 1, 1, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
const Shape kRow = {1, 1, 10};

FrocCase case_of(int i, const FrocOptions& o = {}) {
  return froc_case(Tensor::from(kProbability[i], kRow), Tensor::from(kReference[i], kRow).to(DType::u8), o);
}
std::vector<double> rounded(std::vector<double> v) {
  for (double& x : v) x = std::round(x * 1e6) / 1e6;
  return v;
}

}  // namespace

TEST_CASE("FROC by hand: candidates, lesions found, the curve and its mean") {
  const FrocCase a = case_of(0), b = case_of(1);
  CHECK(rounded(a.found) == std::vector<double>{0.9, 0.3});
  CHECK(rounded(a.false_positives) == std::vector<double>{0.6});
  CHECK(b.found == std::vector<double>{-1});
  CHECK(rounded(b.false_positives) == std::vector<double>{0.8, 0.2});
  const Froc f = froc_of({a, b});
  CHECK(f.lesions == 3);
  CHECK(f.volumes == 2);
  CHECK(rounded(f.confidence) == std::vector<double>{0.9, 0.8, 0.6, 0.3, 0.2});
  CHECK(f.false_positives == std::vector<double>{0, 0.5, 1, 1, 1.5});
  CHECK(rounded(f.sensitivity) == rounded({1 / 3.0, 1 / 3.0, 1 / 3.0, 2 / 3.0, 2 / 3.0}));
  const double wanted[7] = {1 / 3.0, 1 / 3.0, 1 / 3.0, 2 / 3.0, 2 / 3.0, 2 / 3.0, 2 / 3.0};
  for (size_t i = 0; i < 7; ++i) CHECK(close(f.at[i], wanted[i]));
  CHECK(close(f.mean, 11 / 21.0));
  // Another threshold: what was one candidate may be two or none; ignored voxels are in none.
  CHECK(rounded(case_of(1, {.threshold = 0.75}).false_positives) == std::vector<double>{0.8});
  CHECK(case_of(1, {.threshold = 0.04}).found.at(0) > 0);
  Tensor reference = Tensor::from(kReference[1], kRow).to(DType::u8);
  reference.mutable_data<uint8_t>()[4] = 255;
  CHECK(rounded(froc_case(Tensor::from(kProbability[1], kRow), reference).false_positives) == std::vector<double>{0.7, 0.2});
  CHECK_THROWS_WITH(case_of(0, {.threshold = 0}), Contains("threshold 0"));
  // Two candidates in one lesion: the surer one says how sure, and neither is a false positive.
  const auto row = [](const std::vector<double>& v) { return Tensor::from(v, {1, 1, 5}); };
  const FrocCase twice = froc_case(row({0.5, 0, 0.75, 0, 0.25}), row({1, 1, 1, 0, 0}).to(DType::u8));
  CHECK(rounded(twice.found) == std::vector<double>{0.75});
  CHECK(rounded(twice.false_positives) == std::vector<double>{0.25});
}

TEST_CASE("FROC: linear between points from (0, 0) on, and no number without lesions") {
  const Froc one = froc_of({{.false_positives = {0.8}, .found = {0.8}}});  // (0, 0), (1, 1)
  CHECK(one.at == std::array<double, 7>{0.125, 0.25, 0.5, 1, 1, 1, 1});
  const Froc late = froc_of({{.false_positives = {0.9, 0.9, 0.8, 0.8}, .found = {0.8, -1}}});  // (0, 0), (2, 0), (4, 0.5)
  CHECK(late.at == std::array<double, 7>{0, 0, 0, 0, 0, 0.5, 0.5});
  CHECK(std::isnan(froc_of({{.false_positives = {0.5}, .found = {}}}).mean));
  CHECK(froc_of({{.false_positives = {}, .found = {-1}}}).mean == 0);
}

TEST_CASE("FROC of files: curves of each class as CSV, picture and JSON") {
  const TemporaryFolder folder;
  for (const char* name : {"masks", "labels", "p"}) fs::create_directories(folder / name);
  for (int i = 0; i < 2; ++i) {
    const std::string name = i ? "b.nii" : "a.nii";
    const Tensor reference = Tensor::from(kReference[i], {1, 1, 10, 1}).to(DType::u8);
    write_volume(folder / "labels" / name, {reference, Affine::scaling({1, 1, 1})});
    write_volume(folder / "masks" / name, {reference, Affine::scaling({1, 1, 1})});
    std::vector<double> both;
    for (double p : kProbability[i]) both.insert(both.end(), {1 - p, p});
    write_volume(folder / "p" / name, {Tensor::from(both, {1, 1, 10, 2}), Affine::scaling({1, 1, 1})});
  }
  const Evaluation e = evaluate_files(folder / "masks", folder / "labels", {.probabilities = folder / "p", .froc = folder / "curve"});
  const FrocReport report = write_froc(e, folder / "curve");
  const Json json = parse_json(report.json, "report");
  CHECK(close(json["class 1"]["CPM"].get<double>(), 11 / 21.0));
  CHECK(json["class 1"]["lesions"] == 3);
  CHECK(close(json["class 1"]["sensitivity"]["1"].get<double>(), 2 / 3.0));
  CHECK_THAT(report.table, Contains("0.5238  3"));
  const std::string csv = file_bytes(folder / "curve.csv");
  CHECK_THAT(csv, Contains("class 1,0.800000012,0.5,0.333333333\n"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 6);
  CHECK(file_bytes(folder / "curve.png").substr(1, 3) == "PNG");
  CHECK_THROWS_WITH(evaluate_files(folder / "masks", folder / "labels", {.froc = folder / "curve"}), Contains("probabilities"));
}
