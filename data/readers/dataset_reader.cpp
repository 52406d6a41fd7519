#include <algorithm>
#include <set>

#include "core/config/json_values.h"
#include "core/lists/first_few.h"
#include "data/readers/dataset_reader.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

// Whether a listed box has no extent along an axis. What is no box at all is found by who uses it.
bool is_flat_box(const Json& entry) {
  const bool in_voxels = entry.is_object() && entry.contains("voxels");
  const Json& numbers = in_voxels ? entry["voxels"] : entry;
  if (!numbers.is_array() || numbers.size() % 2 != 0) return false;
  const size_t half = numbers.size() / 2;
  for (size_t a = 0; a < half; ++a) {
    const Json low = in_voxels ? numbers[a] : Json(0);  // edges; or centre and sizes
    if (low.is_number() && low == numbers[half + a]) return true;
  }
  return false;
}

// They are left out (tasks/detection), which whoever has listed them should know.
void warn_of_flat_boxes(Dataset& d) {
  int64_t flat = 0;
  std::string first;
  for (const DatasetCase& c : d.cases)
    for (const char* key : {"boxes", "box"}) {
      const auto list = c.targets.find(key);
      const Json boxes = list == c.targets.end() ? Json() : Json::parse(list->second, nullptr, false);
      for (auto& entry : boxes.is_array() ? boxes : Json::array()) {
        if (!is_flat_box(entry)) continue;
        if (flat++ == 0) first = c.id;
      }
    }
  if (flat == 0) return;
  d.warnings.push_back(std::to_string(flat) + (flat == 1 ? " box has" : " boxes have") +
                       " no extent along an axis and count for nothing, such as one of the case " + first);
}

// The names of the classes that a case is of.
std::vector<std::string> classes_of(const DatasetCase& c, const std::vector<std::string>& labels) {
  const auto found = c.targets.find("class");
  const Json said = found == c.targets.end() ? Json() : Json::parse(found->second, nullptr, false);
  std::vector<std::string> out;
  for (auto& one : said.is_array() ? said : Json::array({said})) {
    if (one.is_string()) out.push_back(one.get<std::string>());
    if (one.is_number_unsigned() && one.get<uint64_t>() < labels.size()) out.push_back(labels[one.get<size_t>()]);
  }
  return out;
}

// Classes that nothing is learned of, such as 0 where they are counted from 1.
void warn_of_unseen_classes(Dataset& d) {
  if (std::none_of(d.cases.begin(), d.cases.end(), [](auto& c) { return c.targets.contains("class"); })) return;
  const std::vector<std::string> validating = d.split ? d.split->validation : std::vector<std::string>{};
  const std::set<std::string> others(validating.begin(), validating.end());
  std::set<std::string> seen;
  for (const DatasetCase& c : d.cases)
    if (!others.contains(c.id))
      for (auto& name : classes_of(c, d.labels)) seen.insert(name);
  std::vector<std::string> unseen;
  for (auto& name : d.labels)
    if (!seen.contains(name)) unseen.push_back(name);
  if (!unseen.empty())
    d.warnings.push_back("no case for training is of the class" + std::string(unseen.size() > 1 ? "es " : " ") + first_few(unseen));
}

}  // namespace

Dataset read_dataset(const fs::path& path) {
  check(fs::exists(path), path.string(), ": there is no such file or folder");
  for (const bool unlabelled : {false, true})
    for (const DatasetReader& r : dataset_readers().entries()) {
      if (r.unlabelled != unlabelled || !r.recognises(path)) continue;
      Dataset d = r.read(path);
      d.source = fs::exists(path / "dataset.json") ? path / "dataset.json" : path;
      warn_of_flat_boxes(d);
      warn_of_unseen_classes(d);
      return d;
    }
  if (fs::is_regular_file(path) && path.extension() == ".json") read_json(path);  // says where it is broken, if it is
  std::string known;
  for (const DatasetReader& r : dataset_readers().entries()) known += "\n  " + r.summary;
  const char* why = fs::is_directory(path) ? ": has no dataset.json, so it is no data set" : ": is no data set";
  fail(path.string(), why, "; a data set is", known);
}

std::string source_of(const Dataset& d) { return (d.source.empty() ? d.root / "dataset.json" : d.source).string(); }

void check_all_labelled(const Dataset& d) {
  const std::string from = source_of(d);
  for (const DatasetCase& c : d.cases)
    check(!c.label.empty(), from, ": the case ", c.id, " has no label",
          from.ends_with(".json") ? "" : "; labels of voxels are listed by a dataset.json, or as files in the column label of a table");
}

bool is_dataset(const fs::path& path, bool unlabelled) {
  const auto& all = dataset_readers().entries();
  const auto knows = [&](const DatasetReader& r) { return (unlabelled || !r.unlabelled) && r.recognises(path); };
  return fs::exists(path) && std::any_of(all.begin(), all.end(), knows);
}

void complete(Dataset& d, const std::string& who, bool tests_alone) {
  check(!d.cases.empty() || (tests_alone && !d.tests.empty()), who, ": the data set is empty: it has no training case");
  for (auto* list : {&d.cases, &d.tests}) {
    std::stable_sort(list->begin(), list->end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id < b.id; });
    const auto twice =
        std::adjacent_find(list->begin(), list->end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id == b.id; });
    check(twice == list->end(), who, ": the case ", twice == list->end() ? "" : twice->id, " occurs twice");
  }
}

}  // namespace voxgrad
