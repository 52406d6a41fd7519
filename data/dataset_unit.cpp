#include "data/dataset.h"

#include "data/case_store.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
void touch(const fs::path& path) {
  fs::create_directories(path.parent_path());
  put_bytes(path, "x");
}
std::string error_with(const TemporaryFolder& folder, const std::string& json) {
  put_bytes(folder / "dataset.json", json);
  return error_of([&] { read_dataset(folder.path()); });
}
const char* const kLabels = R"("labels": {"0": "background", "1": "kidney", "2": "tumour"})";
}  // namespace

TEST_CASE("a data set in the layout of the Medical Segmentation Decathlon") {
  const TemporaryFolder folder;
  for (const char* id : {"b_2", "a_10", "a_9"})
    touch(folder / "imagesTr" / (std::string(id) + ".nii.gz")), touch(folder / "labelsTr" / (std::string(id) + ".nii.gz"));
  touch(folder / "imagesTr" / "._b_2.nii.gz");
  touch(folder / "imagesTs" / "t_1.nii.gz");
  put_bytes(folder / "dataset.json", std::string(R"({"name": "Kidney", "modality": {"0": "CT"}, )") + kLabels +
                                         R"(, "numTraining": 3, "test": ["./imagesTs/t_1.nii.gz"],
    "training": [{"image": "./imagesTr/b_2.nii.gz", "label": "./labelsTr/b_2.nii.gz"},
                 {"image": "./imagesTr/a_9.nii.gz", "label": "./labelsTr/a_9.nii.gz"},
                 {"image": "imagesTr/a_10.nii.gz", "label": "labelsTr/a_10.nii.gz"}]})");
  const Dataset d = read_dataset(folder.path());
  CHECK(d.name == "Kidney");
  CHECK(d.channel_names == std::vector<std::string>{"CT"});
  CHECK(d.labels == std::vector<std::string>{"background", "kidney", "tumour"});
  REQUIRE(d.cases.size() == 3);
  CHECK(d.cases[0].id == "a_10");
  CHECK(d.cases[2].id == "b_2");
  CHECK(d.cases[2].images == std::vector<fs::path>{folder.path() / "imagesTr/b_2.nii.gz"});
  CHECK(d.cases[2].label == folder.path() / "labelsTr/b_2.nii.gz");
  REQUIRE(d.tests.size() == 1);
  CHECK(d.tests[0].label.empty());
}

TEST_CASE("a data set in the layout of nnU-Net v2") {
  const TemporaryFolder folder;
  for (const char* file : {"imagesTr/k_2_0001.mha", "imagesTr/k_2_0000.mha", "imagesTr/k_1_0000.mha", "imagesTr/k_1_0001.mha",
                           "labelsTr/k_1.mha", "labelsTr/k_2.mha"})
    touch(folder / file);
  const std::string json =
      R"({"channel_names": {"0": "T1", "1": "T2"}, "labels": {"tumour": 1, "background": 0}, "numTraining": 2, "file_ending": ".mha"})";
  put_bytes(folder / "dataset.json", json);
  const Dataset d = read_dataset(folder.path());
  CHECK(d.channel_names == std::vector<std::string>{"T1", "T2"});
  CHECK(d.labels == std::vector<std::string>{"background", "tumour"});
  REQUIRE(d.cases.size() == 2);
  CHECK(d.cases[1].id == "k_2");
  CHECK(d.cases[1].images == std::vector<fs::path>{folder.path() / "imagesTr/k_2_0000.mha", folder.path() / "imagesTr/k_2_0001.mha"});
  CHECK(d.cases[1].label == folder.path() / "labelsTr/k_2.mha");
  fs::remove(folder / "imagesTr/k_2_0001.mha");
  CHECK_THAT(error_with(folder, json), Contains("k_2") && Contains("channel 1 (T2)"));
  touch(folder / "imagesTr/k_2_0001.mha");
  fs::remove(folder / "labelsTr/k_1.mha");
  CHECK_THAT(error_with(folder, json), Contains("k_1.mha"));
}

TEST_CASE("what is written reads back the same") {
  const TemporaryFolder folder;
  Dataset d{.name = "Phantoms", .root = folder.path(), .channel_names = {"a", "b"}, .labels = {"background", "x"}};
  for (const char* id : {"p_1", "p_2"}) {
    DatasetCase c{.id = id, .label = folder / "labelsTr" / (std::string(id) + ".nii.gz")};
    for (const char* channel : {"_0000", "_0001"})
      c.images.push_back(folder / "imagesTr" / (std::string(id) + channel + ".nii.gz")), touch(c.images.back());
    touch(c.label);
    d.cases.push_back(c);
  }
  touch(folder / "imagesTs/q.nii.gz");
  d.tests = {{.id = "q", .images = {folder / "imagesTs/q.nii.gz"}}};
  write_dataset_json(d);
  const Dataset back = read_dataset(folder.path());
  CHECK(back.name == d.name);
  CHECK(back.channel_names == d.channel_names);
  CHECK(back.labels == d.labels);
  CHECK(back.file_ending == d.file_ending);
  REQUIRE(back.cases.size() == 2);
  CHECK(back.cases[1].id == "p_2");
  CHECK(back.cases[1].images == d.cases[1].images);
  CHECK(back.cases[1].label == d.cases[1].label);
  CHECK(back.tests[0].id == "q");
}

TEST_CASE("a data set that is not right is refused with its reason") {
  const TemporaryFolder folder;
  CHECK_THAT(error_of([&] { read_dataset(folder / "absent"); }), Contains("no such file or folder"));
  CHECK_THAT(error_of([&] { read_dataset(folder.path()); }), Contains("no dataset.json"));
  touch(folder / "a.nii.gz");
  const std::string start = R"({"modality": {"0": "CT"}, )";
  const std::string one = R"(, "training": [{"image": "a.nii.gz", "label": "a.nii.gz"}]})";
  CHECK(error_with(folder, start + kLabels + one).empty());
  CHECK_THAT(error_with(folder, start + kLabels + R"(, "training": []})"), Contains("empty"));
  CHECK_THAT(error_with(folder, start + kLabels + "}"), Contains("empty"));
  CHECK_THAT(error_with(folder, start + kLabels + R"(, "training": [{"image": "b.nii.gz", "label": "a.nii.gz"}]})"), Contains("b.nii.gz"));
  CHECK_THAT(error_with(folder, start + kLabels + R"(, "training": [{"image": "x/../../a.nii.gz", "label": "a.nii.gz"}]})"),
             Contains("outside"));
  CHECK_THAT(error_with(folder, start + kLabels + R"(, "training": [{"image": "/etc/passwd", "label": "a.nii.gz"}]})"),
             Contains("outside"));
  CHECK_THAT(error_with(folder, start + kLabels + R"(, "training": [3]})"), Contains("file name"));
  CHECK_THAT(error_with(folder, start + R"("labels": {"0": "background", "2": "x"})" + one), Contains("1 is missing"));
  CHECK_THAT(error_with(folder, start + R"("labels": {"background": 0, "x": 0})" + one), Contains("twice"));
  CHECK_THAT(error_with(folder, start + R"("labels": {"background": 0, "whole": [1, 2]})" + one), Contains("region"));
  CHECK_THAT(error_with(folder, start + R"("labels": [])" + one), Contains("labels"));
  CHECK_THAT(error_with(folder, R"({"labels": {"0": "background"}})"), Contains("channel_names"));
  CHECK_THAT(error_with(folder, "{\n  \"labels\": {,}\n}"), Contains("dataset.json:2:14"));
}

TEST_CASE("an image that is listed stands for the files of its channels, as in nnU-Net v1") {
  const TemporaryFolder folder;
  for (const char* file : {"imagesTr/c0_0000.nii.gz", "imagesTr/c0_0001.nii.gz", "imagesTr/c1_0000.nii.gz", "imagesTr/c1_0001.nii.gz",
                           "labelsTr/c0.nii.gz", "labelsTr/c1.nii.gz", "imagesTs/t_0000.nii.gz", "imagesTs/t_0001.nii.gz"})
    touch(folder / file);
  const std::string json =
      std::string(R"({"modality": {"0": "T1", "1": "T2"}, )") + kLabels + R"(, "test": ["./imagesTs/t.nii.gz"], "training": [
    {"image": "./imagesTr/c0.nii.gz", "label": "./labelsTr/c0.nii.gz"},
    {"image": "./imagesTr/c1_0000.nii.gz", "label": "./labelsTr/c1.nii.gz"}]})";
  CHECK(error_with(folder, json).empty());
  const Dataset d = read_dataset(folder.path());
  CHECK(d.warnings.empty());
  for (int i = 0; i < 2; ++i) {
    const std::string id = "c" + std::to_string(i);
    CHECK(d.cases[size_t(i)].id == id);
    CHECK(d.cases[size_t(i)].images ==
          std::vector<fs::path>{folder / ("imagesTr/" + id + "_0000.nii.gz"), folder / ("imagesTr/" + id + "_0001.nii.gz")});
  }
  REQUIRE(d.tests.size() == 1);
  CHECK(d.tests[0].id == "t");
  CHECK(d.tests[0].images.size() == 2);
  fs::remove(folder / "imagesTr/c0_0001.nii.gz");
  CHECK_THAT(error_with(folder, json), Contains("c0.nii.gz") && Contains("channel 1 (T2) is missing"));
}

TEST_CASE("test cases that are missing or malformed stop nobody, and are named") {
  const TemporaryFolder folder;
  for (const char* file : {"imagesTr/a_0000.nii", "labelsTr/a.nii", "imagesTs/t_0000.nii"}) touch(folder / file);
  const std::string start = R"({"channel_names": {"0": "CT"}, "file_ending": ".nii", "labels": {"background": 0, "x": 1})";
  const std::string listed = start + R"(, "training": [{"image": "imagesTr/a_0000.nii", "label": "labelsTr/a.nii"}])";
  const auto tests_of = [&](const std::string& json) {
    put_bytes(folder / "dataset.json", json);
    return read_dataset(folder.path());
  };
  const Dataset gone = tests_of(listed + R"(, "test": ["imagesTs/t_0000.nii", "imagesTs/u.nii", 3, {"label": 1}, "../x.nii"]})");
  CHECK(gone.tests.size() == 1);
  REQUIRE(gone.warnings.size() == 1);
  CHECK_THAT(gone.warnings[0], Contains("4 test cases are left out") && Contains("imagesTs/u.nii"));
  CHECK_THAT(tests_of(listed + R"(, "test": 5})").warnings.at(0), Contains("\"test\" is no list"));
  CHECK(tests_of(listed + R"(, "test": ["imagesTs/t_0000.nii", "imagesTs/t_0000.nii"]})").tests.size() == 1);
  for (const char* odd : {"imagesTs/odd.nii", "imagesTs/v_0001.nii"}) touch(folder / odd);
  const Dataset d = tests_of(start + "}");
  REQUIRE(d.tests.size() == 1);
  CHECK(d.tests[0].id == "t");
  CHECK_THAT(d.warnings.at(0), Contains("2 test cases are left out") && Contains("and others"));
}

TEST_CASE("cases of a list without labels have the names that a folder of their images gives") {
  const TemporaryFolder folder;
  for (const char* file : {"im/a_0000.nii", "im/b_0000.nii", "im/b_0001.nii", "lb/c_0000.nii"}) touch(folder / file);
  const auto ids_listed = [&](const std::string& training, const std::string& tests) {
    put_bytes(folder / "dataset.json", R"({"channel_names": {"0": "CT"}, "labels": {"background": 0, "x": 1}, "training": [)" + training +
                                           R"(], "test": [)" + tests + "]}");
    const Dataset d = read_dataset(folder.path());
    std::string out;
    for (auto* cases : {&d.cases, &d.tests})
      for (const DatasetCase& c : *cases) out += c.id + " ";
    return out;
  };
  const std::string a = R"({"image": "im/a_0000.nii", "class": "x"})", b = R"({"image": "im/b_0000.nii", "class": "x"})";
  CHECK(ids_listed(a + ", " + b, R"("im/b_0000.nii")") == "a b b ");
  // Names that end in other numbers are names; that of a label is one whatever its end.
  CHECK(ids_listed(a + R"(, {"image": "im/b_0001.nii"})", R"("im/b_0001.nii")") == "a_0000 b_0001 b_0001 ");
  CHECK(ids_listed(a + R"(, {"image": "im/b_0000.nii", "label": "lb/c_0000.nii"})", "") == "a c_0000 ");
}

TEST_CASE("what of dataset.json means nothing here is said once") {
  const TemporaryFolder folder;
  touch(folder / "a.nii.gz");
  const std::string start =
      std::string(R"({"modality": {"0": "CT"}, "training": [{"image": "a.nii.gz", "label": "a.nii.gz"}], )") + kLabels;
  const auto warnings_of = [&](const std::string& more) {
    put_bytes(folder / "dataset.json", start + more + "}");
    return read_dataset(folder.path()).warnings;
  };
  CHECK(warnings_of(R"(, "numTraining": 1, "licence": "CC", "overwrite_image_reader_writer": "Tiff3DIO", "name": "x")").empty());
  const auto unknown = warnings_of(R"(, "validation": [], "nothing": 1)");
  REQUIRE(unknown.size() == 1);
  CHECK_THAT(unknown[0], Contains("dataset.json: \"validation\", \"nothing\""));
  CHECK_THAT(warnings_of(R"(, "overwrite_image_reader_writer": "MyIO")").at(0), Contains("MyIO"));
  CHECK_THAT(warnings_of(R"(, "numTraining": 7)").at(0), Contains("\"numTraining\" is 7, but there are 1 cases"));
}

TEST_CASE("images to predict are found") {
  const TemporaryFolder folder;
  CHECK_THAT(error_of([&] { list_images(folder.path()); }), Contains("without images"));
  CHECK_THAT(error_of([&] { list_images(folder / "absent"); }), Contains("no such file"));
  for (const char* name : {"case_0001.nii.gz", "case_0000.nii.gz", "case_0002.nii.gz", "._case_0000.nii.gz", "notes.txt"})
    touch(folder / name);
  const auto single = list_images(folder.path());
  REQUIRE(single.size() == 3);  // without channels to tell of, these are names
  CHECK(single[1].id == "case_0001");
  CHECK(list_images(folder / "case_0001.nii.gz")[0].images[0] == folder / "case_0001.nii.gz");
  const auto channels = list_images(folder.path(), 3);
  REQUIRE(channels.size() == 1);
  CHECK(channels[0].id == "case");
  CHECK(channels[0].images[2] == folder / "case_0002.nii.gz");
  CHECK(list_images(folder.path(), 2).size() == 3);

  const TemporaryFolder other;
  for (const char* name : {"b_0000.nrrd", "a_0000.nrrd"}) touch(other / name);
  CHECK(list_images(other.path())[0].id == "a");

  // A case that lacks a channel is there, and says so; what holds all channels itself is whole.
  const TemporaryFolder part;
  const auto put = [&](const char* name, int64_t channels) { write_volume(part / name, {Tensor::zeros({1, 2, 2, channels}), {}}); };
  put("c0_0000.nii", 1), put("c0_0001.nii", 1), put("c1_0000.nii", 1), put("c2_0001.nii", 1), put("c3_0000.nii", 2), put("c4.nii", 2);
  put("c5_0001.nii", 2), put("c5_0000.nii", 2);
  const auto some = list_images(part.path(), 2);
  REQUIRE(some.size() == 7);
  CHECK((some[0].id == "c0" && some[0].fault.empty() && some[0].images.size() == 2));
  CHECK_THAT(some[1].fault, Contains("the case c1 lacks channel 1 (c1_0001.nii)"));
  CHECK_THAT(some[2].fault, Contains("the case c2 lacks channel 0 (c2_0000.nii)"));
  CHECK((some[3].id == "c3" && some[3].fault.empty()));
  CHECK((some[4].id == "c4" && some[4].fault.empty()));
  CHECK((some[5].id == "c5_0000" && some[6].id == "c5_0001" && some[5].fault.empty()));
  CHECK_THAT(error_of([&] { read_case_image(some[1]); }), Contains("lacks channel 1"));
  put("c0_0000.nii.gz", 1);
  CHECK_THAT(list_images(part.path(), 2)[0].fault, Contains("c0_0000.nii") && Contains("is there too"));
}
