#include "tasks/detection/label_objects.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "augment/sample.h"
#include "core/config/json_values.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/segmentation/metrics/components.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

// nnDetection's {"instances": {"1": 0}}: classes by value.
std::map<int64_t, int> instances_of(const fs::path& file, const std::vector<std::string>& classes, const BoxSource& source) {
  const Json j = read_json(file);
  check(j.is_object() && j.contains("instances") && j["instances"].is_object(), file.string(), ": has no \"instances\"");
  std::map<int64_t, int> out;
  for (auto& [key, value] : j["instances"].items()) {
    const bool digits = !key.empty() && key.size() < 10 && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
    check(digits && std::stol(key) > 0, file.string(), ": the instance \"", key.substr(0, 40), "\" is no number from 1");
    out[std::stol(key)] = class_of(value, classes, source, file.string());
  }
  return out;
}

fs::path instance_file(const fs::path& label) {
  const std::string ending = volume_extension(label), name = label.filename().string();
  return label.parent_path() / (name.substr(0, name.size() - ending.size()) + ".json");
}

// Values are objects; those of classes that are not looked for are left out.
LabelledObjects objects_of_instances(const Tensor& label, const std::map<int64_t, int>& classes, const std::string& where) {
  const Int3 size = volume_size(label);
  LabelledObjects out{.number = Tensor::zeros({size.d, size.h, size.w}, DType::i32), .label = {}};
  const std::vector<double> value = label.values();
  const auto to = out.number.mutable_data<int32_t>();
  std::map<int64_t, int32_t> numbers;
  for (double v : value)
    if (v > 0) numbers[int64_t(v)] = 0;
  for (auto& [instance, number] : numbers) {
    const auto found = classes.find(instance);
    check(found != classes.end(), where, ": the instance ", instance, " has no class");
    if (found->second < 0) continue;
    out.label.push_back(found->second);
    number = int32_t(out.label.size());
  }
  for (size_t i = 0; i < to.size(); ++i)
    if (value[i] > 0) to[i] = numbers[int64_t(value[i])];
  return out;
}

// What of `mask` is not smaller than that becomes objects of a class.
void add_parts(const Tensor& mask, int label, const BoxSource& source, LabelledObjects& out) {
  const auto to = out.number.mutable_data<int32_t>();
  const auto inside = mask.data<uint8_t>();
  Components parts;
  if (source.objects == "labels") {
    parts.number.assign(inside.begin(), inside.end());
    parts.voxels = {std::count(inside.begin(), inside.end(), uint8_t(1))};
  } else {
    parts = connected_components(mask);
  }
  std::vector<int32_t> renamed(parts.voxels.size());
  for (size_t k = 0; k < renamed.size(); ++k) {
    if (parts.voxels[k] == 0 || parts.voxels[k] < source.min_voxels) continue;
    out.label.push_back(label);
    renamed[k] = int32_t(out.label.size());
  }
  for (size_t i = 0; i < to.size(); ++i)
    if (const int32_t n = parts.number[i]; n > 0 && renamed[size_t(n - 1)] > 0) to[i] = renamed[size_t(n - 1)];
}

}  // namespace

int class_of(const Json& label, const std::vector<std::string>& classes, const BoxSource& source, const std::string& where) {
  const std::vector<int>& values = source.values;
  if (!values.empty() && label.is_number_integer()) {
    const auto at = std::find(values.begin(), values.end(), label.get<int64_t>() + 1);
    return at == values.end() ? -1 : int(at - values.begin());
  }
  if (label.is_number_integer() && label.get<int64_t>() >= 0 && label.get<int64_t>() < int64_t(classes.size())) return label.get<int>();
  const auto found = label.is_string() ? std::find(classes.begin(), classes.end(), label.get<std::string>()) : classes.end();
  if (!values.empty() && label.is_string() && found == classes.end()) return -1;
  check(found != classes.end(), where, ": the label ", label.dump().substr(0, 60), " of a box is none of the ", classes.size(), " classes");
  return int(found - classes.begin());
}

bool comes_with_instances(const DatasetCase& c) { return !c.label.empty() && fs::is_regular_file(instance_file(c.label)); }

LabelledObjects objects_of_labels(const Tensor& label, int classes, const BoxSource& source, const std::string& where) {
  const Int3 size = volume_size(label);
  const std::vector<double> value = label.values();
  for (double v : value)
    check(v >= 0 && (v <= classes || !source.values.empty()) && v == std::floor(v), where, ": the label ", v,
          " is none of the declared 0 to ", classes);
  LabelledObjects out{.number = Tensor::zeros({size.d, size.h, size.w}, DType::i32), .label = {}};
  for (int c = 0; c < classes; ++c) {
    const int wanted = source.values.empty() ? c + 1 : source.values.at(size_t(c));
    const Tensor mask = Tensor::empty({size.d, size.h, size.w}, DType::u8);
    const auto to = mask.mutable_data<uint8_t>();
    for (size_t i = 0; i < to.size(); ++i) to[i] = value[i] == wanted;
    add_parts(mask, c, source, out);
  }
  return out;
}

LabelledObjects case_objects(const DatasetCase& c, const Grid& image, const std::vector<std::string>& classes, const BoxSource& source) {
  check(!c.label.empty(), (c.images.empty() ? c.id : c.images[0].string()), ": the case ", c.id, " has no label");
  const std::string file = c.label.string();
  const Volume label = on_grid(read_volume(c.label, {.labels = true}), file, image, "its image",
                               c.resample ? OtherGrid::resample_nearest : OtherGrid::refuse);
  if (comes_with_instances(c)) return objects_of_instances(label.data, instances_of(instance_file(c.label), classes, source), file);
  return objects_of_labels(label.data, int(classes.size()), source, file);
}

}  // namespace voxgrad
