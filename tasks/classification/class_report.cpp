#include "tasks/classification/class_report.h"

#include <cmath>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/readers/csv.h"
#include "io/json_file.h"
#include "tasks/statistics/score_table.h"

namespace voxgrad {
namespace {

std::string name_for_people(const std::string& key) {
  static const std::pair<const char*, const char*> names[] = {{"auc", "AUC"},
                                                              {"average_precision", "AUPRC"},
                                                              {"subset_accuracy", "subset accuracy"},
                                                              {"balanced_accuracy", "balanced accuracy"},
                                                              {"kappa", "Cohen's kappa"},
                                                              {"kappa_linear", "kappa, linear"},
                                                              {"kappa_quadratic", "kappa, quadratic"},
                                                              {"mcc", "MCC"},
                                                              {"f1", "F1"},
                                                              {"f1_macro", "F1, mean"},
                                                              {"ppv", "PPV"},
                                                              {"npv", "NPV"},
                                                              {"ece", "ECE"},
                                                              {"mce", "MCE"},
                                                              {"brier", "Brier score"},
                                                              {"nll", "NLL"}};
  for (auto& [known, text] : names)
    if (key == known) return text;
  return key;
}

std::string youden_text(const RankedScores::Youden& y) {
  return "threshold " + score_text(y.threshold) + ": sensitivity " + score_text(y.sensitivity) + ", specificity " +
         score_text(y.specificity);
}

std::string confusion_table(const ConfusionMatrix& m, const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> rows = {{"truth \\ predicted"}};
  rows[0].insert(rows[0].end(), names.begin(), names.end());
  for (size_t i = 0; i < m.size(); ++i) {
    rows.push_back({names[i]});
    for (int64_t n : m[i]) rows.back().push_back(std::to_string(n));
  }
  return aligned_table(rows);
}

std::string csv_of(const ClassReport& r) {
  const ClassJudge& judge = r.judge;
  std::string out = "case";
  for (auto& name : r.names) out += judge.labels() ? "," + csv_field(name + " truth") : "";
  if (!judge.labels()) out += ",truth,predicted,right";
  for (auto& name : r.names) out += "," + csv_field("p " + name);
  out += ",nll\n";
  char number[32];
  for (size_t i = 0; i < judge.cases().size(); ++i) {
    const ClassifiedCase& c = judge.cases()[i];
    out += csv_field(r.ids[i]);
    for (int present : c.present) out += "," + std::to_string(present);
    const int decided = judge.labels() ? 0 : decision_of(c);
    if (!judge.labels())
      out += "," + csv_field(r.names[size_t(c.truth)]) + "," + csv_field(r.names[size_t(decided)]) + (decided == c.truth ? ",1" : ",0");
    for (double p : c.probabilities) {
      std::snprintf(number, sizeof number, ",%.9g", p);
      out += number;
    }
    std::snprintf(number, sizeof number, ",%.9g\n", nll_of(c));
    out += number;
  }
  return out;
}

// The columns of a table with a line for each class.
std::string table_of_classes(const ClassReport& r, const std::vector<double>& values) {
  const auto& names = r.judge.names();
  std::vector<std::vector<std::string>> rows = {{"class", "cases"}};
  for (size_t k = 0; k < r.names.size(); ++k) {
    rows.push_back({r.names[k], std::to_string(r.judge.ranked(int(k)).positives())});
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].of != int(k)) continue;
      if (k == 0) rows[0].push_back(name_for_people(names[i].key));
      rows.back().push_back(score_text(values[i]));
    }
  }
  return aligned_table(rows);
}

Json youden_json(const RankedScores::Youden& y) {
  return {{"threshold", finite_or_null(y.threshold)},
          {"sensitivity", finite_or_null(y.sensitivity)},
          {"specificity", finite_or_null(y.specificity)}};
}

// What is compared: AUC and accuracy.
CountedScores compared_scores(const ClassJudge& judge) {
  return [&judge](const std::vector<int>& counts) {
    const std::vector<double> all = judge.scores(counts);
    std::vector<double> out;
    for (const char* key : {"auc", "accuracy"})
      for (size_t i = 0; i < all.size(); ++i)
        if (judge.names()[i].of < 0 && judge.names()[i].key == key) out.push_back(all[i]);
    return out;
  };
}

void add_comparison(Task::Evaluated& out, Json& json, const ClassReport& r) {
  BootstrapOptions o = r.bootstrap;
  if (o.resamples == 0) o.resamples = 10000;
  const auto differences = score_differences(int64_t(r.ids.size()), {{.key = "auc"}, {.key = "accuracy"}}, compared_scores(r.judge),
                                             compared_scores(*r.versus), o);
  out.table += "\n" + difference_table(differences);
  json["versus"] = json_of_differences(differences);
}

}  // namespace

Task::Evaluated report_of(const ClassReport& r) {
  const ClassJudge& judge = r.judge;
  const auto resampled = resampled_scores(
      int64_t(judge.cases().size()), [&](auto& counts) { return judge.scores(counts); }, r.bootstrap);
  Json json{{"cases", judge.cases().size()}, {"classes", r.names}, {"multi_label", judge.labels()}, {"threshold", judge.threshold()}};
  Json intervals = Json::object();
  std::vector<ScoreRow> rows;
  std::vector<double> values;
  for (size_t i = 0; i < resampled.size(); ++i) {
    const auto& [key, of] = judge.names()[i];
    const double value = resampled[i].interval.value;
    values.push_back(value);
    if (of < 0) {
      json[key] = finite_or_null(value);
      rows.push_back({name_for_people(key), resampled[i]});
      if (r.bootstrap.resamples) intervals[key] = json_of_interval(resampled[i]);
      continue;
    }
    const std::string& name = r.names[size_t(of)];
    json["per_class"][name][key] = finite_or_null(value);
    if (key == "f1") json["f1"][name] = finite_or_null(value);
    if (r.bootstrap.resamples) intervals["per_class"][name][key] = json_of_interval(resampled[i]);
  }
  Task::Evaluated out{.table = std::to_string(judge.cases().size()) + " cases\n" + score_table(rows) + "\n" + table_of_classes(r, values)};
  for (size_t k = 0; k < r.names.size(); ++k) {
    json["per_class"][r.names[k]]["cases"] = judge.ranked(int(k)).positives();
    json["per_class"][r.names[k]]["youden"] = youden_json(judge.ranked(int(k)).youden());
  }
  if (!judge.labels()) {
    const ConfusionMatrix confusion = confusion_matrix(judge.cases(), judge.classes());
    json["confusion"] = confusion;
    out.table += "\n" + confusion_table(confusion, r.names);
  }
  if (!judge.labels() && judge.classes() == 2) out.table += "\nYouden's " + youden_text(judge.ranked(1).youden()) + "\n";
  if (r.bootstrap.resamples) json["intervals"] = intervals;
  if (r.versus) add_comparison(out, json, r);
  out.json = json_text(json);
  out.csv = csv_of(r);
  return out;
}

}  // namespace voxgrad
