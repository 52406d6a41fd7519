// Tables and folders as people have them: spaces, encodings, numbers in several spellings, files where none are wanted.
#include <cmath>

#include "data/dataset.h"
#include "data/readers/csv.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/dicom_bytes.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;
using Names = std::vector<std::string>;

namespace {

void put_volume(const fs::path& path) {
  fs::create_directories(path.parent_path());
  write_volume(path, {Tensor::zeros({1, 4, 4, 1}), Affine()});
}

// Of a table with the columns image and label.
Dataset labelled_as(const TemporaryFolder& folder, const Names& labels) {
  std::string text = "image,label\n";
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::string name(1, char('a' + i));
    put_volume(folder / (name + ".nii"));
    text += name + ".nii," + labels[i] + "\n";
  }
  put_bytes(folder / "t.csv", text);
  return read_dataset(folder / "t.csv");
}

std::string all(const Names& lines) {
  std::string out;
  for (auto& line : lines) out += line + "\n";
  return out;
}

}  // namespace

TEST_CASE("spaces around fields of a table count within quotes alone") {
  const CsvTable t = parse_csv("image, label ,\"kept \" , \"q\"\n a.nii,ill\t,\" x \",\"y\"\n , , ,\n\"\",\"\",,\n", "t");
  CHECK(t.columns == Names{"image", "label", "kept ", "q"});
  REQUIRE(t.rows.size() == 2);  // a line of nothing but separators is none
  CHECK(t.rows[0] == Names{"a.nii", "ill", " x ", "y"});
  CHECK(t.rows[1] == Names{"", "", "", ""});
  const TemporaryFolder folder;
  CHECK(labelled_as(folder, {"ill", " ill", "ill ", "well"}).labels == Names{"ill", "well"});
}

TEST_CASE("a patient whose cases train and validate or test is told, in a table that says who they are of") {
  const auto warnings_of = [](const std::string& last) {
    const TemporaryFolder folder;
    for (const char* name : {"a.nii", "b.nii", "c.nii", "d.nii"}) put_volume(folder / name);
    put_bytes(folder / "t.csv", "image,label,split,Subject\na.nii,ill,train,7\nb.nii,well,train,8\nc.nii,ill,val,9\nd.nii,well," + last);
    return all(read_dataset(folder / "t.csv").warnings);
  };
  CHECK(warnings_of("test,10\n").empty());
  CHECK_THAT(warnings_of("test,8\n"), Contains("validate or test: patients 8"));
  CHECK_THAT(warnings_of("val,7\n"), Contains("validate or test: patients 7"));
  CHECK(warnings_of("val,9\n").empty());
}

TEST_CASE("a table in another encoding is refused for that") {
  CHECK_THAT(error_of([] { parse_csv("image,label\nx,gut\ny,b\xf6se\n", "t"); }), Contains("t: line 3") && Contains("not UTF-8"));
  CHECK_THAT(error_of([] { parse_csv("image\nx\xc3", "t"); }), Contains("line 2"));
  CHECK_THAT(error_of([] { parse_csv(std::string("\xff\xfei\0m\0", 6), "t"); }), Contains("UTF-16"));
  CHECK_THAT(error_of([] { parse_csv(std::string("i\0m\0", 4), "t"); }), Contains("UTF-16"));
  CHECK(parse_csv("image\nb\xc3\xb6se \xe2\x82\xac \xf0\x9f\x98\x80\n", "t").rows[0][0] == "b\xc3\xb6se \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST_CASE("numbers of a table are read in the spellings of other programs, and names that look like some are not") {
  CHECK(number_of_field(".5") == 0.5);
  CHECK(number_of_field("-.5e1") == -5);
  CHECK(number_of_field("1.") == 1);
  CHECK(number_of_field("+3") == 3);
  CHECK(number_of_field("1E+05") == 1e5);
  for (const char* name : {"", "007", "-01", "1,5", "0x10", "inf", "nan", "1 2", "+-3", "e5", "."})
    CHECK(std::isnan(number_of_field(name)));
  CHECK(json_of_field("0") == "0");
  CHECK(json_of_field(".25") == "0.25");
  CHECK(json_of_field("007") == "\"007\"");
}

TEST_CASE("what a table says is missing is neither a class nor a target") {
  const TemporaryFolder folder;
  for (const char* name : {"a.nii", "b.nii", "c.nii"}) put_volume(folder / name);
  put_bytes(folder / "t.csv", "image,label,age\na.nii,nan,NA\nb.nii,none,\nc.nii,2.5,7\n");
  const Dataset d = read_dataset(folder / "t.csv");
  CHECK(d.labels == Names{"2.5", "none"});
  CHECK(d.cases[0].targets.empty());
  CHECK(d.cases[1].targets.size() == 1);
  CHECK(d.cases[2].targets.at("age") == "7");
  // A number among the labels may be learned as one.
  CHECK(d.cases[2].targets.at("label") == "2.5");
  CHECK(d.cases[2].targets.at("class") == "\"2.5\"");
}

TEST_CASE("classes are in the order of their numbers whatever these are, behind which come names") {
  const TemporaryFolder folder;
  CHECK(labelled_as(folder, {"10.0", "2.0", "7.5", "-1", "-2"}).labels == Names{"-2", "-1", "2.0", "7.5", "10.0"});
  CHECK(labelled_as(folder, {"9", "10", "1a", "08", "b"}).labels == Names{"08", "9", "10", "1a", "b"});
  CHECK_THAT(error_of([&] { labelled_as(folder, {"1", "2", "1.0"}); }), Contains("\"1\" and \"1.0\" are one number"));
  CHECK_THAT(error_of([&] { labelled_as(folder, {"01", "2", "1"}); }), Contains("\"01\" and \"1\" are one number"));
}

TEST_CASE("colours are divided by 255 where they are stored as bytes alone") {
  const TemporaryFolder folder;
  const auto channels = [&](DType stored) {
    write_volume(folder / "a.nii", {Tensor::full({1, 4, 4, 3}, 0.5).to(stored), Affine()});
    put_bytes(folder / "t.csv", "image,label\na.nii,ill\n");
    return read_dataset(folder / "t.csv").channel_names;
  };
  CHECK(channels(DType::u8) == Names{"red", "green", "blue"});
  CHECK(channels(DType::f32) == Names{"image", "image 1", "image 2"});
}

TEST_CASE("no case of a table trains and tests, and classes that nothing trains are told of") {
  const TemporaryFolder folder;
  for (const char* name : {"a.nii", "b.nii", "c.nii"}) put_volume(folder / name);
  const auto table = [&](const std::string& rows) {
    put_bytes(folder / "t.csv", "id,image,label,split\n" + rows);
    return read_dataset(folder / "t.csv");
  };
  CHECK_THAT(error_of([&] { table(",a.nii,ill,train\n,b.nii,well,train\n,a.nii,well,test\n"); }), Contains("the case a occurs twice"));
  const Dataset twice = table("x,a.nii,ill,train\n,b.nii,well,train\ny,./a.nii,ill,test\n,c.nii,ill,test\n");
  REQUIRE(twice.warnings.size() == 1);
  CHECK_THAT(twice.warnings[0], Contains("1 image tests") && Contains("x and y"));
  const Dataset unseen = table(",a.nii,ill,train\n,b.nii,well,val\n,c.nii,odd,test\n");
  REQUIRE(unseen.warnings.size() == 1);
  CHECK_THAT(unseen.warnings[0], Contains("no case for training is of the classes odd, well"));
  CHECK(table(",a.nii,ill,train\n,b.nii,well,train\n").warnings.empty());
  const Dataset tests = table(",a.nii,ill,test\n,b.nii,ill,test\n");  // to predict and to evaluate
  CHECK(tests.cases.empty());
  CHECK(tests.tests.size() == 2);
  CHECK(tests.channel_names == Names{"image"});
}

TEST_CASE("images in folders within that of a class are of this class, and what is left out is told of") {
  const TemporaryFolder folder;
  for (const char* name : {"a; b/p1/x.nii", "a; b/p2/x.nii", "a; b/p2/later/x.nii", "c/p1/x.nii", "c/y.nii"}) put_volume(folder / name);
  const Dataset d = read_dataset(folder.path());
  CHECK(ids_of(d) == Names{"a; b_p1_x", "a; b_p2_later_x", "a; b_p2_x", "c_p1_x", "c_y"});
  CHECK(d.labels == Names{"a; b", "c"});  // one class, not two
  CHECK(d.cases[0].targets.at("class") == "\"a; b\"");
  CHECK(d.warnings.empty());
  fs::create_directories(folder / "nothing/within");
  put_bytes(folder / "c/p1/z.gif", "GIF89a ");
  put_bytes(folder / "c/.DS_Store", "GIF89a ");
  const std::string said = all(read_dataset(folder.path()).warnings);
  CHECK_THAT(said, Contains("no class: " + (folder / "nothing").string()) && Contains("1 file is left out") && Contains("a GIF picture"));
  fs::remove_all(folder / "a; b");
  for (const char* name : {"train/a/x.nii", "train/c/x.nii", "test/y.nii", "test/a/z.nii"}) put_volume(folder / name);
  CHECK_THAT(all(read_dataset(folder.path()).warnings), Contains("left out: " + (folder / "test/y.nii").string()));
}

TEST_CASE("DICOM files in a folder of a class are images where they are of several patients") {
  const TemporaryFolder folder;
  const auto put = [&](const std::string& name, const std::string& patient) {
    fs::create_directories((folder / name).parent_path());
    put_bytes(folder / name, slice_at(0, 1, "1." + patient).text(0x0020000d, "UI", "1.9." + patient).file());
  };
  for (int k = 1; k < 5; ++k) put((k < 3 ? "ill/" : "well/") + std::to_string(k) + ".dcm", std::to_string(k));
  CHECK(ids_of(read_dataset(folder.path())) == Names{"ill_1", "ill_2", "well_3", "well_4"});
  put("well/5.dcm", "4");  // a second slice of a series
  CHECK_THAT(error_of([&] { read_dataset(folder.path()); }), Contains("is no data set"));
}
