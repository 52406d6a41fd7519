#include "tasks/classification/class_targets.h"

#include <algorithm>
#include <set>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

const std::string& class_text(const DatasetCase& c, const std::string& where) {
  const auto found = c.targets.contains("class") ? c.targets.find("class") : c.targets.find("label");
  check(found != c.targets.end(), where, ": the case ", c.id, " has no \"class\"");
  return found->second;
}

int index_of(const Json& value, const std::vector<std::string>& labels, const std::string& where) {
  if (value.is_number_integer() && value.get<int64_t>() >= 0 && value.get<int64_t>() < int64_t(labels.size())) return value.get<int>();
  if (value.is_string())
    for (size_t k = 0; k < labels.size(); ++k)
      if (labels[k] == value.get<std::string>()) return int(k);
  std::string known;
  for (auto& l : labels) known += (known.empty() ? "" : ", ") + l;
  fail(where, ": the class ", value.dump().substr(0, 60), " is none of ", known, ", nor a number below ", labels.size());
}

}  // namespace

int class_of(const DatasetCase& c, const std::vector<std::string>& labels, const std::string& where) {
  return index_of(parse_json(class_text(c, where), where), labels, where + ": case " + c.id);
}

std::vector<int> classes_of(const DatasetCase& c, const std::vector<std::string>& labels, const std::string& where, ClassTarget target) {
  if (target != ClassTarget::multi_label) return {class_of(c, labels, where)};
  const Json value = parse_json(class_text(c, where), where);
  std::set<int> classes;
  if (!value.is_array()) classes.insert(index_of(value, labels, where + ": case " + c.id));
  else
    for (auto& v : value) classes.insert(index_of(v, labels, where + ": case " + c.id));
  return {classes.begin(), classes.end()};
}

bool has_lists_of_classes(const Dataset& d) {
  return std::any_of(d.cases.begin(), d.cases.end(), [](const DatasetCase& c) {
    const auto found = c.targets.find("class");
    return found != c.targets.end() && found->second.starts_with('[');
  });
}

std::vector<double> balanced_weights(const Dataset& d, const std::vector<std::string>& labels, ClassTarget target) {
  const std::string file = source_of(d);
  const double n = double(d.cases.size());
  std::vector<double> count(labels.size());
  for (auto& c : d.cases)
    for (int k : classes_of(c, labels, file, target)) ++count[size_t(k)];
  const double occurring = double(std::count_if(count.begin(), count.end(), [](double v) { return v > 0; }));
  std::vector<double> weights;
  for (double v : count) {
    if (v == 0) weights.push_back(1);
    else weights.push_back(target == ClassTarget::multi_label ? std::max(1e-3, (n - v) / v) : n / (occurring * v));
  }
  return weights;
}

}  // namespace voxgrad
