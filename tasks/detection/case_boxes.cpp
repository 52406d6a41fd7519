#include "tasks/detection/case_boxes.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/config/json_values.h"
#include "io/formats/numpy/image_stack.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/segmentation/metrics/components.h"

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

// Names, and of which classes there may be others.
struct KnownClasses {
  const std::vector<std::string>& names;
  const std::vector<int>& values;
};

// -1: one that is not looked for.
int class_of(const Json& label, const KnownClasses& known, const std::string& where) {
  const std::vector<std::string>& classes = known.names;
  if (!known.values.empty() && label.is_number_integer()) {
    const auto at = std::find(known.values.begin(), known.values.end(), label.get<int64_t>() + 1);
    return at == known.values.end() ? -1 : int(at - known.values.begin());
  }
  if (label.is_number_integer() && label.get<int64_t>() >= 0 && label.get<int64_t>() < int64_t(classes.size())) return label.get<int>();
  const auto found = label.is_string() ? std::find(classes.begin(), classes.end(), label.get<std::string>()) : classes.end();
  if (!known.values.empty() && label.is_string() && found == classes.end()) return -1;
  check(found != classes.end(), where, ": the label ", label.dump().substr(0, 60), " of a box is none of the ", classes.size(), " classes");
  return int(found - classes.begin());
}

// Edges along i, j, k; a voxel reaches half of one to either side of its centre.
ObjectBox listed_box(const Json& entry, const KnownClasses& classes, const std::string& where) {
  check(entry.is_object() && entry.contains("voxels") && entry.contains("label"), where,
        ": a box is {\"label\": .., \"voxels\": [..]}, not ", entry.dump().substr(0, 60));
  std::vector<double> v = numbers_of(entry["voxels"], where);
  if (v.size() == 4) v = {v[0], v[1], 0, v[2], v[3], 1};
  check(v.size() == 6, where, ": \"voxels\" of a box are six numbers, or four of a picture, not ", entry["voxels"].dump().substr(0, 60));
  ObjectBox b{.label = class_of(entry["label"], classes, where)};
  for (size_t a = 0; a < 3; ++a) b.low[a] = std::min(v[2 - a], v[5 - a]) - 0.5, b.high[a] = std::max(v[2 - a], v[5 - a]) - 0.5;
  if (entry.contains("score") && entry["score"].is_number()) b.score = entry["score"].get<double>();
  return b;
}

// Centre and sizes in mm, LPS+: the box in voxels around its eight corners.
ObjectBox box_in_space(const Json& entry, const Affine& to_voxels, const std::string& where) {
  const std::vector<double> v = numbers_of(entry, where);
  check(v.size() == 6, where, ": a \"box\" is six numbers, not ", entry.dump().substr(0, 60));
  ObjectBox b{.low = {INFINITY, INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY, -INFINITY}};
  for (int corner = 0; corner < 8; ++corner) {
    const auto at = [&](size_t a) { return v[a] + (corner >> a & 1 ? 0.5 : -0.5) * v[3 + a]; };
    const Vec3 voxel = to_voxels.apply({-at(0), -at(1), at(2)});
    for (size_t a = 0; a < 3; ++a) b.low[a] = std::min(b.low[a], voxel[a]), b.high[a] = std::max(b.high[a], voxel[a]);
  }
  return b;
}

std::vector<ObjectBox> boxes_in_space(const DatasetCase& c, const Grid& image, const KnownClasses& classes, const std::string& where) {
  const Json boxes = parse_json(c.targets.at("box"), where);
  const Json labels = c.targets.contains("label") ? parse_json(c.targets.at("label"), where) : Json::array();
  check(boxes.is_array() && labels.is_array() && boxes.size() == labels.size(), where, ": has ", boxes.size(), " entries of \"box\" and ",
        labels.size(), " of \"label\"");
  std::vector<ObjectBox> out;
  for (size_t i = 0; i < boxes.size(); ++i) {
    out.push_back(box_in_space(boxes[i], image.affine.inverse(), where));
    out.back().label = class_of(labels[i], classes, where);
  }
  return out;
}

// The box around voxels that are added.
struct Hull {
  int64_t low[3] = {INT64_MAX, INT64_MAX, INT64_MAX}, high[3] = {-1, -1, -1}, voxels = 0;
  void add(const int64_t (&at)[3]) {
    ++voxels;
    for (int a = 0; a < 3; ++a) low[a] = std::min(low[a], at[a]), high[a] = std::max(high[a], at[a]);
  }
  ObjectBox box(int label) const {
    ObjectBox b{.label = label};
    for (size_t a = 0; a < 3; ++a) b.low[a] = double(low[a]) - 0.5, b.high[a] = double(high[a]) + 0.5;
    return b;
  }
};

// One for each number from 1 that occurs.
std::map<int64_t, Hull> hulls_of(const Int3& size, const std::function<int64_t(int64_t)>& number) {
  std::map<int64_t, Hull> out;
  int64_t i = 0;
  for (int64_t d = 0; d < size.d; ++d)
    for (int64_t h = 0; h < size.h; ++h)
      for (int64_t w = 0; w < size.w; ++w, ++i)
        if (const int64_t k = number(i); k > 0) out[k].add({d, h, w});
  return out;
}

// nnDetection's {"instances": {"1": 0}}: classes by value.
std::map<int64_t, int> instances_of(const fs::path& file, const KnownClasses& classes) {
  const Json j = read_json(file);
  check(j.is_object() && j.contains("instances") && j["instances"].is_object(), file.string(), ": has no \"instances\"");
  std::map<int64_t, int> out;
  for (auto& [key, value] : j["instances"].items()) {
    const bool digits = !key.empty() && key.size() < 10 && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
    check(digits && std::stol(key) > 0, file.string(), ": the instance \"", key.substr(0, 40), "\" is no number from 1");
    out[std::stol(key)] = class_of(value, classes, file.string());
  }
  return out;
}

fs::path instance_file(const fs::path& label) {
  const std::string ending = volume_extension(label), name = label.filename().string();
  return label.parent_path() / (name.substr(0, name.size() - ending.size()) + ".json");
}

std::vector<ObjectBox> boxes_of_instances(const Tensor& label, const std::map<int64_t, int>& classes, const std::string& where) {
  const std::vector<double> value = label.values();
  std::vector<ObjectBox> out;
  for (auto& [number, hull] : hulls_of(volume_size(label), [&](int64_t i) { return int64_t(value[size_t(i)]); })) {
    const auto found = classes.find(number);
    check(found != classes.end(), where, ": the instance ", number, " has no class");
    out.push_back(hull.box(found->second));
  }
  return out;
}

std::vector<ObjectBox> of_known_classes(std::vector<ObjectBox> boxes) {
  std::erase_if(boxes, [](const ObjectBox& b) { return b.label < 0; });
  return boxes;
}

bool comes_with_instances(const DatasetCase& c) { return !c.label.empty() && fs::is_regular_file(instance_file(c.label)); }

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

std::vector<ObjectBox> boxes_of_labels(const Tensor& label, int classes, const BoxSource& source, const std::string& where) {
  const std::vector<double> value = label.values();
  std::vector<ObjectBox> out;
  for (double v : value)
    check(v >= 0 && (v <= classes || !source.values.empty()) && v == std::floor(v), where, ": the label ", v,
          " is none of the declared 0 to ", classes);
  for (int c = 0; c < classes; ++c) {
    const int k = source.values.empty() ? c + 1 : source.values.at(size_t(c));
    std::map<int64_t, Hull> hulls;
    if (source.objects == "labels") {
      hulls = hulls_of(volume_size(label), [&](int64_t i) { return int64_t(value[size_t(i)] == k); });
    } else {
      const Int3 size = volume_size(label);
      const Tensor mask = Tensor::empty({size.d, size.h, size.w}, DType::u8);
      const auto to = mask.mutable_data<uint8_t>();
      for (size_t i = 0; i < to.size(); ++i) to[i] = value[i] == k;
      const Components parts = connected_components(mask);
      hulls = hulls_of(size, [&](int64_t i) { return int64_t(parts.number[size_t(i)]); });
    }
    for (auto& [number, hull] : hulls)
      if (hull.voxels >= source.min_voxels) out.push_back(hull.box(c));
  }
  return out;
}

std::vector<ObjectBox> case_boxes(const DatasetCase& c, const Grid& image, const std::vector<std::string>& classes,
                                  const BoxSource& source) {
  const std::string where = (c.images.empty() ? c.id : c.images[0].string()) + ": the case " + c.id;
  const KnownClasses known{classes, source.values};
  std::vector<ObjectBox> out;
  if (c.targets.contains("boxes")) {
    const Json list = parse_json(c.targets.at("boxes"), where);
    check(list.is_array(), where, ": \"boxes\" is no list");
    for (auto& entry : list) out.push_back(listed_box(entry, known, where));
    return of_known_classes(std::move(out));
  }
  if (c.targets.contains("box")) return of_known_classes(boxes_in_space(c, image, known, where));
  check(!c.label.empty(), where, " has neither \"boxes\" nor a label");
  const std::string file = c.label.string();
  const Volume label = on_grid(read_volume(c.label, {.labels = true}), file, image, "its image",
                               c.resample ? OtherGrid::resample_nearest : OtherGrid::refuse);
  if (comes_with_instances(c)) return of_known_classes(boxes_of_instances(label.data, instances_of(instance_file(c.label), known), file));
  return boxes_of_labels(label.data, int(classes.size()), source, file);
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
