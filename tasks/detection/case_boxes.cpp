#include "tasks/detection/case_boxes.h"

#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "io/formats/numpy/image_stack.h"
#include "io/image.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr double kFarthest = 1e7;  // voxels or mm

std::vector<double> numbers_of(const Json& j, const std::string& where) {
  std::vector<double> out;
  for (auto& v : j.is_array() ? j : Json::array()) {
    check(v.is_number() && std::abs(v.get<double>()) < kFarthest, where, ": ", v.dump().substr(0, 40), " is no place of a box");
    out.push_back(v.get<double>());
  }
  return out;
}

// Edges along i, j, k; a voxel reaches half of one to either side of its centre.
ObjectBox listed_box(const Json& entry, const std::vector<std::string>& classes, const BoxSource& source, const std::string& where) {
  check(entry.is_object() && entry.contains("voxels") && entry.contains("label"), where,
        ": a box is {\"label\": .., \"voxels\": [..]}, not ", entry.dump().substr(0, 60));
  std::vector<double> v = numbers_of(entry["voxels"], where);
  if (v.size() == 4) v = {v[0], v[1], 0, v[2], v[3], 1};
  check(v.size() == 6, where, ": \"voxels\" of a box are six numbers, or four of a picture, not ", entry["voxels"].dump().substr(0, 60));
  ObjectBox b{.label = class_of(entry["label"], classes, source, where)};
  for (size_t a = 0; a < 3; ++a) {
    check(v[2 - a] <= v[5 - a], where, ": the lowest edges of a box are above the highest in ", entry["voxels"].dump().substr(0, 60));
    b.low[a] = v[2 - a] - 0.5, b.high[a] = v[5 - a] - 0.5;
  }
  if (entry.contains("score")) {
    check(entry["score"].is_number(), where, ": the score of a box is ", entry["score"].dump().substr(0, 40), ", a number is wanted");
    b.score = entry["score"].get<double>();
  }
  return b;
}

// Centre and sizes in mm, LPS+: the box in voxels around its eight corners.
ObjectBox box_in_space(const Json& entry, const Affine& to_voxels, const std::string& where) {
  const std::vector<double> v = numbers_of(entry, where);
  check(v.size() == 6 && v[3] >= 0 && v[4] >= 0 && v[5] >= 0, where, ": a \"box\" is a centre and three sizes from 0, not ",
        entry.dump().substr(0, 60));
  ObjectBox b{.low = {INFINITY, INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY, -INFINITY}};
  for (int corner = 0; corner < 8; ++corner) {
    const auto at = [&](size_t a) { return v[a] + (corner >> a & 1 ? 0.5 : -0.5) * v[3 + a]; };
    const Vec3 voxel = to_voxels.apply({-at(0), -at(1), at(2)});
    for (size_t a = 0; a < 3; ++a) b.low[a] = std::min(b.low[a], voxel[a]), b.high[a] = std::max(b.high[a], voxel[a]);
  }
  return b;
}

std::vector<ObjectBox> boxes_in_space(const DatasetCase& c, const Grid& image, const std::vector<std::string>& classes,
                                      const BoxSource& source, const std::string& where) {
  const Json boxes = parse_json(c.targets.at("box"), where);
  const Json labels = c.targets.contains("label") ? parse_json(c.targets.at("label"), where) : Json::array();
  check(boxes.is_array() && labels.is_array() && boxes.size() == labels.size(), where, ": has ", boxes.size(), " entries of \"box\" and ",
        labels.size(), " of \"label\"");
  std::vector<ObjectBox> out;
  for (size_t i = 0; i < boxes.size(); ++i) {
    out.push_back(box_in_space(boxes[i], image.affine.inverse(), where));
    out.back().label = class_of(labels[i], classes, source, where);
  }
  return out;
}

// Those of classes that are looked for. One that does not meet the image tells of other axes or another origin.
std::vector<ObjectBox> within(const Grid& image, std::vector<ObjectBox> boxes, const std::string& where) {
  for (const ObjectBox& b : boxes)
    for (size_t a = 0; a < 3; ++a)
      check(b.high[a] >= -0.5 && b.low[a] <= double(image.size[a]) - 0.5, where, ": a box reaches from voxel ", b.low[a] + 0.5, " to ",
            b.high[a] + 0.5, " along the axis ", "kji"[a], " and so lies outside of its image of ", image.size[a]);
  std::erase_if(boxes, [](const ObjectBox& b) { return b.label < 0; });
  return boxes;
}

}  // namespace

std::vector<std::string> box_classes(const Dataset& d) {
  check(!d.labels.empty(), d.root.string(), ": names no classes of boxes");
  const bool masks = std::any_of(d.cases.begin(), d.cases.end(), [](const DatasetCase& c) {
    return !c.targets.contains("boxes") && !c.targets.contains("box") && !c.label.empty() && !comes_with_instances(c);
  });
  std::vector<std::string> out(d.labels.begin() + (masks || d.labels[0] == "background" ? 1 : 0), d.labels.end());
  check(!out.empty(), d.root.string(), ": names the background alone, and no classes of boxes");
  return out;
}

BoxSource with_classes(BoxSource source, const Dataset& d, const std::vector<std::string>& names) {
  const std::vector<std::string> all = box_classes(d);
  source.values.clear();
  for (const std::string& name : names) {
    const auto at = std::find(all.begin(), all.end(), name);
    check(at != all.end(), d.root.string(), ": has no class \"", name, "\"");
    source.values.push_back(int(at - all.begin()) + 1);
  }
  if (names == all) source.values.clear();
  return source;
}

bool has_boxes(const DatasetCase& c) { return c.targets.contains("boxes") || c.targets.contains("box") || !c.label.empty(); }

Grid image_grid(const DatasetCase& c) {
  if (c.stack) return grid_of(c.stack->image(c.index));
  const VolumeHeader h = read_header(c.images.at(0), {.series = c.series});
  return grid_of(h.shape, h.affine);
}

std::vector<ObjectBox> boxes_around(const LabelledObjects& objects) {
  std::vector<ObjectBox> out;
  for (int label : objects.label)
    out.push_back({.low = {INFINITY, INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY, -INFINITY}, .label = label});
  const Int3 size = volume_size(objects.number);
  const auto number = objects.number.data<int32_t>();
  size_t i = 0;
  for (int d = 0; d < size.d; ++d)
    for (int h = 0; h < size.h; ++h)
      for (int w = 0; w < size.w; ++w, ++i) {
        if (number[i] == 0) continue;
        ObjectBox& b = out[size_t(number[i] - 1)];
        const double at[3] = {double(d), double(h), double(w)};
        for (size_t a = 0; a < 3; ++a) b.low[a] = std::min(b.low[a], at[a] - 0.5), b.high[a] = std::max(b.high[a], at[a] + 0.5);
      }
  return out;
}

std::vector<ObjectBox> listed_boxes(const Json& list, const std::vector<std::string>& classes, const BoxSource& source,
                                    const std::string& where) {
  check(list.is_array(), where, ": \"boxes\" is no list");
  std::vector<ObjectBox> out;
  for (auto& entry : list) out.push_back(listed_box(entry, classes, source, where));
  return out;
}

namespace {

// Four numbers are those of a picture.
std::vector<ObjectBox> listed_in_image(const Json& list, const Grid& image, const std::vector<std::string>& classes,
                                       const BoxSource& source, const std::string& where) {
  for (auto& entry : list.is_array() && image.size[0] > 1 ? list : Json::array())
    if (entry.is_object() && entry.contains("voxels") && entry["voxels"].is_array())
      check(entry["voxels"].size() != 4, where, ": the box ", entry["voxels"].dump().substr(0, 60), " has four numbers, in an image of ",
            image.size[0], " slices six are wanted");
  return listed_boxes(list, classes, source, where);
}

}  // namespace

std::vector<ObjectBox> case_boxes(const DatasetCase& c, const Grid& image, const std::vector<std::string>& classes,
                                  const BoxSource& source) {
  const std::string where = (c.images.empty() ? c.id : c.images[0].string()) + ": the case " + c.id;
  if (c.targets.contains("boxes"))
    return within(image, listed_in_image(parse_json(c.targets.at("boxes"), where), image, classes, source, where), where);
  if (c.targets.contains("box")) return within(image, boxes_in_space(c, image, classes, source, where), where);
  check(!c.label.empty(), where, " has neither \"boxes\" nor a label");
  return boxes_around(case_objects(c, image, classes, source));
}

namespace {

// The box between two moved corners; axes may have been turned.
ObjectBox between(ObjectBox b, const Double3& one, const Double3& other) {
  for (size_t a = 0; a < 3; ++a) b.low[a] = std::min(one[a], other[a]), b.high[a] = std::max(one[a], other[a]);
  return b;
}

}  // namespace

ObjectBox in_working_voxels(const ObjectBox& b, const Geometry& g) {
  return between(b, in_working_voxels(b.low, g), in_working_voxels(b.high, g));
}
ObjectBox in_file_voxels(const ObjectBox& b, const Geometry& g) { return between(b, in_file_voxels(b.low, g), in_file_voxels(b.high, g)); }

}  // namespace voxgrad
