#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "io/json_file.h"
#include "tasks/regression/regression.h"

namespace voxgrad {
namespace {

constexpr const char* kTarget[] = {"target", "value"};

// Name and JSON of what a case has: its keys, and the numbers in its target.
std::vector<std::pair<std::string, Json>> known_of(const DatasetCase& c, const std::string& where) {
  std::vector<std::pair<std::string, Json>> out;
  for (auto& [key, text] : c.targets) {
    const Json j = parse_json(text, where);
    const bool target = std::find(std::begin(kTarget), std::end(kTarget), key) != std::end(kTarget);
    if (target && j.is_object())
      for (auto& [name, value] : j.items()) out.emplace_back(name, value);
    else out.emplace_back(key, j);
  }
  return out;
}

// What is learned where no names are given.
std::vector<std::pair<std::string, Json>> targets_of(const DatasetCase& c, const std::string& where) {
  std::vector<std::pair<std::string, Json>> out;
  for (const char* key : kTarget) {
    const auto found = c.targets.find(key);
    if (found == c.targets.end() || !out.empty()) continue;
    const Json j = parse_json(found->second, where);
    if (!j.is_object()) out.emplace_back(key, j);
    else
      for (auto& [name, value] : j.items()) out.emplace_back(name, value);
  }
  return out;
}

}  // namespace

std::vector<std::pair<std::string, double>> values_of(const DatasetCase& c, const std::vector<std::string>& names,
                                                      const std::string& where) {
  const std::string who = where + ": the case " + c.id;
  std::vector<std::pair<std::string, Json>> wanted = names.empty() ? targets_of(c, who) : decltype(wanted)();
  if (names.empty() && wanted.empty()) {
    std::string others;
    for (auto& [name, value] : known_of(c, who))
      if (value.is_number()) others += (others.empty() ? "; its numbers are \"" : "\", \"") + name;
    fail(who, " has no \"target\" nor \"value\" that is a number or an object of numbers; regression.values names others",
         others.empty() ? "" : others + "\"");
  }
  for (const std::string& name : names) {
    const auto known = known_of(c, who);
    const auto found = std::find_if(known.begin(), known.end(), [&](auto& k) { return k.first == name; });
    check(found != known.end(), who, " has no \"", name, "\"");
    wanted.push_back(*found);
  }
  std::vector<std::pair<std::string, double>> out;
  for (auto& [name, value] : wanted) {
    check(value.is_number() && std::isfinite(value.get<double>()), who, ": \"", name, "\" is ", value.dump().substr(0, 60),
          ", a number is wanted");
    out.emplace_back(name, value.get<double>());
  }
  return out;
}

bool has_values(const DatasetCase& c, const std::vector<std::string>& names) {
  if (names.empty()) return c.targets.contains(kTarget[0]) || c.targets.contains(kTarget[1]);
  const auto known = known_of(c, c.id);
  return std::all_of(names.begin(), names.end(),
                     [&](auto& name) { return std::any_of(known.begin(), known.end(), [&](auto& k) { return k.first == name; }); });
}

bool adapt_regression(RegressionOptions& o, const Dataset& d) {
  if ((!o.mean.empty() && !o.std.empty()) || d.cases.empty()) return false;
  const std::string file = source_of(d);
  if (o.values.empty())
    for (auto& [name, value] : values_of(d.cases[0], {}, file)) o.values.push_back(name);
  const size_t k = o.values.size();
  const double n = double(d.cases.size());
  o.mean.assign(k, 0), o.std.assign(k, 0);
  std::vector<std::vector<double>> all;
  for (const DatasetCase& c : d.cases) {
    auto& row = all.emplace_back();
    for (auto& [name, value] : values_of(c, o.values, file)) row.push_back(value);
    for (size_t i = 0; i < k; ++i) o.mean[i] += row[i] / n;
  }
  for (size_t i = 0; i < k; ++i) {
    for (auto& row : all) o.std[i] += (row[i] - o.mean[i]) * (row[i] - o.mean[i]) / n;
    o.std[i] = std::sqrt(o.std[i]);
    // Of values that are all one the mean may be rounded to another.
    const bool varies = std::any_of(all.begin(), all.end(), [&](auto& row) { return row[i] != all[0][i]; });
    check(varies && o.std[i] > 0, file, ": \"", o.values[i], "\" is ", all[0][i],
          " in all cases for training, so there is nothing to learn");
    check(std::isfinite(o.std[i]), file, ": \"", o.values[i], "\" has values too far apart for a standard deviation");
  }
  return true;
}

}  // namespace voxgrad
