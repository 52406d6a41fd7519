#include "core/config/json_values.h"
#include "data/dataset.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/outside_data.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string object(const std::string& name, const std::string& box) {
  return "<object><name>" + name + "</name><bndbox>" + box + "</bndbox></object>";
}
constexpr const char* kEdges = "<xmin> 3 </xmin><ymin>4</ymin><xmax>10</xmax><ymax>8</ymax>";

void write_voc(const fs::path& folder, const std::string& id, const std::string& objects) {
  fs::create_directories(folder / "Annotations");
  fs::create_directories(folder / "JPEGImages");
  write_volume(folder / "JPEGImages" / (id + ".nii"), {Tensor::zeros({1, 9, 12, 3}, DType::u8), Affine()});
  write_text_file(folder / "Annotations" / (id + ".xml"),
                  "<annotation>\n<filename>" + id + ".nii</filename>" + objects + "</annotation>");
}

std::string refusal(const fs::path& folder) {
  try {
    read_dataset(folder);
  } catch (const Error& e) { return e.what(); }
  return "";
}

}  // namespace

TEST_CASE("a folder of PASCAL VOC is a data set with boxes and with the parts that it names") {
  const TemporaryFolder folder;
  for (const char* id : {"a", "b", "c", "d"}) write_voc(folder / "voc", id, object("cell", kEdges) + object("bud", kEdges));
  CHECK(is_dataset(folder / "voc"));
  Dataset d = read_dataset(folder / "voc");
  CHECK(d.labels == std::vector<std::string>{"bud", "cell"});
  CHECK(d.channel_names == std::vector<std::string>{"red", "green", "blue"});
  CHECK((d.cases.size() == 4 && d.tests.empty() && !d.split));
  // Pixels from 1, the last one included: edges from 2 to 10 and from 3 to 8.
  CHECK(Json::parse(d.cases[0].targets.at("boxes")) ==
        Json::parse(R"([{"label": "cell", "voxels": [2.0, 3.0, 10.0, 8.0]}, {"label": "bud", "voxels": [2.0, 3.0, 10.0, 8.0]}])"));
  fs::create_directories(folder / "voc/ImageSets/Main");
  write_text_file(folder / "voc/ImageSets/Main/train.txt", "a\nb\n");
  write_text_file(folder / "voc/ImageSets/Main/val.txt", "c\n");
  write_text_file(folder / "voc/ImageSets/Main/test.txt", "d\r\n");
  d = read_dataset(folder / "voc");
  CHECK((d.cases.size() == 3 && d.tests.size() == 1 && d.tests[0].id == "d" && d.split));
  CHECK(d.split->validation == std::vector<std::string>{"c"});
}

TEST_CASE("comments, attributes, parts of objects and named characters of an XML file are what they are") {
  const TemporaryFolder folder;
  const std::string part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>";
  const std::string bud = std::string("<object id=\"3\">") + part + "<name>a &amp; b&lt;</name><bndbox>" + kEdges + "</bndbox>" + part;
  write_voc(folder / "voc", "a", "<!-- <object><name>ghost</name></object> -->" + object("cell", kEdges) + "<object/>" + bud + "</object>");
  CHECK_THAT(refusal(folder / "voc"), Contains("a.xml") && Contains("an object has no <name>"));
  write_voc(folder / "voc", "a",
            "<!-- <object><name>ghost</name></object> -->" + object("cell", kEdges) + bud + "</object><objects>2</objects>");
  const Dataset d = read_dataset(folder / "voc");
  CHECK(d.labels == std::vector<std::string>{"a & b<", "cell"});
  CHECK(Json::parse(d.cases[0].targets.at("boxes")) ==
        Json::parse(R"([{"label": "cell", "voxels": [2.0, 3.0, 10.0, 8.0]}, {"label": "a & b<", "voxels": [2.0, 3.0, 10.0, 8.0]}])"));
}

TEST_CASE("what is wrong in a file of PASCAL VOC is said by its name") {
  const TemporaryFolder folder;
  write_voc(folder / "voc", "a", object("cell", "<xmin>1</xmin><ymin>2</ymin><xmax>x</xmax><ymax>4</ymax>"));
  CHECK_THAT(refusal(folder / "voc"), Contains("a.xml") && Contains("xmax"));
  write_voc(folder / "voc", "a", object("cell", "<xmin>1</xmin>"));
  CHECK_THAT(refusal(folder / "voc"), Contains("a.xml") && Contains("<ymin>"));
  write_voc(folder / "voc", "a", "<object><name>cell</name></object>");
  CHECK_THAT(refusal(folder / "voc"), Contains("<bndbox>"));
  write_voc(folder / "voc", "a", object(" ", kEdges));
  CHECK_THAT(refusal(folder / "voc"), Contains("a.xml") && Contains("<name> of an object is empty"));
  write_voc(folder / "voc", "a", "<!-- " + object("cell", kEdges));
  CHECK_THAT(refusal(folder / "voc"), Contains("<!-- has no end"));
  write_voc(folder / "voc", "a", "<object><name>cell");
  CHECK_THAT(refusal(folder / "voc"), Contains("a.xml") && Contains("<object> has no end"));
  write_text_file(folder / "voc/Annotations/a.xml", "<annotation>" + object("cell", kEdges));
  CHECK_THAT(refusal(folder / "voc"), Contains("a.xml") && Contains("with its end"));
  write_voc(folder / "voc", "a", object("cell", "<xmin>1</xmin><ymin>nan</ymin><xmax>3</xmax><ymax>4</ymax>"));
  CHECK_THAT(refusal(folder / "voc"), Contains("a.xml") && Contains("ymin"));
  write_voc(folder / "voc", "a", object("cell", kEdges));
  fs::remove(folder / "voc/JPEGImages/a.nii");
  CHECK_THAT(refusal(folder / "voc"), Contains("there is no image a.nii"));
  write_text_file(folder / "voc/Annotations/a.xml", "<html>");
  CHECK_FALSE(is_dataset(folder / "voc"));
}
