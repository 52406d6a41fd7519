#include "core/config/json_values.h"
#include "data/dataset.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/hostile_json.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

void put_slice(const fs::path& file) {
  fs::create_directories(file.parent_path());
  write_volume(file, {Tensor::zeros({1, 9, 12, 3}), Affine()});
}

constexpr const char* kCoco = R"({"images": [{"id": 7, "file_name": "a.nii", "width": 12, "height": 9}, {"id": 8, "file_name": "b.nii"}],
  "categories": [{"id": 3, "name": "cell"}, {"id": 1, "name": "bud"}, {"id": 0, "name": "all"}],
  "annotations": [{"image_id": 7, "category_id": 3, "bbox": [1, 2, 5, 4]}, {"image_id": 7, "category_id": 1, "bbox": [0, 0, 2.5, 3]},
                  {"image_id": 7, "category_id": 3, "bbox": [0, 0, 9, 9], "iscrowd": 1}]})";

std::string refusal_of(const fs::path& path) {
  try {
    read_dataset(path);
  } catch (const Error& e) { return e.what(); }
  return "";
}

}  // namespace

TEST_CASE("a list of COCO is a data set with boxes, and so is a folder of parts with such lists") {
  const TemporaryFolder folder;
  for (const char* name : {"images/a.nii", "images/b.nii", "set/train/a.nii", "set/train/b.nii", "set/valid/c.nii"})
    put_slice(folder / name);
  write_text_file(folder / "list.json", kCoco);
  CHECK(is_dataset(folder / "list.json"));
  const Dataset d = read_dataset(folder / "list.json");
  CHECK(d.labels == std::vector<std::string>{"bud", "cell"});
  REQUIRE(d.cases.size() == 2);
  CHECK(Json::parse(d.cases[0].targets.at("boxes")) ==
        Json::parse(R"([{"label": "cell", "voxels": [1.0, 2.0, 6.0, 6.0]}, {"label": "bud", "voxels": [0.0, 0.0, 2.5, 3.0]}])"));
  CHECK(d.cases[1].targets.at("boxes") == "[]");
  write_text_file(folder / "set/train/_annotations.coco.json", kCoco);
  write_text_file(folder / "set/valid/_annotations.coco.json",
                  R"({"images": [{"id": 1, "file_name": "c.nii"}], "categories": [], "annotations": []})");
  const Dataset parts = read_dataset(folder / "set");
  CHECK(parts.cases.size() == 3);
  REQUIRE(parts.split);
  CHECK(parts.split->validation == std::vector<std::string>{"c"});
  CHECK(list_images(folder / "set", 3).size() == 3);  // as there are no test cases, all
}

TEST_CASE("a list of COCO that is not right is refused in the name of the file") {
  const TemporaryFolder folder;
  put_slice(folder / "a.nii");
  const auto refused = [&](const char* images, const char* annotations) {
    write_text_file(folder / "list.json", std::string(R"({"categories": [{"id": 1, "name": "cell"}], "images": [)") + images +
                                              "], \"annotations\": [" + annotations + "]}");
    return refusal_of(folder / "list.json");
  };
  const char* image = R"({"id": 1, "file_name": "a.nii"})";
  CHECK(refused(image, R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]})") == "");
  CHECK_THAT(refused(image, R"({"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4]})"), Contains("list.json") && Contains("category 2"));
  CHECK_THAT(refused(image, R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3]})"), Contains("[x, y, width, height]"));
  CHECK_THAT(refused(image, R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, "x"]})"), Contains("[x, y, width, height]"));
  CHECK_THAT(refused(image, R"({"category_id": 1, "bbox": [1, 2, 3, 4]})"), Contains("\"image_id\""));
  CHECK_THAT(refused(R"({"id": 1, "file_name": "../a.nii"})", ""), Contains("../a.nii"));
  CHECK_THAT(refused(R"({"id": 1, "file_name": "z.nii"})", ""), Contains("z.nii"));
  CHECK_THAT(refused("7", ""), Contains("\"file_name\""));
  CHECK_THAT(refused(image, R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, NaN]})"),
             Contains("list.json:1:") && Contains("is not JSON"));
  CHECK_THAT(refused(R"({"id": 1, "file_name": "a.nii"}, {"id": 1, "file_name": "a.nii"})", ""), Contains("the image 1 occurs twice"));
  write_text_file(folder / "list.json", R"({"categories": [{"id": 1, "name": "cell"}, {"id": 1, "name": "bud"}],
                                            "images": [{"id": 1, "file_name": "a.nii"}], "annotations": []})");
  CHECK_THAT(refusal_of(folder / "list.json"), Contains("the category 1 occurs twice"));
  const char* two = R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}, {"image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]})";
  CHECK(refused(image, two) == "");
  const std::vector<std::string> said = read_dataset(folder / "list.json").warnings;
  REQUIRE(said.size() == 1);
  CHECK_THAT(said[0], Contains("list.json") && Contains("annotations of the image 9, which"));
}

TEST_CASE("boxes without extent are told of, whatever the form of the list") {
  const TemporaryFolder folder;
  put_slice(folder / "a.nii"), put_slice(folder / "b.nii");
  const auto warnings = [&](const char* text) {
    write_text_file(folder / "list.json", text);
    return read_dataset(folder / "list.json").warnings;
  };
  const auto said = warnings(R"({"categories": [{"id": 1, "name": "cell"}], "images": [{"id": 1, "file_name": "a.nii"}], "annotations": [
    {"image_id": 1, "category_id": 1, "bbox": [1, 2, 0, 4]}, {"image_id": 1, "category_id": 1, "bbox": [0, 2, 2, 4]},
    {"image_id": 1, "category_id": 1, "bbox": [3, 3, 2, 0]}]})");
  REQUIRE(said.size() == 1);
  CHECK_THAT(said[0], Contains("2 boxes have no extent") && Contains("case a"));
  const auto in_mm = warnings(R"({"training": [{"image": "a.nii", "box": [[0, 0, 3, 1, 1, 1]], "label": [0]},
                                               {"image": "b.nii", "box": [[0, 0, 3, 1, 0, 1]], "label": [0]}]})");
  REQUIRE(in_mm.size() == 1);
  CHECK_THAT(in_mm[0], Contains("1 box has no extent") && Contains("case b"));
}

TEST_CASE("lists of boxes with one damaged value are refused or read, by an Error and with little memory") {
  const TemporaryFolder folder;
  put_slice(folder / "a.nii"), put_slice(folder / "b.nii");
  const auto read = [&](const Json& document) {
    write_text_file(folder / "list.json", document.dump());
    read_dataset(folder / "list.json");
  };
  CHECK(refused_variants(Json::parse(kCoco), read) > 100);
  CHECK(refused_variants(Json::parse(R"({"training": [{"image": "a.nii", "box": [[1, 2, 3, 4, 5, 6]], "label": [0]}],
                                         "validation": [{"image": "b.nii", "box": [], "label": []}]})"),
                         read) > 20);
}

TEST_CASE("a list of MONAI for detection is a data set, its images below one of the folders above it") {
  const TemporaryFolder folder;
  put_slice(folder / "luna/scans/a.nii"), put_slice(folder / "luna/scans/b.nii");
  fs::create_directories(folder / "luna/splits");
  const fs::path list = folder / "luna/splits/fold0.json";
  write_text_file(list, R"({"training": [{"image": "scans/a.nii", "box": [[1, 2, 3, 4, 5, 6]], "label": [0]}],
                            "validation": [{"image": "scans/b.nii", "box": [], "label": []}]})");
  CHECK(is_dataset(list));
  const Dataset d = read_dataset(list);
  CHECK(d.labels == std::vector<std::string>{"class 0"});
  REQUIRE((d.cases.size() == 2 && d.split));
  CHECK(d.cases[0].targets.at("box") == "[[1,2,3,4,5,6]]");
  CHECK(d.split->validation == std::vector<std::string>{"b"});
  write_text_file(list, R"({"training": [{"image": "scans/a.nii", "box": [[1, 2, 3, 4, 5, 6]], "label": [-1]}]})");
  CHECK_THAT(refusal_of(list), Contains("fold0.json") && Contains("0 to 999"));
  write_text_file(list, R"({"training": [{"image": "scans/b.nii", "label": []}, {"image": "scans/a.nii", "box": [], "label": []}]})");
  CHECK_THAT(refusal_of(list), Contains("fold0.json") && Contains("the image b.nii of \"training\" has no \"box\""));
  write_text_file(list, R"({"training": [{"image": "/etc/passwd", "box": [], "label": []}]})");
  CHECK_THAT(refusal_of(list), Contains("lies elsewhere"));
}

TEST_CASE("a folder of nnDetection is a data set, whose objects have their classes beside their labels") {
  const TemporaryFolder folder;
  const fs::path raw = folder / "Task000/raw_splitted";
  for (const char* name : {"imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz", "imagesTs/b_0000.nii.gz", "labelsTs/b.nii.gz"}) {
    fs::create_directories((raw / name).parent_path());
    write_volume(raw / name, {Tensor::zeros({3, 4, 5, 1}, DType::u8), Affine()});
  }
  write_text_file(folder / "Task000/dataset.json", R"({"task": "Task000", "name": "Example", "test_labels": true, "dim": 3,
    "labels": {"0": "nodule"}, "modalities": {"0": "CT"}})");
  const Dataset d = read_dataset(folder / "Task000");
  CHECK(d.labels == std::vector<std::string>{"nodule"});
  CHECK(d.channel_names == std::vector<std::string>{"CT"});
  CHECK(d.warnings.empty());
  REQUIRE((d.cases.size() == 1 && d.tests.size() == 1));
  CHECK((d.cases[0].id == "a" && d.cases[0].images[0] == raw / "imagesTr/a_0000.nii.gz" && d.cases[0].label == raw / "labelsTr/a.nii.gz"));
  CHECK((d.tests[0].id == "b" && d.tests[0].label == raw / "labelsTs/b.nii.gz"));
}
