// What "labels" of a dataset.json says.
#include <algorithm>
#include <map>
#include <set>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/label_map.h"
#include "io/formats/text_fields.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

constexpr const char* kIgnore = "ignore";

// An entry of "labels": its name and its values.
struct Entry {
  std::string name;
  std::vector<int64_t> values;
};

int64_t value_of(const Json& v, const std::string& what) {
  check(v.is_number_integer() || v.is_number_unsigned(), what, " is ", v.dump().substr(0, 40), ", wanted a number");
  return v.get<int64_t>();
}

Entry entry_of(const std::string& key, const Json& value, const std::string& who) {
  if (value.is_string()) return {value.get<std::string>(), {number<int64_t>(key, who + ": a key")}};
  Entry e{.name = key, .values = {}};
  const std::string what = who + ": \"" + key + "\"";
  check(value.is_array() || value.is_number_integer(), what, " is ", value.dump().substr(0, 40), ", wanted a name or a number");
  if (!value.is_array()) e.values.push_back(value_of(value, what));
  else
    for (auto& v : value) e.values.push_back(value_of(v, what));
  check(!e.values.empty(), what, " is a region of no label");
  return e;
}

int byte_of(int64_t v, const std::string& what) {
  check(v >= 0 && v <= 255, what, " is ", v, "; labels from 0 to 255 can be read");
  return int(v);
}

// {"background": 0, "a": 1, ..}: a name for each of 0, 1, 2, ..
std::vector<std::string> classes_of(const std::vector<Entry>& entries, int ignore, const std::string& who) {
  std::map<int64_t, std::string> by_value;
  for (auto& e : entries) check(by_value.emplace(e.values[0], e.name).second, who, ": the value ", e.values[0], " occurs twice");
  std::vector<std::string> names;
  for (auto& [value, name] : by_value) {
    const bool taken = int64_t(names.size()) == ignore;
    check(value == int64_t(names.size()), who, ": the values are not 0, 1, 2, ...: ", names.size(), taken ? " is ignored" : " is missing",
          ", ", value, " is there", taken ? "; the ignored label must be above all others" : "");
    names.push_back(name);
  }
  return names;
}

bool is_background(const Entry& e) {
  return std::all_of(e.values.begin(), e.values.end(), [](int64_t v) { return v == 0; });
}

std::vector<LabelMap::Region> regions_of(const std::vector<Entry>& entries, const Json& dataset, int ignore, const std::string& who) {
  std::vector<LabelMap::Region> out;
  for (auto& e : entries) {
    if (is_background(e)) continue;
    LabelMap::Region r{.name = e.name, .values = {}, .written = 0};
    for (int64_t v : e.values) {
      if (const int value = byte_of(v, who + ": \"" + e.name + "\""); std::find(r.values.begin(), r.values.end(), value) == r.values.end())
        r.values.push_back(value);
    }
    out.push_back(std::move(r));
  }
  const Json order = dataset.contains("regions_class_order") ? dataset["regions_class_order"] : Json();
  check(order.is_array() && order.size() == out.size(), who, ": has ", out.size(),
        " regions, for which \"regions_class_order\", a list of ", out.size(), " labels, is to say what is written; it is ",
        order.dump().substr(0, 60));
  for (size_t i = 0; i < out.size(); ++i) {
    const std::string what = who + ": \"regions_class_order\"";
    out[i].written = byte_of(value_of(order[i], what), what);
    check(out[i].written != ignore, what, " holds ", ignore, ", which is ignored");
  }
  return out;
}

}  // namespace

Labels labels_of(const Json& dataset, const std::string& file) {
  check(dataset.is_object() && dataset.contains("labels"), file, ": has no \"labels\"");
  const Json& json = dataset["labels"];
  const std::string who = file + ": \"labels\"";
  check(json.is_object() && !json.empty(), who, " is no object of names and numbers");
  Labels out;
  std::vector<Entry> entries;
  bool regions = false;
  for (auto& [key, value] : json.items()) {
    Entry e = entry_of(key, value, who);
    if (e.name != kIgnore) {
      regions = regions || e.values.size() > 1;
      entries.push_back(std::move(e));
      continue;
    }
    check(e.values.size() == 1 && out.map.ignore < 0, who, ": one label can be ignored");
    out.map.ignore = byte_of(e.values[0], who + ": \"ignore\"");
    check(out.map.ignore > 0, who, ": \"ignore\" is 0, the background");
  }
  for (auto& e : entries)
    check(out.map.ignore < 0 || std::count(e.values.begin(), e.values.end(), out.map.ignore) == 0, who, ": the value ", out.map.ignore,
          " is \"", e.name, "\" and \"ignore\"");
  if (!regions) {
    out.names = classes_of(entries, out.map.ignore, who);
  } else {
    out.map.regions = regions_of(entries, dataset, out.map.ignore, file);
    for (auto& r : out.map.regions) out.names.push_back(r.name);
  }
  check(!out.names.empty(), who, ": names nothing to be found");
  return out;
}

Labels read_labels(const std::filesystem::path& given) {
  const std::filesystem::path file = std::filesystem::is_directory(given) ? given / "dataset.json" : given;
  return labels_of(read_json(file), file.string());
}

Json json_of_labels(const Labels& l) {
  Json labels = Json::object(), out = Json::object();
  if (!l.map.regions.empty()) labels["background"] = 0;
  for (size_t i = 0; i < l.names.size() && l.map.regions.empty(); ++i) labels[l.names[i]] = i;
  for (auto& r : l.map.regions) labels[r.name] = r.values;
  if (l.map.ignore >= 0) labels[kIgnore] = l.map.ignore;
  out["labels"] = labels;
  for (auto& r : l.map.regions) out["regions_class_order"].push_back(r.written);
  return out;
}

}  // namespace voxgrad
