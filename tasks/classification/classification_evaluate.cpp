#include "core/config/json_values.h"
#include "io/json_file.h"
#include "tasks/classification/class_scores.h"
#include "tasks/classification/classification.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

// {"class": name, "probabilities": {name: p}} as what it says.
std::vector<double> probabilities_in(const fs::path& file, const std::vector<std::string>& labels) {
  const Json j = read_json(file);
  check(j.is_object() && j.contains("probabilities") && j["probabilities"].is_object(), file.string(), ": holds no \"probabilities\"");
  std::vector<double> out;
  for (auto& name : labels) {
    check(j["probabilities"].contains(name) && j["probabilities"][name].is_number(), file.string(), ": has no probability of ", name);
    out.push_back(j["probabilities"][name].get<double>());
  }
  return out;
}

std::string four_decimals(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", v);
  return text;
}

}  // namespace

Task::Evaluated Classification::evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) const {
  const Dataset data = read_dataset(references);
  const std::vector<std::string>& labels = o.labels.empty() ? data.labels : o.labels;
  std::vector<ClassifiedCase> cases;
  std::vector<const DatasetCase*> known;
  for (auto* list : {&data.cases, &data.tests})
    for (auto& c : *list) known.push_back(&c);
  for (const DatasetCase* c : known) {
    const fs::path file = predictions / (c->id + ".json");
    if (fs::exists(file)) cases.push_back({probabilities_in(file, labels), class_of(*c, labels, references.string())});
  }
  check(!cases.empty(), predictions.string(), ": holds no prediction of a case in ", references.string());
  const auto confusion = confusion_matrix(cases, int(labels.size()));
  Json json{{"cases", cases.size()},
            {"auc", auc(cases)},
            {"accuracy", accuracy(confusion)},
            {"balanced_accuracy", balanced_accuracy(confusion)},
            {"confusion", confusion}};
  std::string table = std::to_string(cases.size()) + " cases\nAUC                " + four_decimals(auc(cases)) + "\naccuracy           " +
              four_decimals(accuracy(confusion)) + "\nbalanced accuracy  " + four_decimals(balanced_accuracy(confusion)) + "\n";
  for (size_t k = 0; k < labels.size(); ++k) {
    json["f1"][labels[k]] = f1(confusion, int(k));
    table += "F1 of " + labels[k] + "  " + four_decimals(f1(confusion, int(k))) + "\n";
  }
  return {table, json_text(json)};
}

}  // namespace voxgrad
