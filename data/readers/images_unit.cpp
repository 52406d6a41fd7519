#include "core/config/json_values.h"
#include "data/readers/dataset_reader.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "train/setup.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

void put_channels(const fs::path& path, int64_t channels = 1) {
  fs::create_directories(path.parent_path());
  write_volume(path, {Tensor::zeros({4, 4, 4, channels}), Affine()});
}

std::string files_of_cases(const std::vector<DatasetCase>& cases) {
  std::string out;
  for (auto& c : cases) out += (out.empty() ? "" : " ") + c.id + ":" + std::to_string(c.images.size());
  return out;
}

}  // namespace

TEST_CASE("a folder of images alone is a data set without labels") {
  const TemporaryFolder folder;
  for (const char* name : {"b.nii.gz", "a.nii.gz", "c.mha"}) put_channels(folder / "plain" / name);
  write_text_file(folder / "plain/notes.txt", "not an image");
  const Dataset d = read_dataset(folder / "plain");
  CHECK(d.name == "plain");
  CHECK(files_of_cases(d.cases) == "a:1 b:1 c:1");
  CHECK(d.channel_names == std::vector<std::string>{"image"});
  CHECK(d.labels.empty());
  CHECK(d.tests.empty());
  CHECK_FALSE(d.split);
  CHECK(is_dataset(folder / "plain", true));
  CHECK_FALSE(is_dataset(folder / "plain"));  // images to predict as they were

  TrainConfig config;
  apply_assignments(config, {"task=masked_reconstruction", "data.folds=3"});
  CHECK(set_up(folder / "plain", config, folder / "none").split.training.size() == 2);
  TrainConfig other;
  apply_assignments(other, {"task=classification", "data.folds=3"});
  CHECK_THAT(error_of([&] { set_up(folder / "plain", other, folder / "none"); }), Contains("plain") && Contains("declares 0 classes"));
  CHECK_THAT(error_of([&] { check_all_labelled(d); }), Contains("plain") && Contains("has no label"));
}

TEST_CASE("images whose names end in the number of a channel are channels of a case, where all of them do") {
  const TemporaryFolder folder;
  for (const char* name : {"p1_0000.nii.gz", "p1_0001.nii.gz", "p2_0000.nii.gz", "p2_0001.nii.gz"}) put_channels(folder / "two" / name);
  const Dataset two = read_dataset(folder / "two");
  CHECK(files_of_cases(two.cases) == "p1:2 p2:2");
  CHECK(two.channel_names.size() == 2);
  put_channels(folder / "one/p1_0000.nii.gz");
  CHECK(files_of_cases(read_dataset(folder / "one").cases) == "p1:1");
  put_channels(folder / "two/p3_0001.nii.gz");
  const std::vector<DatasetCase> lacking = read_dataset(folder / "two").cases;
  REQUIRE(lacking.size() == 3);
  CHECK_THAT(lacking[2].fault, Contains("p3 lacks channel 0"));
  put_channels(folder / "two/scan.nii.gz");
  CHECK(files_of_cases(read_dataset(folder / "two").cases) == "p1_0000:1 p1_0001:1 p2_0000:1 p2_0001:1 p3_0001:1 scan:1");
  put_channels(folder / "rgb/a.nii.gz", 3);
  CHECK(read_dataset(folder / "rgb").channel_names.size() == 3);
}

TEST_CASE("what another form of data sets knows is no folder of images") {
  const TemporaryFolder folder;
  put_channels(folder / "set/a.nii.gz");
  write_text_file(folder / "set/dataset.json", "{");
  CHECK_THAT(error_of([&] { read_dataset(folder / "set"); }), Contains("dataset.json"));
  fs::create_directories(folder / "empty");
  CHECK_THAT(error_of([&] { read_dataset(folder / "empty"); }), Contains("a folder of images alone"));
}

TEST_CASE("what two forms know is that with labels") {
  const TemporaryFolder folder;
  put_channels(folder / "voc/JPEGImages/a.nii");
  put_channels(folder / "voc/b.nii");
  fs::create_directories(folder / "voc/Annotations");
  write_text_file(folder / "voc/Annotations/a.xml",
                  "<annotation><filename>a.nii</filename><size><width>4</width><height>4</height></size><object><name>cell</name>"
                  "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object></annotation>");
  REQUIRE(is_dataset(folder / "voc"));
  CHECK(read_dataset(folder / "voc").cases.at(0).targets.contains("boxes"));
}
