#include "data/label_map.h"

#include "core/config/json_values.h"
#include "io/json_file.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
using Words = std::vector<std::string>;

namespace {
Labels of(const std::string& labels, const std::string& more = "") {
  return labels_of(parse_json("{\"labels\": " + labels + more + "}", "test"), "dataset.json");
}
std::string refusal(const std::string& labels, const std::string& more = "") {
  return error_of([&] { of(labels, more); });
}
const char* const kNested = R"({"background": 0, "whole": [1, 2, 4], "core": [2, 4], "ignore": 9, "enhancing": 4})";
const char* const kOrder = R"(, "regions_class_order": [1, 2, 4])";
}  // namespace

TEST_CASE("labels of dataset.json: classes by value, whatever their order, and the ignored one is no class") {
  CHECK(of(R"({"0": "background", "2": "b", "1": "a"})").names == Words{"background", "a", "b"});
  CHECK(of(R"({"b": 2, "background": 0, "a": [1]})").names == Words{"background", "a", "b"});
  CHECK(of(R"({"background": 0, "a": 1})").map.plain());
  for (const char* json : {R"({"ignore": 255, "background": 0, "a": 1})", R"({"0": "background", "1": "a", "255": "ignore"})"}) {
    const Labels l = of(json);
    CHECK(l.names == Words{"background", "a"});
    CHECK(l.map.ignore == 255);
    CHECK(l.map.regions.empty());
  }
  CHECK_THAT(refusal(R"({"background": 0, "ignore": 1, "a": 2})"), Contains("1 is ignored") && Contains("above all others"));
  CHECK_THAT(refusal(R"({"background": 0, "a": 1, "ignore": 1})"), Contains("the value 1 is \"a\" and \"ignore\""));
  CHECK_THAT(refusal(R"({"background": 0, "a": 1, "ignore": 256})"), Contains("256"));
  CHECK_THAT(refusal(R"({"background": 0, "a": 1, "ignore": [2, 3]})"), Contains("one label can be ignored"));
  CHECK_THAT(refusal(R"({"background": 0, "a": []})"), Contains("region of no label"));
}

TEST_CASE("labels of dataset.json: regions are the outputs in the order of the file, without the background") {
  const Labels l = of(kNested, kOrder);
  CHECK(l.names == Words{"whole", "core", "enhancing"});
  REQUIRE(l.map.regions.size() == 3);
  CHECK(l.map.regions[0].values == std::vector<int>{1, 2, 4});
  CHECK(l.map.regions[2].values == std::vector<int>{4});
  CHECK(l.map.regions[2].written == 4);
  CHECK(l.map.ignore == 9);
  CHECK(known_values_text(l.map, 3) == "values 0, 1, 2, 4, 9");
  CHECK(describe_regions(l.map) == "whole (1, 2, 4) written as 1, core (2, 4) written as 2, enhancing (4) written as 4; 9 ignored");
  CHECK(names_of_values(l.map, l.names) == Words{"background", "whole", "core", "", "enhancing", "", "", "", "", "ignored"});
  const Labels back = labels_of(json_of_labels(l), "written");
  CHECK(back.names == l.names);
  CHECK(json_of_regions(back.map.regions) == json_of_regions(l.map.regions));
  CHECK(json_of_regions(regions_from_json(json_of_regions(l.map.regions))) == json_of_regions(l.map.regions));
  CHECK(back.map.ignore == 9);
  CHECK_THAT(refusal(kNested), Contains("3 regions") && Contains("regions_class_order"));
  CHECK_THAT(refusal(kNested, R"(, "regions_class_order": [1, 2])"), Contains("a list of 3 labels"));
  CHECK_THAT(refusal(kNested, R"(, "regions_class_order": [1, 2, 9])"), Contains("which is ignored"));
  CHECK_THAT(refusal(R"({"background": 0, "a": [1, 3], "b": 2, "ignore": 3})", R"(, "regions_class_order": [1, 2])"),
             Contains("the value 3 is \"a\" and \"ignore\""));
  CHECK_THAT(refusal(R"({"background": 0, "a": [1, 300]})", R"(, "regions_class_order": [1])"), Contains("300"));
}

TEST_CASE("labels can be read where nothing but dataset.json is there") {
  const TemporaryFolder folder;
  put_bytes(folder / "dataset.json", R"({"labels": {"background": 0, "a": 1, "ignore": 2}, "training": [{"image": "gone.nii"}]})");
  CHECK(read_labels(folder.path()).map.ignore == 2);
  CHECK(read_labels(folder / "dataset.json").names == Words{"background", "a"});
}

TEST_CASE("regions: which voxels belong to one, and masks in which the later region is written over the earlier") {
  const LabelMap map = of(kNested, kOrder).map;
  const Tensor label = Tensor::from({0, 1, 2, 4, 9}, {1, 1, 5}, DType::u8);
  CHECK(membership(label, map.regions[1], map.ignore).values() == std::vector<double>{0, 0, 1, 1, kIgnored});
  CHECK(membership(label, map.regions[1], -1).values() == std::vector<double>{0, 0, 1, 1, 0});
  const Tensor table = membership_table(map);
  CHECK(table.shape() == Shape{256, 3});
  for (int value = 0; value < 256; ++value) {
    const auto row = table.data<float>().subspan(size_t(value) * 3, 3);
    CHECK((row[0] == (value == 1 || value == 2 || value == 4) && row[1] == (value == 2 || value == 4) && row[2] == (value == 4)));
  }
  // Nothing; whole; core although not whole; all of them; exactly one half is no region.
  const Tensor logits = Tensor::from({-1, -1, -1, 1, -1, -1, -1, 2, -1, 1, 1, 1, 0, 0, 0}, {1, 1, 5, 3});
  CHECK(region_labels(logits, map).values() == std::vector<double>{0, 1, 2, 4, 0});
}
