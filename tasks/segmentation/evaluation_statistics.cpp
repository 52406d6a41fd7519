#include "tasks/segmentation/evaluation_statistics.h"

#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/readers/csv.h"
#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

std::string text(double v) {
  char out[32];
  if (!std::isfinite(v)) return "-";
  std::snprintf(out, sizeof out, "%.4f", v);
  return out;
}

size_t classes_of(const Evaluation& e) { return e.cases.empty() ? 0 : e.cases[0].classes.size(); }

std::string name_of(const Evaluation& e, size_t k) {
  const size_t label = size_t(e.cases[0].classes[k].label);
  return label < e.label_names.size() ? e.label_names[label] : "class " + std::to_string(label);
}

std::vector<double> values_of(const Evaluation& e, size_t k, const ScoreColumn& column) {
  std::vector<double> out;
  for (auto& c : e.cases) out.push_back(column.value(c.classes[k]));
  return out;
}

double mean_where_both(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> out;
  for (size_t i = 0; i < a.size(); ++i)
    if (std::isfinite(a[i]) && std::isfinite(b[i])) out.push_back(a[i]);
  return nan_mean(out);
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> width(rows[0].size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string gap(width[i] - row[i].size(), ' ');
      out += i < 2 ? row[i] + gap + "  " : gap + row[i] + (i + 1 < row.size() ? "  " : "");
    }
    out += "\n";
  }
  return out;
}

}  // namespace

std::vector<ScoreColumn> columns_of(const Evaluation& e) {
  std::vector<ScoreColumn> out = {
      {"Dice", true, [](auto& s) { return s.dice; }},           {"IoU", true, [](auto& s) { return s.iou; }},
      {"Precision", true, [](auto& s) { return s.precision; }}, {"Recall", true, [](auto& s) { return s.recall; }},
      {"HD95_mm", false, [](auto& s) { return s.hd95_mm; }},    {"NSD", true, [](auto& s) { return s.nsd; }}};
  for (size_t i = 0; i < e.more.size(); ++i) {
    const MetricEntry& metric = metric_registry().find(e.more[i]);
    out.push_back({metric.key, metric.larger_is_better, [i](auto& s) { return i < s.more.size() ? s.more[i] : std::nan(""); }});
  }
  return out;
}

std::string csv_of(const Evaluation& e) {
  const std::vector<ScoreColumn> columns = columns_of(e);
  std::string out = "case,label,class";
  for (auto& column : columns) out += "," + column.key;
  out += ",volume_pred_mm3,volume_ref_mm3\n";
  const auto field = [](double v) {
    char number[32];
    std::snprintf(number, sizeof number, "%.9g", v);
    return std::isnan(v) ? std::string() : std::string(number);
  };
  for (auto& c : e.cases)
    for (size_t k = 0; k < c.classes.size(); ++k) {
      out += csv_field(c.id) + "," + std::to_string(c.classes[k].label) + "," + csv_field(name_of(e, k));
      for (auto& column : columns) out += "," + field(column.value(c.classes[k]));
      out += "," + field(c.classes[k].volume_mm3) + "," + field(c.classes[k].reference_volume_mm3) + "\n";
    }
  return out;
}

Intervals intervals_of(const Evaluation& e, const BootstrapOptions& o) {
  std::vector<std::vector<std::string>> rows = {{"class", "score", "mean", "low", "high"}};
  Json json = Json::object();
  for (size_t k = 0; k < classes_of(e); ++k)
    for (auto& column : columns_of(e)) {
      const Interval i = bootstrap_mean(values_of(e, k, column), o);
      json[std::to_string(e.cases[0].classes[k].label)][column.key] = {
          {"mean", finite_or_null(i.value)}, {"low", finite_or_null(i.low)}, {"high", finite_or_null(i.high)}};
      rows.push_back({name_of(e, k), column.key, text(i.value), text(i.low), text(i.high)});
    }
  return {aligned(rows), json.dump()};
}

Intervals comparison_of(const Evaluation& a, const Evaluation& b, const BootstrapOptions& o) {
  check(a.cases.size() == b.cases.size() && classes_of(a) == classes_of(b), "comparison: ", a.cases.size(), " cases of ", classes_of(a),
        " classes and ", b.cases.size(), " of ", classes_of(b), "; two predictions for the same cases are wanted");
  for (size_t i = 0; i < a.cases.size(); ++i)
    check(a.cases[i].id == b.cases[i].id, "comparison: the case ", a.cases[i].id, " is in the one, ", b.cases[i].id, " in the other");
  std::vector<std::vector<std::string>> rows = {{"class", "score", "cases", "mean", "other", "difference", "low", "high", "p", ""}};
  Json json = Json::object();
  for (size_t k = 0; k < classes_of(a); ++k)
    for (auto& column : columns_of(a)) {
      const std::vector<double> first = values_of(a, k, column), second = values_of(b, k, column);
      const PairedComparison c = compare_paired(first, second, o);
      const double mean_a = mean_where_both(first, second), mean_b = mean_where_both(second, first);
      const bool apart = c.difference.low > 0 || c.difference.high < 0;
      const std::string better = !apart ? "" : (c.difference.value > 0) == column.larger_is_better ? "a" : "b";
      json[std::to_string(a.cases[0].classes[k].label)][column.key] = {{"cases", c.cases},
                                                                       {"mean_a", finite_or_null(mean_a)},
                                                                       {"mean_b", finite_or_null(mean_b)},
                                                                       {"difference", finite_or_null(c.difference.value)},
                                                                       {"low", finite_or_null(c.difference.low)},
                                                                       {"high", finite_or_null(c.difference.high)},
                                                                       {"p", finite_or_null(c.p)},
                                                                       {"better", better}};
      rows.push_back({name_of(a, k), column.key, std::to_string(c.cases), text(mean_a), text(mean_b), text(c.difference.value),
                      text(c.difference.low), text(c.difference.high), text(c.p),
                      better.empty()  ? ""
                      : better == "a" ? "better"
                                      : "worse"});
    }
  return {aligned(rows), json.dump()};
}

}  // namespace voxgrad
