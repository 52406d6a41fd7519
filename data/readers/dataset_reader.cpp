#include <algorithm>

#include "data/readers/dataset_reader.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

Dataset read_dataset(const fs::path& path) {
  check(fs::exists(path), path.string(), ": there is no such file or folder");
  for (const DatasetReader& r : dataset_readers().entries())
    if (r.recognises(path)) return r.read(path);
  if (fs::is_regular_file(path) && path.extension() == ".json") read_json(path);  // says where it is broken, if it is
  std::string known;
  for (const DatasetReader& r : dataset_readers().entries()) known += "\n  " + r.summary;
  const char* why = fs::is_directory(path) ? ": has no dataset.json, so it is no data set" : ": is no data set";
  fail(path.string(), why, "; a data set is", known);
}

bool is_dataset(const fs::path& path) {
  const auto& all = dataset_readers().entries();
  return fs::exists(path) && std::any_of(all.begin(), all.end(), [&](const DatasetReader& r) { return r.recognises(path); });
}

void complete(Dataset& d, const std::string& who) {
  check(!d.cases.empty(), who, ": the data set is empty: it has no training case");
  for (auto* list : {&d.cases, &d.tests}) {
    std::stable_sort(list->begin(), list->end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id < b.id; });
    const auto twice =
        std::adjacent_find(list->begin(), list->end(), [](const DatasetCase& a, const DatasetCase& b) { return a.id == b.id; });
    check(twice == list->end(), who, ": the case ", twice == list->end() ? "" : twice->id, " occurs twice");
  }
}

}  // namespace voxgrad
