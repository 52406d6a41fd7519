#include "tasks/values/case_results.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/config/json_values.h"
#include "core/error.h"
#include "core/lists/first_few.h"
#include "data/readers/csv.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct Said {
  std::string json, where;
};

std::map<std::string, Said> rows_of(const fs::path& file) {
  const CsvTable t = read_csv_table(file);
  int id = -1;
  for (const char* name : {"case", "id", "name"})
    if (id < 0) id = t.column(name);
  check(id >= 0, file.string(), ": has no column \"case\" with the names of the cases");
  std::map<std::string, Said> out;
  for (size_t r = 0; r < t.rows.size(); ++r) {
    Json row = Json::object();
    for (size_t k = 0; k < t.columns.size(); ++k)
      if (int(k) != id) {
        const std::string& field = t.rows[r][k];  // a class is a name also where it looks like a number, such as 1.0
        row[t.columns[k]] = t.columns[k] == "class" ? Json(field) : parse_json(json_of_field(field), file.string());
      }
    const std::string& name = t.rows[r][size_t(id)];
    check(out.emplace(name, Said{row.dump(), file.string() + ": case " + name}).second, file.string(), ": the case ", name,
          " occurs twice");
  }
  return out;
}

std::map<std::string, Said> results_in(const fs::path& place) {
  if (!fs::is_directory(place)) return rows_of(place);
  std::map<std::string, Said> out;
  for (const auto& entry : fs::directory_iterator(place)) {
    const fs::path& file = entry.path();
    const std::string name = file.filename().string();
    const bool markups = name.ends_with(".mrk.json");  // for 3D Slicer, beside the results
    if (file.extension() != ".json" || markups || name[0] == '.' || !entry.is_regular_file()) continue;
    const Json j = read_json(file);
    check(j.is_object(), file.string(), ": is no object, so no result of a case");
    out[file.stem().string()] = {j.dump(), file.string()};
  }
  if (out.empty() && fs::is_regular_file(place / "predictions.csv")) return rows_of(place / "predictions.csv");
  check(!out.empty(), place.string(), ": holds no results, which are NAME.json for each case, or predictions.csv");
  return out;
}

}  // namespace

std::vector<CaseResult> read_case_results(const fs::path& predictions, const Dataset& data, const CaseResultOptions& o) {
  std::map<std::string, Said> said = results_in(predictions);
  std::set<std::string> validating;
  if (data.split) validating.insert(data.split->validation.begin(), data.split->validation.end());
  std::vector<CaseResult> out;
  std::vector<std::string> missing[3], unknown;
  bool some[3] = {false, false, false};
  for (const auto* list : {&data.cases, &data.tests})
    for (const DatasetCase& c : *list) {
      const int part = list == &data.tests ? 2 : validating.count(c.id) ? 1 : 0;
      const auto found = said.find(c.id);
      const bool known = o.known(c);
      if (found == said.end()) {
        if (known) missing[part].push_back(c.id);
        continue;
      }
      if (known) {
        some[part] = true;
        out.push_back({&c, std::move(found->second.json), std::move(found->second.where)});
      }
      said.erase(found);
    }
  for (auto& [id, result] : said) unknown.push_back(id);
  check(unknown.empty(), source_of(data), ": the data set has no case ", first_few(unknown), ", of which ", predictions.string(),
        " has results");
  check(!out.empty(), predictions.string(), ": has no result of a case of which ", source_of(data), " says what is right");
  for (int part = 0; part < 3; ++part)
    check(!some[part] || missing[part].empty() || o.partial, predictions.string(), ": there is no result of ", first_few(missing[part]),
          "; --partial evaluates the cases that are there");
  return out;
}

}  // namespace voxgrad
