#include "data/label_map.h"

#include <algorithm>

#include "core/config/json_values.h"
#include "core/device/parallel.h"
#include "core/error.h"

namespace voxgrad {
namespace {

constexpr int kMostRegions = 255;

bool contains(const std::vector<int>& values, int v) { return std::find(values.begin(), values.end(), v) != values.end(); }

int label_value(const Json& v) {
  check(v.is_number_integer() && v.get<int64_t>() >= 0 && v.get<int64_t>() <= 255, v.dump().substr(0, 40), " is no label, 0 to 255");
  return v.get<int>();
}

}  // namespace

std::array<bool, 256> known_values(const LabelMap& m, int classes) {
  std::array<bool, 256> known = {};
  if (m.regions.empty()) std::fill_n(known.begin(), std::clamp(classes, 0, 256), true);
  known[0] = true;
  for (auto& r : m.regions)
    for (int v : r.values) known[size_t(v)] = true;
  if (m.ignore >= 0) known[size_t(m.ignore)] = true;
  return known;
}

std::string known_values_text(const LabelMap& m, int classes) {
  if (m.plain()) return "classes 0 to " + std::to_string(classes - 1);
  const std::array<bool, 256> known = known_values(m, classes);
  std::string out;
  for (int v = 0; v < 256; ++v)
    if (known[size_t(v)]) out += (out.empty() ? "values " : ", ") + std::to_string(v);
  return out;
}

std::string describe_regions(const LabelMap& m) {
  std::string out;
  for (auto& r : m.regions) {
    out += (out.empty() ? "" : ", ") + r.name + " (";
    for (size_t i = 0; i < r.values.size(); ++i) out += (i ? ", " : "") + std::to_string(r.values[i]);
    out += ") written as " + std::to_string(r.written);
  }
  return m.ignore < 0 ? out : out + "; " + std::to_string(m.ignore) + " ignored";
}

std::vector<std::string> names_of_values(const LabelMap& m, const std::vector<std::string>& outputs) {
  std::vector<std::string> names = m.regions.empty() ? outputs : std::vector<std::string>{"background"};
  const auto set = [&](int value, const std::string& name) {
    names.resize(std::max(names.size(), size_t(value) + 1));
    if (names[size_t(value)].empty()) names[size_t(value)] = name;
  };
  for (auto& r : m.regions) set(r.written, r.name);
  if (m.ignore >= 0) set(m.ignore, "ignored");
  return names;
}

std::vector<int> foreground_values(const LabelMap& m, int classes) {
  LabelMap seen = m;
  seen.ignore = -1;
  const std::array<bool, 256> known = known_values(seen, classes);
  std::vector<int> out;
  for (int v = 1; v < 256; ++v)
    if (known[size_t(v)]) out.push_back(v);
  return out;
}

Tensor membership(const Tensor& label, const LabelMap::Region& region, int ignore) {
  check(label && label.dtype() == DType::u8, "membership: a label of u8 is wanted, not ", label);
  std::array<uint8_t, 256> becomes = {};
  for (int v : region.values) becomes[size_t(v)] = 1;
  if (ignore >= 0) becomes[size_t(ignore)] = kIgnored;
  const Tensor out = Tensor::empty(label.shape(), DType::u8);
  const uint8_t* from = label.view().as<uint8_t>();
  uint8_t* to = out.view().as<uint8_t>();
  parallel_for(label.count(), 1 << 16, [&](int64_t i) { to[i] = becomes[from[i]]; });
  return out;
}

Tensor membership_table(const LabelMap& m) {
  const int64_t n = int64_t(m.regions.size());
  const Tensor table = Tensor::zeros({256, n});
  float* to = table.view().as<float>();
  for (int64_t r = 0; r < n; ++r)
    for (int v : m.regions[size_t(r)].values) to[v * n + r] = 1;
  return table;
}

RegionRows::RegionRows(const Int3& size, const LabelMap& m) : labels(Tensor::empty({size.d, size.h, size.w}, DType::u8)) {
  for (auto& r : m.regions) written.push_back(r.written);
}

void RegionRows::operator()(int64_t first, int64_t rows, const float* logits, int64_t regions) const {
  check(regions == int64_t(written.size()), "regions: ", regions, " outputs for ", written.size(), " regions");
  const int64_t row = labels.dim(1) * labels.dim(2);
  uint8_t* to = labels.view().as<uint8_t>() + first * row;
  parallel_for(rows * row, 1 << 14, [&](int64_t v) {
    int value = 0;
    for (int64_t r = 0; r < regions; ++r)
      if (logits[v * regions + r] > 0) value = written[size_t(r)];
    to[v] = uint8_t(value);
  });
}

Tensor region_labels(const Tensor& logits, const LabelMap& m) {
  const RegionRows rows({int(logits.dim(0)), int(logits.dim(1)), int(logits.dim(2))}, m);
  rows(0, logits.dim(0), logits.view().as<float>(), logits.dim(3));
  return rows.labels;
}

Json json_of_regions(const std::vector<LabelMap::Region>& regions) {
  Json out = Json::array();
  for (auto& r : regions) out.push_back({{"name", r.name}, {"values", r.values}, {"written", r.written}});
  return out;
}

std::vector<LabelMap::Region> regions_from_json(const Json& json) {
  check(json.is_array() && json.size() <= kMostRegions, "a list of at most ", kMostRegions, " regions is wanted");
  std::vector<LabelMap::Region> out;
  for (auto& j : json) {
    check(j.is_object() && j.size() == 3 && j.contains("name") && j["name"].is_string() && j.contains("values") && j["values"].is_array() &&
              j["values"].size() > 0 && j.contains("written"),
          "a region {\"name\", \"values\": [..], \"written\"} is wanted, not ", j.dump().substr(0, 80));
    LabelMap::Region r{.name = j["name"].get<std::string>(), .values = {}, .written = label_value(j["written"])};
    for (auto& v : j["values"])
      if (!contains(r.values, label_value(v))) r.values.push_back(label_value(v));
    out.push_back(std::move(r));
  }
  return out;
}

}  // namespace voxgrad
