#include <algorithm>

#include "core/config/json_values.h"
#include "data/case_store.h"
#include "data/readers/csv.h"
#include "data/readers/dataset_reader.h"
#include "io/formats/numpy/image_stack.h"
#include "io/formats/numpy/npy.h"
#include "io/image.h"
#include "io/zip.h"
#include "tests/catch.h"
#include "tests/outside_data.h"
#include "tests/temporary_folder.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Arrays of bytes by name, element i of each being `first` + i modulo 256.
struct Array {
  std::string name;
  Shape shape;
  int first = 0, modulus = 256;
};
void write_archive(const fs::path& path, const std::vector<Array>& arrays) {
  ZipWriter zip(path);
  for (const Array& a : arrays) {
    std::string bytes = npy_header(a.shape, Stored::u8);
    for (int64_t i = 0; i < a.shape.count(); ++i) bytes += char((a.first + i) % a.modulus);
    zip.begin(a.name + ".npy");
    zip.write(std::as_bytes(std::span(bytes)));
  }
  zip.commit();
}

std::vector<Array> grey(int64_t train, int64_t val, int64_t test) {
  return {{"train_images", {train, 4, 5}}, {"train_labels", {train, 1}, 0, 2}, {"val_images", {val, 4, 5}, 7},
          {"val_labels", {val, 1}, 1, 2},  {"test_images", {test, 4, 5}, 9},   {"test_labels", {test, 1}, 0, 2}};
}

std::string ids(const std::vector<DatasetCase>& cases) {
  std::string out;
  for (auto& c : cases) out += (out.empty() ? "" : " ") + c.id + "=" + (c.targets.contains("class") ? c.targets.at("class") : "?");
  return out;
}

void put_image(const fs::path& path, float value = 0) {
  fs::create_directories(path.parent_path());
  write_volume(path, {Tensor::full({1, 4, 4, 1}, value), Affine()});
}

}  // namespace

TEST_CASE("an archive of MedMNIST is a data set with its own split, and its images are slices, volumes or colours") {
  const TemporaryFolder folder;
  const fs::path file = folder / "medmnist.npz";
  write_archive(file, grey(3, 2, 2));
  const Dataset d = read_dataset(file);
  CHECK(d.name == "medmnist");
  CHECK(ids(d.cases) == "train_000000=0 train_000001=1 train_000002=0 val_000000=1 val_000001=0");
  CHECK(ids(d.tests) == "test_000000=0 test_000001=1");
  CHECK(d.labels == std::vector<std::string>{"0", "1"});
  CHECK(d.channel_names == std::vector<std::string>{"image"});
  REQUIRE(d.split);
  CHECK(d.split->training == std::vector<std::string>{"train_000000", "train_000001", "train_000002"});
  CHECK(d.split->validation == std::vector<std::string>{"val_000000", "val_000001"});
  const Volume second = read_case_image(d.cases[1]);
  CHECK(second.data.shape() == Shape{1, 4, 5, 1});
  CHECK(second.data.values()[0] == 20);
  CHECK(second.data.values()[19] == 39);
  CHECK(ids(list_images(file)) == ids(d.tests));

  write_archive(file, {{"train_images", {2, 3, 4, 5}}, {"train_labels", {2, 1}, 0, 2}});
  const Dataset volumes = read_dataset(file);
  CHECK(!volumes.split);
  CHECK(read_case_image(volumes.cases[1]).data.shape() == Shape{3, 4, 5, 1});
  CHECK(read_case_image(volumes.cases[1]).data.values()[0] == 60);

  write_archive(file, {{"train_images", {2, 4, 5, 3}}, {"train_labels", {2, 2}, 0, 2}});
  const Dataset colours = read_dataset(file);
  CHECK(colours.channel_names.size() == 3);
  CHECK(ids(colours.cases) == "train_000000=[1] train_000001=[1]");
  const Tensor c = read_case_image(colours.cases[0]).data;
  CHECK(c.shape() == Shape{1, 4, 5, 3});
  CHECK(c.values()[4] == 4);
}

TEST_CASE("an archive whose arrays do not fit each other is refused by its name") {
  const TemporaryFolder folder;
  const fs::path file = folder / "a.npz";
  const auto error = [&](const std::vector<Array>& arrays) {
    write_archive(file, arrays);
    return error_of([&] { read_dataset(file); });
  };
  auto arrays = grey(3, 2, 2);
  arrays[1].shape = {4, 1};
  CHECK_THAT(error(arrays), Contains("train_labels has 4 rows for 3 images"));
  arrays = grey(3, 2, 2);
  arrays[3].shape = {2, 3};
  CHECK_THAT(error(arrays), Contains("val_labels has 3 columns, that of train 1"));
  CHECK_THAT(error({{"train_images", {2, 5}}, {"train_labels", {2, 1}}}), Contains("wanted are images {N, H, W}"));
  CHECK_THAT(error({{"train_images", {300, 1, 1}}, {"train_labels", {300, 2}}}), Contains("wanted is 0 or 1"));
  CHECK_THAT(error({{"images", {2, 5, 5}}}), Contains(": is no data set; a data set is"));
}

TEST_CASE("the archives of MedMNIST are read as NumPy reads them") {
  const fs::path folder = outside_data("medmnist");
  if (folder.empty()) return;
  const Dataset breast = read_dataset(folder / "breastmnist.npz");
  CHECK(breast.cases.size() == 546 + 78);
  CHECK(breast.tests.size() == 156);
  CHECK(breast.split->validation.size() == 78);
  const Dataset adrenal = read_dataset(folder / "adrenalmnist3d.npz");
  CHECK(adrenal.cases.size() == 1188 + 98);
  CHECK(adrenal.tests.size() == 298);
  CHECK(read_case_image(adrenal.tests[7]).data.shape() == Shape{28, 28, 28, 1});
}

TEST_CASE("folders named by classes are a data set, with the parts that they are sorted into") {
  const TemporaryFolder folder;
  for (const char* name : {"b/1.nii.gz", "a/1.nii.gz", "a/2.nii.gz"}) put_image(folder / "flat" / name, 3);
  const Dataset flat = read_dataset(folder / "flat");
  CHECK(ids(flat.cases) == "a_1=\"a\" a_2=\"a\" b_1=\"b\"");
  CHECK(flat.labels == std::vector<std::string>{"a", "b"});
  CHECK(!flat.split);
  CHECK(flat.file_ending == ".nii.gz");
  for (const char* name : {"train/10/1.nii", "train/9/1.nii", "valid/9/1.nii", "test/10/1.nii"}) put_image(folder / "parts" / name);
  const Dataset parts = read_dataset(folder / "parts");
  CHECK(parts.labels == std::vector<std::string>{"9", "10"});
  CHECK(ids(parts.cases) == "train_10_1=\"10\" train_9_1=\"9\" val_9_1=\"9\"");
  CHECK(ids(parts.tests) == "test_10_1=\"10\"");
  CHECK(parts.split->validation == std::vector<std::string>{"val_9_1"});
  put_image(folder / "one/a/1.nii");
  CHECK_THAT(error_of([&] { read_dataset(folder / "one"); }), Contains("is no data set"));
}

TEST_CASE("a table of files is a data set") {
  const TemporaryFolder folder;
  for (const char* name : {"x.nii", "y.nii", "sub/z.nii", "w, really.nii"}) put_image(folder / name);
  const fs::path table = folder / "list.csv";
  put_bytes(table, "image;Label;split;age\nx.nii;ill;train;60\n\"y.nii\";well;val;n/a\r\nsub/z.nii;well;test;1.5\n\n"
                   "\"w, really.nii\";ill;;7\n");
  const Dataset d = read_dataset(table);
  CHECK(ids(d.cases) == "w, really=\"ill\" x=\"ill\" y=\"well\"");
  CHECK(ids(d.tests) == "z=\"well\"");
  CHECK(d.split->validation == std::vector<std::string>{"y"});
  CHECK(d.cases[1].targets.at("age") == "60");
  CHECK(!d.cases[2].targets.contains("age"));
  CHECK(d.tests[0].targets.at("age") == "1.5");
  CHECK(ids(list_images(table)) == "z=\"well\"");
  const auto error = [&](const std::string& text) {
    put_bytes(table, text);
    return error_of([&] { read_dataset(table); });
  };
  CHECK_THAT(error("label\nx\n"), Contains("has no column \"image\" with the names of files; it has label"));
  CHECK_THAT(error("image,label\nx.nii\n"), Contains("line 2 has 1 fields, the first line has 2"));
  CHECK_THAT(error("image\nq.nii\n"), Contains("row 1: there is no file"));
  CHECK_THAT(error("image,split\nx.nii,both\n"), Contains("none of train, val and test"));
  CHECK_THAT(error("image\n\"x.nii\n"), Contains("a quote that does not end"));
  CHECK_THAT(error("image\nx.nii\nx.nii\n"), Contains("the case x occurs twice"));
  CHECK_THAT(error("image,id\nx.nii,../../y\n"), Contains("has a / in it"));
  CHECK_THAT(error("image\n"), Contains("no training case"));
  CHECK_THAT(error(""), Contains("is empty"));
}

TEST_CASE("files of the same name in folders of their own are cases by the names of these") {
  const TemporaryFolder folder;
  for (const char* name : {"scans/p1/image.nii", "scans/p2/image.nii", "scans/more/p2/image.nii", "scans/x.nii"}) put_image(folder / name);
  put_bytes(folder / "list.csv",
            "image,label,id\nscans/p1/image.nii,ill,\n./scans/p2/image.nii,well,\nscans/more/p2/image.nii,well,\nscans/x.nii,ill,mine\n");
  const Dataset d = read_dataset(folder / "list.csv");
  CHECK(ids(d.cases) == "mine=\"ill\" more_p2_image=\"well\" p1_image=\"ill\" p2_image=\"well\"");
  CHECK(source_of(d) == (folder / "list.csv").string());
  put_bytes(folder / "dataset.json", R"({"modality": {"0": "CT"}, "labels": {"0": "background", "1": "lung"}, "training": [
    {"image": "scans/p1/image.nii", "label": "scans/p1/image.nii"}, {"image": "scans/p2/image.nii", "label": "scans/p2/image.nii"}],
    "test": ["scans/p2/image.nii", "scans/more/p2/image.nii"]})");
  const Dataset listed = read_dataset(folder.path());
  CHECK(ids_of(listed) == std::vector<std::string>{"p1_image", "p2_image"});
  REQUIRE(listed.tests.size() == 2);
  CHECK(listed.tests[0].id == "more_p2_image");
  CHECK(listed.tests[1].id == "p2_image");
  CHECK(source_of(listed) == (folder / "dataset.json").string());
}

TEST_CASE("labels of a table that end as images do are files") {
  const TemporaryFolder folder;
  for (const char* name : {"a.nii.gz", "b.nii.gz", "clean_a.nii.gz"}) write_volume(folder / name, {Tensor::zeros({2, 3, 4, 1}), {}});
  const auto table = [&](const std::string& label_of_b) {
    put_bytes(folder / "t.csv", "image,label\na.nii.gz,clean_a.nii.gz\nb.nii.gz," + label_of_b + "\n");
    return read_dataset(folder / "t.csv");
  };
  const Dataset d = table("");
  REQUIRE(d.cases.size() == 2);
  CHECK(d.cases[0].label == folder / "clean_a.nii.gz");
  CHECK(d.cases[1].label.empty());
  CHECK(d.labels.empty());
  CHECK(d.cases[0].targets.count("class") == 0);
  CHECK_THAT(error_of([&] { table("clean_b.nii.gz"); }), Contains("row 2") && Contains("clean_b.nii.gz"));
  const Dataset classes = table("tumour");  // no file: all of them are classes
  CHECK(classes.labels.size() == 2);
  CHECK(classes.cases[0].label.empty());
}

TEST_CASE("a table whose labels are lists gives each case its classes") {
  const TemporaryFolder folder;
  for (const char* name : {"x.nii", "y.nii", "z.nii", "w.nii"}) put_image(folder / name);
  put_bytes(folder / "list.csv", "image,label\nx.nii,mass; cyst\ny.nii,mass\nz.nii,\nw.nii,cyst|10|9\n");
  const Dataset d = read_dataset(folder / "list.csv");
  CHECK(d.labels == std::vector<std::string>{"9", "10", "cyst", "mass"});
  CHECK(ids(d.cases) == R"(w=["cyst","10","9"] x=["mass","cyst"] y=["mass"] z=[])");
}

TEST_CASE("columns of 0 and 1 are the classes of a table without labels") {
  const TemporaryFolder folder;
  for (const char* name : {"x.nii", "y.nii", "z.nii"}) write_volume(folder / name, {Tensor::zeros({2, 2, 2, 1}), {}});
  const auto classes = [&](const std::string& text) {
    put_bytes(folder / "list.csv", text);
    std::vector<std::string> out;
    const Dataset d = read_dataset(folder / "list.csv");
    for (auto& c : d.cases) out.push_back(c.targets.contains("class") ? c.targets.at("class") : "none");
    for (auto& name : d.labels) out.push_back(name);
    return out;
  };
  using Names = std::vector<std::string>;
  CHECK(classes("image,mass,age,cyst\nx.nii,1,3,1\ny.nii,0,1,1.0\nz.nii,0,0,0\n") ==
        Names{R"(["mass","cyst"])", R"(["cyst"])", "[]", "cyst", "mass"});
  CHECK(classes("image,mass,cyst\nx.nii,1,0\ny.nii,0,1\nz.nii,1.0,0\n") == Names{R"("mass")", R"("cyst")", R"("mass")", "cyst", "mass"});
  // A class that no image is of is one all the same.
  CHECK(classes("image,rib,mass,cyst\nx.nii,0,1,1\ny.nii,0,0,1\nz.nii,0,0,0\n") ==
        Names{R"(["mass","cyst"])", R"(["cyst"])", "[]", "cyst", "mass", "rib"});
  // One such column is a value, and a column of labels is what counts.
  CHECK(classes("image,mass,age\nx.nii,1,3\ny.nii,0,1\nz.nii,0,0\n") == Names{"none", "none", "none"});
  CHECK(classes("image,mass,cyst,label\nx.nii,1,0,a\ny.nii,1,1,b\nz.nii,1,0,a\n") == Names{R"("a")", R"("b")", R"("a")", "a", "b"});
}

TEST_CASE("fields of a table may hold separators, quotes and line breaks") {
  const CsvTable t = parse_csv("a,b\n\"1,2\",\"say \"\"so\"\"\"\n\"two\nlines\",\n", "t");
  REQUIRE(t.rows.size() == 2);
  CHECK(t.rows[0] == std::vector<std::string>{"1,2", "say \"so\""});
  CHECK(t.rows[1] == std::vector<std::string>{"two\nlines", ""});
  CHECK(t.column("b") == 1);
  CHECK(t.column("c") == -1);
}
