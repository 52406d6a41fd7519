#include "tasks/detection/box_clusters.h"
#include "tasks/detection/case_boxes.h"
#include "tasks/detection/tile_boxes.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

ObjectBox box_at(double d, double h, double w, double size, double score = 1, int label = 0) {
  return {{d, h, w}, {d + size, h + size, w + size}, label, score};
}

bool same(const ObjectBox& a, const ObjectBox& b) {
  bool out = a.label == b.label;
  for (size_t k = 0; k < 3; ++k) out = out && close(a.low[k], b.low[k], 1e-6) && close(a.high[k], b.high[k], 1e-6);
  return out;
}

std::vector<ObjectBox> found_in(const Tensor& label, int classes, const BoxSource& source, const std::string& where) {
  return boxes_around(objects_of_labels(label, classes, source, where));
}

// A network whose output is the image.
struct MarksVoxels {
  Buffer unused;
  FIELDS(unused)
  Tensor operator()(const Tensor& x) const { return x; }
};

}  // namespace

TEST_CASE("a cluster of boxes is their mean by overlap, weight and score, and what is missing counts against it") {
  // Two of the same place, of four that saw it: iou 1 and 1, w 1 and 0.5.
  std::vector<VotedBox> two = {{box_at(0, 0, 0, 10, 0.8), 1, 4}, {box_at(0, 0, 0, 10, 0.4), 0.5, 4}};
  const std::vector<ObjectBox> one = clustered(two, 0.5);
  REQUIRE(one.size() == 1);
  // (0.8 + 0.5 0.4) / (1.5 + 2 0.75)
  CHECK(close(one[0].score, 1.0 / 3, 1e-12));
  // Half a voxel apart along one axis: iou 9.5 / 10.5.
  two[1].box = box_at(0, 0, 0.5, 10, 0.4);
  two[0].expected = two[1].expected = 2;
  const ObjectBox moved = clustered(two, 0.5).at(0);
  const double w = 9.5 / 10.5 * 0.5;
  CHECK(close(moved.low[2], w * 0.4 * 0.5 / (0.8 + w * 0.4), 1e-12));
  CHECK(close(moved.score, (0.8 + w * 0.4) / (1 + w), 1e-12));
  two[1].box.label = 1;
  CHECK(clustered(two, 0.5).size() == 2);
  CHECK(clustered({{box_at(0, 0, 0, 10, 0.3)}, {box_at(0, 0, 6, 10, 0.7)}}, 0.5)[0].score == 0.7);
}

TEST_CASE("boxes go from voxels of a file to those of the network and back") {
  Geometry g{.orientation = {.axis = {2, 0, 1}, .flip = {true, false, true}}, .affine = {}, .canonical = {20, 30, 40}};
  g.box_begin = {2, 3, 4};
  g.box = {10, 20, 30};
  g.working = {20, 20, 15};
  g.file_spacing = {2, 1, 1}, g.spacing = {1, 1, 2};
  const ObjectBox file = {{5, 6, 7}, {8, 10, 12}, 1, 0.5};
  const ObjectBox seen = in_working_voxels(file, g);
  // Axis 0 is the file's axis 2 of 20 voxels, backwards: 7 to 12 become 7 to 12 (19 - 12, 19 - 7), minus 2, twice as fine.
  CHECK(close(seen.low[0], (19 - 12 - 2 + 0.5) * 2 - 0.5, 1e-12));
  CHECK(close(seen.high[0], (19 - 7 - 2 + 0.5) * 2 - 0.5, 1e-12));
  CHECK((seen.low[1] == 5 - 3 && seen.high[1] == 8 - 3));
  CHECK(same(in_file_voxels(seen, g), file));
  g.resampling = "centres";
  CHECK(close(in_working_voxels(file, g).low[0], (19 - 12 - 2) * 2, 1e-12));
  CHECK(same(in_file_voxels(in_working_voxels(file, g), g), file));
}

TEST_CASE("boxes of labels are around their connected parts, or around all voxels of a label") {
  const Tensor label = Tensor::zeros({3, 6, 6}, DType::u8);
  const auto at = [&](int d, int h, int w) -> uint8_t& { return label.mutable_data<uint8_t>()[size_t((d * 6 + h) * 6 + w)]; };
  at(0, 0, 0) = at(1, 1, 1) = 1;  // joined by a corner
  at(2, 5, 5) = 1;
  at(1, 4, 2) = at(1, 4, 3) = 2;
  const std::vector<ObjectBox> parts = found_in(label, 2, {}, "a file");
  REQUIRE(parts.size() == 3);
  CHECK(same(parts[0], {{-0.5, -0.5, -0.5}, {1.5, 1.5, 1.5}, 0}));
  CHECK(same(parts[1], {{1.5, 4.5, 4.5}, {2.5, 5.5, 5.5}, 0}));
  CHECK(same(parts[2], {{0.5, 3.5, 1.5}, {1.5, 4.5, 3.5}, 1}));
  CHECK(found_in(label, 2, {.min_voxels = 2}, "a file").size() == 2);
  const std::vector<ObjectBox> whole = found_in(label, 2, {.objects = "labels"}, "a file");
  REQUIRE(whole.size() == 2);
  CHECK(same(whole[0], {{-0.5, -0.5, -0.5}, {2.5, 5.5, 5.5}, 0}));
  CHECK_THROWS_WITH(found_in(label, 1, {}, "a file"), Contains("a file") && Contains("the label 2"));
  const std::vector<ObjectBox> second = found_in(label, 1, {.values = {2}}, "a file");
  REQUIRE(second.size() == 1);
  CHECK(same(second[0], {{0.5, 3.5, 1.5}, {1.5, 4.5, 3.5}, 0}));
}

TEST_CASE("boxes of a case are listed in voxels of the file, or in millimetres as MONAI's are") {
  const Grid grid = grid_of(Shape{10, 20, 30}, Affine::scaling({2, 1, 0.5}, {100, 200, 300}));
  const std::vector<std::string> names = {"cyst", "tumour"};
  DatasetCase c{.id = "a", .images = {"a.nii"}};
  c.targets["boxes"] = R"([{"label": "tumour", "voxels": [1, 2, 3, 5, 7, 9], "score": 0.25}, {"label": 0, "voxels": [4, 5, 0, 6, 8, 1]}])";
  const std::vector<ObjectBox> listed = case_boxes(c, grid, names, {});
  REQUIRE(listed.size() == 2);
  CHECK(same(listed[0], {{2.5, 1.5, 0.5}, {8.5, 6.5, 4.5}, 1}));
  CHECK(listed[0].score == 0.25);
  CHECK(same(listed[1], {{-0.5, 4.5, 3.5}, {0.5, 7.5, 5.5}, 0}));
  // Where tumours alone are looked for, they are class 0, and the others are left out.
  const std::vector<ObjectBox> tumours = case_boxes(c, grid, {"tumour"}, {.values = {2}});
  REQUIRE(tumours.size() == 1);
  CHECK(same(tumours[0], {{2.5, 1.5, 0.5}, {8.5, 6.5, 4.5}, 0}));
  DatasetCase m{.id = "m", .images = {"m.nii"}};
  // The voxel (4, 6, 8) lies at (100 + 8 / 2, 200 + 6, 300 + 2 4) in RAS; LPS turns two signs.
  m.targets["box"] = "[[-104, -206, 308, 2, 4, 8]]";
  m.targets["label"] = "[1]";
  CHECK(same(case_boxes(m, grid, names, {}).at(0), {{2, 4, 6}, {6, 8, 10}, 1}));
  const Grid slice = grid_of(Shape{1, 20, 30}, Affine::scaling({2, 1, 0.5}, {100, 200, 300}));
  c.targets["boxes"] = R"([{"label": 0, "voxels": [4, 5, 6, 8]}])";
  CHECK(same(case_boxes(c, slice, names, {}).at(0), {{-0.5, 4.5, 3.5}, {0.5, 7.5, 5.5}, 0}));
  CHECK_THROWS_WITH(case_boxes(c, grid, names, {}), Contains("has four numbers") && Contains("of 10 slices"));
  const auto refused = [&](const char* boxes, const Grid* other = nullptr) {
    DatasetCase bad{.id = "a", .images = {"a.nii"}};
    bad.targets["boxes"] = boxes;
    try {
      case_boxes(bad, other ? *other : slice, names, {});
    } catch (const Error& e) { return std::string(e.what()); }
    return std::string("nothing");
  };
  CHECK_THAT(refused(R"([{"label": "bone", "voxels": [1, 2, 3, 4]}])"), Contains("a.nii") && Contains("bone"));
  CHECK_THAT(refused(R"([{"label": 2, "voxels": [1, 2, 3, 4]}])"), Contains("2 classes"));
  CHECK_THAT(refused(R"([{"label": 0, "voxels": [1, 2, 3]}])"), Contains("six numbers"));
  CHECK_THAT(refused(R"([{"label": 0, "voxels": [1, 2, 3, 1e300]}])"), Contains("no place"));
  CHECK_THAT(refused(R"([[1, 2, 3, 4]])"), Contains("voxels"));
  CHECK_THAT(refused("7"), Contains("no list"));
  CHECK_THAT(refused(R"([{"label": 0, "voxels": [5, 2, 3, 4]}])"), Contains("above the highest"));
  CHECK_THAT(refused(R"([{"label": 0, "voxels": [1, 2, 3, 4], "score": "0.5"}])"), Contains("the score") && Contains("a number is wanted"));
  CHECK_THAT(refused(R"([{"label": 0, "voxels": [31, 2, 40, 4]}])"), Contains("from voxel 31 to 40 along the axis i") && Contains("of 30"));
  CHECK_THAT(refused(R"([{"label": 0, "voxels": [1, 2, -3, 3, 4, -1]}])", &grid), Contains("along the axis k") && Contains("of 10"));
  CHECK(refused(R"([{"label": 0, "voxels": [-9, 2, 40, 4]}])") == "nothing");  // it meets the image
  m.targets["box"] = "[[-104, -206, 308, 2, -4, 8]]";
  CHECK_THROWS_WITH(case_boxes(m, grid, names, {}), Contains("m.nii") && Contains("three sizes from 0"));
  m.targets["box"] = "[[104, 206, 308, 2, 4, 8]]";  // RAS for LPS
  CHECK_THROWS_WITH(case_boxes(m, grid, names, {}), Contains("lies outside of its image"));
}

TEST_CASE("boxes of overlapping tiles and of mirror images become those of the image") {
  const Network net(MarksVoxels{}, {.in_channels = 1, .out_channels = 1}, "{}");
  const Tensor image = Tensor::zeros({1, 20, 30, 1});
  const auto mark = [&](int h, int w) { image.mutable_data<float>()[size_t(h * 30 + w)] = 1; };
  mark(4, 5), mark(12, 14), mark(19, 29);
  const TileDecoder decode = [](const std::vector<Tensor>& outputs, const Int3& patch) {
    const std::vector<double> x = outputs.at(0).values();
    std::vector<ObjectBox> out;
    for (int h = 0; h < patch.h; ++h)
      for (int w = 0; w < patch.w; ++w)
        if (x[size_t(h * patch.w + w)] > 0) out.push_back({{-0.1, h - 1.5, w - 1.5}, {0.4, h + 1.5, w + 1.5}, 0, 0.9});
    return out;
  };
  ModelDescription d{.network = {}, .traits = net.traits(), .task = {}, .patch = {1, 12, 16}};
  d.mirror_axes = {false, true, true};
  for (bool mirror : {false, true}) {
    std::vector<ObjectBox> found = predict_boxes(net, d, image, {.mirror = mirror}, decode);
    REQUIRE(found.size() == 3);
    std::sort(found.begin(), found.end(), [](const ObjectBox& a, const ObjectBox& b) { return a.low[1] < b.low[1]; });
    CHECK(same(found[0], {{-0.5, 2.5, 3.5}, {0.5, 5.5, 6.5}, 0}));
    CHECK(same(found[1], {{-0.5, 10.5, 12.5}, {0.5, 13.5, 15.5}, 0}));
    CHECK(same(found[2], {{-0.5, 17.5, 27.5}, {0.5, 19.5, 29.5}, 0}));  // clipped
    for (const ObjectBox& b : found) CHECK(close(b.score, 0.9, 1e-9));
  }
  CHECK(predict_boxes(net, d, image, {}, decode, {.keep = 2}).size() == 2);
  CHECK(predict_boxes(net, d, image, {}, decode, {.min_score = 0.95}).empty());
}
