#include <cmath>
#include <fstream>

#include "core/config/json_values.h"
#include "core/gradient_check.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/landmarks/heat_maps.h"
#include "tasks/landmarks/landmark_errors.h"
#include "tasks/landmarks/landmarks.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// The value at a voxel, by the definition.
double map_at(const Double3& place, const Double3& sigma, double d, double h, double w) {
  const double x[3] = {d, h, w};
  double sum = 0;
  for (size_t a = 0; a < 3; ++a) sum += std::pow((x[a] - place[a]) / sigma[a], 2);
  return std::exp(-sum / 2);
}

const Affine kPlace = Affine::scaling({2, 1, 1}, {10, 20, 30});

std::string words_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) { return e.what(); }
  return "nothing";
}

}  // namespace

TEST_CASE("the peak of a heat map is found between the voxels") {
  const Double3 sigma = {1.5, 2, 2.5};
  Rng rng(3);
  double worst = 0;
  for (int k = 0; k < 30; ++k) {
    const Double3 place = {rng.uniform(5, 11), rng.uniform(6, 14), rng.uniform(7, 15)};
    const Tensor heat = Tensor::empty({17, 21, 23, 2});
    for (int d = 0, i = 0; d < 17; ++d)
      for (int h = 0; h < 21; ++h)
        for (int w = 0; w < 23; ++w, i += 2) {
          heat.mutable_data<float>()[size_t(i)] = 0.1f * float(rng.uniform());
          heat.mutable_data<float>()[size_t(i) + 1] = float(0.8 * map_at(place, sigma, d, h, w) + 0.02 * rng.normal());
        }
    const HeatPeak peak = peak_of(heat, 1, sigma);
    for (size_t a = 0; a < 3; ++a) worst = std::max(worst, std::abs(peak.place[a] - place[a]));
    CHECK((peak.value > 0.6 && peak.value < 0.95));
  }
  CHECK(worst < 0.15);
  // At a border the map is cut, and nothing is positive in an empty one.
  CHECK(peak_of(Tensor::full({1, 4, 4, 1}, -1), 0, sigma).place == Double3{0, 0, 0});
}

TEST_CASE("the loss of heat maps is about 1 for none, 0 for the right ones, and leaves out what is not known") {
  const std::vector<Double3> sigma = {{1.5, 1.5, 2}, {1.5, 1.5, 2}};
  const std::vector<std::vector<HeatPoint>> points = {{{{7, 8, 9}}, {{6.5, 7.2, 8}}}, {{{8, 8, 8}}, {{0, 0, 0}, false}}};
  const Tensor none = Tensor::zeros({2, 16, 17, 18, 2}), right = none.clone();
  int64_t i = 0;
  for (size_t n = 0; n < 2; ++n)
    for (int d = 0; d < 16; ++d)
      for (int h = 0; h < 17; ++h)
        for (int w = 0; w < 18; ++w)
          for (size_t k = 0; k < 2; ++k, ++i)
            right.mutable_data<float>()[size_t(i)] = points[n][k].known ? float(map_at(points[n][k].place, sigma[n], d, h, w)) : 5;
  CHECK(close(heat_map_loss(none, points, sigma).item(), 1, 1e-2));
  CHECK(heat_map_loss(right, points, sigma).item() < 1e-5);
  CHECK(heat_map_loss(right, {{points[0][0], points[0][1]}, {points[1][0], {}}}, sigma).item() > 1);
  const auto loss = [&](const std::vector<Tensor>& in) {
    return heat_map_loss(in[0], {{{{0, 1, 2}}, {{0, 3, 1}, false}}}, {{1, 1, 1}});
  };
  CHECK(gradient_error(loss, {noise({1, 1, 5, 6, 2}, 3).to(DType::f64)}) < 1e-6);
  CHECK_THROWS_WITH(heat_map_loss(none, {{{}}, {{}}}, sigma), Contains("1 points") && Contains("2 heat maps"));
}

TEST_CASE("landmarks are read from lists, files of 3D Slicer and labels") {
  const TemporaryFolder folder;
  DatasetCase c{.id = "a", .images = {folder / "imagesTr/a.nii"}};
  const std::vector<std::string> names = {"one", "two"};
  c.targets["landmarks"] = R"({"two": [1, 2, 3]})";
  std::vector<Landmark> l = case_landmarks(c, names, {});
  CHECK((l.size() == 2 && !l[0].known && l[1].known && l[1].mm == Vec3{1, 2, 3}));
  fs::create_directories(folder / "points");
  write_text_file(folder / "points/a.fcsv", fcsv_of({{"one", {1, -2, 3.25}}, {"two", {0, 5, -6}}}));
  write_text_file(folder / "points/a.mrk.json", markups_of({{"one", {1, -2, 3.25}}, {"two", {0, 5, -6}}}));
  for (const char* file : {R"("points/a.fcsv")", R"("points/a.mrk.json")"}) {
    c.targets["landmarks"] = file;
    l = case_landmarks(c, names, {});
    CHECK((l[0].mm == Vec3{1, -2, 3.25} && l[1].mm == Vec3{0, 5, -6}));
  }
  write_text_file(folder / "ras.fcsv", "# CoordinateSystem = 0\n1,1,2,3,0,0,0,1,1,1,0,tip,,\r\n");
  CHECK(read_slicer_points(folder / "ras.fcsv").at(0).mm == Vec3{1, 2, 3});
  // Labels in quotes, as 3D Slicer writes those with a comma.
  write_text_file(folder / "quoted.fcsv",
                  "# CoordinateSystem = RAS\n1,1,2,3,0,0,0,1,1,1,0,\"tip, \"\"left\"\"\",,\n2,4,5,6,0,0,0,1,1,1,0,\"root\",,\n");
  l = read_slicer_points(folder / "quoted.fcsv");
  REQUIRE((l.size() == 2 && l[0].name == "tip, \"left\"" && l[1].name == "root"));
  write_text_file(folder / "again.fcsv", fcsv_of(l));
  CHECK(read_slicer_points(folder / "again.fcsv").at(0).name == l[0].name);
  write_text_file(folder / "unplaced.mrk.json", R"({"markups": [{"controlPoints": [
    {"label": "one", "position": [0, 0, 0], "positionStatus": "undefined"},
    {"label": "two", "position": [1, 2, 3], "positionStatus": "defined"}]}]})");
  l = read_slicer_points(folder / "unplaced.mrk.json");
  CHECK((l.size() == 1 && l[0].name == "two"));

  // A bar of two labels along h, of 2 x 40 x 3 voxels.
  const Tensor label = Tensor::zeros({6, 60, 8, 1}, DType::u8);
  for (int d = 2; d < 4; ++d)
    for (int h = 10; h < 50; ++h)
      for (int w = 1; w < 4; ++w) label.mutable_data<uint8_t>()[size_t((d * 60 + h) * 8 + w)] = h < 30 ? 1 : 2;
  write_volume(folder / "label.nii", {label, kPlace});
  DatasetCase m{.id = "m", .images = {"m.nii"}, .label = folder / "label.nii"};
  const auto near = [](const Vec3& a, const Vec3& b) { return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) < 1e-6; };
  l = case_landmarks(m, names, {});
  CHECK(near(l[0].mm, {10 + 2, 20 + 19.5, 30 + 2 * 2.5}));
  CHECK(near(l[1].mm, {10 + 2, 20 + 39.5, 30 + 2 * 2.5}));
  l = case_landmarks(m, {"low end", "high end"}, {.from = "ends"});
  CHECK((std::abs(l[0].mm[1] - 30) < 1 && std::abs(l[1].mm[1] - 69) < 1));
}

TEST_CASE("what is wrong with landmarks is said by the name of the file") {
  const TemporaryFolder folder;
  DatasetCase c{.id = "a", .images = {folder / "a.nii"}};
  const auto refused = [&](const std::string& text) {
    c.targets["landmarks"] = text;
    return words_of([&] { case_landmarks(c, {"one"}, {}); });
  };
  CHECK_THAT(refused(R"({"one": [1, 2]})"), Contains("a.nii") && Contains("three numbers"));
  CHECK_THAT(refused(R"({"one": [1, 2, 1e300]})"), Contains("no place"));
  CHECK_THAT(refused("[]"), Contains("neither places by name nor a file"));
  CHECK_THAT(refused(R"("../x.fcsv")"), Contains("lies elsewhere"));
  CHECK_THAT(refused(R"("x.fcsv")"), Contains("there is no file x.fcsv"));
  write_text_file(folder / "x.fcsv", "1,2,3\n");
  CHECK_THAT(refused(R"("x.fcsv")"), Contains("x.fcsv, line 1") && Contains("3 fields"));
  write_text_file(folder / "x.mrk.json", R"({"markups": [{"controlPoints": [{"label": "one", "position": [1, 2]}]}]})");
  CHECK_THAT(refused(R"("x.mrk.json")"), Contains("no control point"));
  write_text_file(folder / "x.mrk.json", markups_of({{"one", {1, 2, 3}}, {"one", {1, 2, 4}}}));
  CHECK_THAT(refused(R"("x.mrk.json")"), Contains("x.mrk.json") && Contains("\"one\" twice"));
  for (const char* far : {"1e30", "nan", "inf"}) {
    write_text_file(folder / "x.fcsv", std::string("1,2,") + far + ",0,0,0,0,1,1,1,0,one,,\n");
    CHECK_THAT(refused(R"("x.fcsv")"), Contains("x.fcsv, line 1"));
  }
}

TEST_CASE("errors of landmarks are in millimetres, over those that are known") {
  LandmarkErrors e({"a", "b"});
  e.add({1, 3});
  e.add({5, NAN});
  const std::vector<double> s = e.scores();
  CHECK((close(s[0], 3, 1e-12) && s[1] == 3 && s[5] == 3 && s[6] == 3));
  CHECK((close(s[2], 1 / 3., 1e-12) && close(s[3], 2 / 3., 1e-12) && s[4] == 1));
  CHECK(close(e.scores({2, 0})[0], 2, 1e-12));
  CHECK(e.keys().back() == "median_error_b");
}

TEST_CASE("landmarks are targets, results and scores of their task") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "set/imagesTr");
  write_volume(folder / "set/imagesTr/a.nii", {Tensor::zeros({8, 10, 12, 1}), kPlace});
  write_text_file(folder / "set/dataset.json", R"({"modality": {"0": "MR"}, "labels": {"0": "background"}, "training":
    [{"image": "imagesTr/a.nii", "landmarks": {"tip": [13, 24, 36], "root": [12, 22, 32]}}]})");
  const Dataset d = read_dataset(folder / "set");
  const Landmarks task({.sigma_mm = 4});
  const std::vector<std::string> names = task.outputs(d);
  CHECK(names == std::vector<std::string>{"tip", "root"});
  Geometry g{.affine = kPlace, .canonical = {8, 10, 12}, .working = {16, 10, 12}, .box = {8, 10, 12}};
  g.file_spacing = {2, 1, 1}, g.spacing = {1, 1, 1};
  const std::vector<Field> fields = task.targets(d.cases[0], g, names);
  CHECK(fields.at(0).data.values() == std::vector<double>{6.5, 4, 3, 1, 2.5, 2, 2, 1});
  CHECK(fields.at(1).data.values() == std::vector<double>{4, 4, 4});
  DatasetCase far = d.cases[0];
  far.targets["landmarks"] = R"({"tip": [13, 24, 36], "root": [120, 22, 32]})";
  CHECK_THAT(words_of([&] { task.targets(far, g, names); }), Contains("a.nii") && Contains("root lies at voxel 110 along the axis i"));
  make_folders(folder / "said");
  const Json said = json_of_landmarks({{"tip", {13, 24, 33}, true, 0.5}, {"root", {12, 22, 32}}}, kPlace, {});
  CHECK(said["voxels"]["tip"] == Json({3.0, 4.0, 1.5}));
  task.write({.volume = {}, .json = said.dump()}, folder / "said/a", "");
  for (const char* file : {"said/a.json", "said/a.csv", "said/a.fcsv", "said/a.mrk.json"}) CHECK(fs::is_regular_file(folder / file));
  const Task::Evaluated e = task.evaluate(folder / "said", folder / "set", {});
  const Json scores = parse_json(e.json, "scores");
  CHECK((scores["mean_error"] == 1.5 && scores["within_2"] == 0.5 && scores["median_error_tip"] == 3));
  CHECK(e.csv == "case,landmark,error_mm\na,tip,3\na,root,0\n");
  CHECK_THAT(words_of([] { landmarks_from(Json{{"landmarks", {{"tip", {1e300, 0, 0}}}}}, "a.json"); }),
             Contains("a.json: the landmark tip is at 1e+300 mm"));
  task.write_summary(folder / ".", {{"a", said.dump()}});
  std::ifstream in(folder / "predictions.csv");
  const std::string csv{std::istreambuf_iterator<char>(in), {}};
  CHECK_THAT(csv, Contains("case,name,x_mm") && Contains("a,tip,13.0,24.0,33.0,3.0,4.0,1.5,0.5\n"));
}
