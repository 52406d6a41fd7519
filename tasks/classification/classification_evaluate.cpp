#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "data/readers/labelled.h"
#include "io/json_file.h"
#include "tasks/classification/class_report.h"
#include "tasks/classification/classification.h"
#include "tasks/values/case_results.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct JudgedCases {
  std::vector<ClassifiedCase> cases;
  std::vector<std::string> ids;
};

double probability_in(const Json& object, const std::string& name, const std::string& where) {
  check(object.contains(name) && object[name].is_number(), where, ": has no probability of ", name);
  const double p = object[name].get<double>();
  check(p >= 0 && p <= 1, where, ": the probability of ", name, " is ", p, ", which is not from 0 to 1");
  return p;
}

// {"class": name, "probabilities": {name: p}}, or of a table {"class": name, name: p}. `present`: labels that do not exclude each other.
ClassifiedCase said_in(const CaseResult& r, const std::vector<std::string>& labels, bool several) {
  const Json j = parse_json(r.json, r.where);
  const bool nested = j.contains("probabilities");
  check(!nested || j["probabilities"].is_object(), r.where, ": \"probabilities\" is no object");
  ClassifiedCase out;
  for (auto& name : labels) out.probabilities.push_back(probability_in(nested ? j["probabilities"] : j, name, r.where));
  if (several || !j.contains("class") || j["class"].is_null()) return out;
  const std::string decided = j["class"].is_string() ? j["class"].get<std::string>() : j["class"].dump();
  for (size_t k = 0; k < labels.size(); ++k)
    if (labels[k] == decided) out.decided = int(k);
  check(out.decided >= 0, r.where, ": the class ", decided.substr(0, 60), " is none of the data set's");
  return out;
}

// Whether what is known of the case is a list: of labels that do not exclude each other.
bool several_in(const DatasetCase& c) {
  const auto found = c.targets.find("class");
  return found != c.targets.end() && !found->second.empty() && found->second[0] == '[';
}

std::vector<int> present_in(const DatasetCase& c, const std::vector<std::string>& labels, const std::string& where) {
  std::vector<int> out(labels.size());
  for (int k : classes_of(c, labels, where, ClassTarget::multi_label)) out[size_t(k)] = 1;
  return out;
}

constexpr auto kKnown = [](const DatasetCase& c) { return c.targets.contains("class") || c.targets.contains("label"); };

// Those of the data set, and of what is said of its cases: a table or folders of a few cases need not have one of every class.
std::vector<std::string> all_labels(const Dataset& data, const fs::path& predictions, bool partial) {
  std::vector<std::string> out = data.labels;
  for (const CaseResult& r : read_case_results(predictions, data, {.partial = partial, .known = kKnown})) {
    const Json j = parse_json(r.json, r.where);
    if (!j.contains("probabilities") || !j["probabilities"].is_object()) continue;
    for (auto& [name, p] : j["probabilities"].items())
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  // The classes of dataset.json count from 0 in its order.
  if (out.size() > data.labels.size() && !source_of(data).ends_with(".json")) std::sort(out.begin(), out.end(), class_comes_before);
  return out;
}

JudgedCases judged_cases(const fs::path& predictions, const fs::path& references, const Dataset& data,
                         const std::vector<std::string>& labels, bool partial) {
  JudgedCases out;
  for (const CaseResult& r : read_case_results(predictions, data, {.partial = partial, .known = kKnown})) {
    const bool several = several_in(*r.of);
    ClassifiedCase one = said_in(r, labels, several);
    if (several) one.present = present_in(*r.of, labels, references.string());
    else one.truth = class_of(*r.of, labels, references.string());
    out.cases.push_back(std::move(one));
    out.ids.push_back(r.of->id);
  }
  return out;
}

}  // namespace

Task::Evaluated Classification::evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) const {
  const Dataset data = read_dataset(references);
  check(!o.labels.empty() || !data.labels.empty(), references.string(), ": declares no classes in \"labels\"");
  const std::vector<std::string> labels = o.labels.empty() ? all_labels(data, predictions, o.partial) : o.labels;
  const auto read = [&](const fs::path& place) { return judged_cases(place, references, data, labels, o.partial); };
  const JudgedCases here = read(predictions);
  const ClassJudge judge(here.cases, int(labels.size()), o.threshold);
  ClassReport report{.ids = here.ids, .names = labels, .judge = judge, .bootstrap = {.resamples = o.resamples, .seed = o.seed}};
  std::unique_ptr<const ClassJudge> other;
  if (!o.versus.empty()) {
    const JudgedCases there = read(o.versus);
    check(there.ids == here.ids, o.versus.string(), ": has not the same cases as ", predictions.string());
    other = std::make_unique<ClassJudge>(there.cases, int(labels.size()), o.threshold);
    report.versus = other.get();
  }
  if (!o.curves.empty()) write_class_pictures(o.curves.string(), judge, labels);
  return report_of(report);
}

}  // namespace voxgrad
