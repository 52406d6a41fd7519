#include <fstream>

#include "core/config/json_values.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/detection/detection.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/hostile_json.h"
#include "tests/temporary_folder.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string text_in(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Two cases of 8 x 10 x 12 voxels of 2 x 1 x 0.5 mm, each with a cube of label 1 and one of label 2.
const Affine kAffine = Affine::scaling({2, 1, 0.5}, {10, 20, 30});
void write_cubes(const fs::path& folder) {
  fs::create_directories(folder / "imagesTr");
  fs::create_directories(folder / "labelsTr");
  for (const char* id : {"a", "b"}) {
    const Tensor label = Tensor::zeros({8, 10, 12, 1}, DType::u8);
    const auto fill = [&](int begin, uint8_t value) {
      for (int d = begin; d < begin + 3; ++d)
        for (int h = begin; h < begin + 3; ++h)
          for (int w = begin; w < begin + 3; ++w) label.mutable_data<uint8_t>()[size_t((d * 10 + h) * 12 + w)] = value;
    };
    fill(0, 1), fill(4, 2);
    write_volume(folder / "imagesTr" / (std::string(id) + "_0000.nii"), {label.to(DType::f32), kAffine});
    write_volume(folder / "labelsTr" / (std::string(id) + ".nii"), {label, kAffine});
  }
  write_text_file(folder / "dataset.json", R"({"channel_names": {"0": "image"}, "labels": {"background": 0, "one": 1, "two": 2},
                                               "file_ending": ".nii", "numTraining": 2})");
}

ObjectBox cube_at(double begin, int label, double score) {
  return {{begin - 0.5, begin - 0.5, begin - 0.5}, {begin + 2.5, begin + 2.5, begin + 2.5}, label, score};
}

}  // namespace

TEST_CASE("boxes are written in voxels and millimetres, as JSON, a table and regions of 3D Slicer") {
  const TemporaryFolder folder;
  const Detection task({});
  const ObjectBox box = {{0.5, 1.5, 2.5}, {3.5, 4.5, 6.5}, 1, 0.75};
  const Json j = json_of_boxes({box}, {"cyst", "tumour, large"}, kAffine);
  task.write({.volume = {}, .json = j.dump()}, folder / "a", ".nii.gz");
  const Json read = read_json(folder / "a.json");
  CHECK(read["boxes"][0]["label"] == "tumour, large");
  CHECK(read["boxes"][0]["voxels"] == Json({3, 2, 1, 7, 5, 4}));
  CHECK(read["boxes"][0]["centre_mm"] == Json({10 + 4.5 * 0.5, 20 + 3, 30 + 2 * 2}));
  CHECK(read["boxes"][0]["size_mm"] == Json({2, 3, 6}));
  CHECK_THAT(text_in(folder / "a.csv"), Contains("label,score,i_low,j_low,k_low,i_high") &&
                                            Contains("\"tumour, large\",0.75,3,2,1,7,5,4,12.25,23,34,2,3,6\n"));
  const Json roi = read_json(folder / "a.mrk.json")["markups"][0];
  CHECK(roi["center"] == Json({-12.25, -23, 34}));
  CHECK(roi["size"] == Json({2, 3, 6}));
  CHECK(roi["orientation"] == Json({-1, 0, 0, 0, -1, 0, 0, 0, 1}));
  task.write_summary(folder / ".", {{"a", j.dump()}, {"b", j.dump()}});
  CHECK_THAT(text_in(folder / "predictions.csv"), Contains("case,label,score") && Contains("\nb,\"tumour, large\",0.75,3"));
}

TEST_CASE("what is a target of detection is what is evaluated, and results are references of their own") {
  const TemporaryFolder folder;
  write_cubes(folder / "set");
  const Dataset d = read_dataset(folder / "set");
  DetectionOptions o;
  CHECK(adapt_detection(o, d));
  REQUIRE(o.size.size() == 3);
  CHECK((close(o.size[0], 6, 1e-9) && close(o.size[1], 3, 1e-9) && close(o.size[2], 1.5, 1e-9)));
  CHECK_FALSE(adapt_detection(o, d));
  const Detection task(o);
  CHECK(task.outputs(d) == std::vector<std::string>{"one", "two"});
  CHECK(task.classes(d.cases[0], {"one", "two"}) == std::vector<int>{0, 1});
  Geometry g{.affine = kAffine, .canonical = {8, 10, 12}, .working = {16, 10, 12}, .box = {8, 10, 12}};
  g.file_spacing = {2, 1, 0.5}, g.spacing = {1, 1, 0.5};
  const std::vector<Field> fields = task.targets(d.cases[0], g, {"one", "two"});
  CHECK(fields.at(0).data.values() ==
        std::vector<double>{-0.5, -0.5, -0.5, 5.5, 2.5, 2.5, 0, 7.5, 3.5, 3.5, 13.5, 6.5, 6.5, 1});
  CHECK(fields.at(1).data.values() == std::vector<double>{6, 3, 3});
  Sample sample = sample_of(Tensor::zeros({16, 10, 12, 1}));
  sample.fields.push_back(fields[0]);
  const ForegroundIndex places = task.places(sample);
  REQUIRE(places.classes.size() == 2);
  CHECK(places.classes[0].voxels[0] == (3 * 10 + 1) * 12 + 1);

  // One right, one of the wrong class, one missing.
  make_folders(folder / "said");
  const std::vector<std::string> names = {"one", "two"};
  task.write({.volume = {}, .json = json_of_boxes({cube_at(0, 0, 0.9), cube_at(4, 1, 0.8)}, names, kAffine).dump()}, folder / "said/a", "");
  task.write({.volume = {}, .json = json_of_boxes({cube_at(0, 1, 0.95)}, names, kAffine).dump()}, folder / "said/b", "");
  const Task::Evaluated e = task.evaluate(folder / "said", folder / "set", {});
  const Json scores = parse_json(e.json, "scores");
  CHECK(scores["cases"] == 2);
  CHECK(close(scores["ap_50_one"].get<double>(), 51 / 101.0, 1e-9));
  CHECK(close(scores["ap_50_two"].get<double>(), 51 / 101.0 / 2, 1e-9));
  CHECK(scores["found"] == 0.5);
  CHECK(scores["centre_error"] == 0);
  CHECK(e.csv == "case,real,found,false_positives,centre_error_mm\na,2,2,0,0\nb,2,0,1,\n");
  DetectionOptions two{.classes = {"two"}};
  adapt_detection(two, d);
  CHECK(two.source.values == std::vector<int>{2});
  CHECK(Detection(two).targets(d.cases[0], g, {"two"}).at(0).data.values() == std::vector<double>{7.5, 3.5, 3.5, 13.5, 6.5, 6.5, 0});
  make_folders(folder / "of_two");
  for (const char* id : {"of_two/a", "of_two/b"})
    task.write({.volume = {}, .json = json_of_boxes({cube_at(4, 0, 0.8)}, {"two"}, kAffine, two.source).dump()}, folder / id, "");
  CHECK(parse_json(task.evaluate(folder / "of_two", folder / "set", {}).json, "scores")["map"] == 1);
  CHECK_THROWS_WITH(with_classes({}, d, {"three"}), Contains("no class \"three\""));
  fs::remove(folder / "said/b.json");
  CHECK_THROWS_WITH(task.evaluate(folder / "said", folder / "set", {}), Contains("no result of b"));
  CHECK(parse_json(task.evaluate(folder / "said", folder / "set", {.partial = true}).json, "scores")["map"] == 1);
}

TEST_CASE("results and boxes with one damaged value are refused or read, by an Error and with little memory") {
  const TemporaryFolder folder;
  write_cubes(folder / "set");
  const Detection task({});
  make_folders(folder / "said");
  const Json good = json_of_boxes({cube_at(0, 0, 0.9)}, {"one", "two"}, kAffine);
  const auto evaluated = [&](const Json& result) {
    write_json(folder / "said/a.json", result);
    task.evaluate(folder / "said", folder / "set", {.partial = true});
  };
  CHECK(refused_variants(good, evaluated) > 50);
}

TEST_CASE("instances with their classes are nnDetection's") {
  const TemporaryFolder folder;
  write_cubes(folder / "set");
  write_text_file(folder / "set/dataset.json", R"({"channel_names": {"0": "image"}, "labels": {"0": "lesion", "1": "nodule"},
                                                   "file_ending": ".nii"})");
  for (const char* file : {"set/labelsTr/a.json", "set/labelsTr/b.json"})
    write_text_file(folder / file, R"({"instances": {"1": 1, "2": 0}})");
  const Dataset d = read_dataset(folder / "set");
  const std::vector<std::string> names = box_classes(d);
  CHECK(names == std::vector<std::string>{"lesion", "nodule"});
  const std::vector<ObjectBox> boxes = case_boxes(d.cases[0], image_grid(d.cases[0]), names, {});
  REQUIRE(boxes.size() == 2);
  CHECK((boxes[0].label == 1 && boxes[0].high[2] == 2.5 && boxes[1].label == 0 && boxes[1].low[0] == 3.5));
  write_text_file(folder / "set/labelsTr/a.json", R"({"instances": {"1": 1}})");
  CHECK_THROWS_WITH(case_boxes(d.cases[0], image_grid(d.cases[0]), names, {}), Contains("the instance 2 has no class"));
  write_text_file(folder / "set/labelsTr/a.json", R"({"instances": {"x": 1}})");
  CHECK_THROWS_WITH(case_boxes(d.cases[0], image_grid(d.cases[0]), names, {}), Contains("\"x\" is no number"));
}

TEST_CASE("a picture has the outlines of boxes in their places") {
  const Detection task({});
  const Volume image{Tensor::zeros({4, 60, 80, 1}), kAffine};
  ModelDescription d;
  d.labels = {"one"};
  d.normalization = {{}};
  const auto picture = [&](double score) {
    const ObjectBox box = {{0.5, 9.5, 19.5}, {2.5, 29.5, 49.5}, 0, score};
    return task.picture(image, {.volume = {}, .json = json_of_boxes({box}, {"one"}, kAffine).dump()}, {}, "a", d);
  };
  CHECK(picture(0.9).rgb() != picture(0.1).rgb());  // one of a low score is not drawn
}
