#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "core/config/json_values.h"
#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

std::string label_name(const Evaluation& e, int label) {
  return label < int(e.label_names.size()) ? e.label_names[size_t(label)] : "class " + std::to_string(label);
}

void add_more(Json& to, const Evaluation& e, const std::vector<double>& values) {
  for (size_t i = 0; i < e.more.size() && i < values.size(); ++i) to[metric_registry().find(e.more[i]).key] = finite_or_null(values[i]);
}

Json object_of(const Evaluation& e, const MeanScores& m) {
  Json out = {{"Dice", finite_or_null(m.dice)},
          {"IoU", finite_or_null(m.iou)},
          {"Precision", finite_or_null(m.precision)},
          {"Recall", finite_or_null(m.recall)},
          {"HD95_mm", finite_or_null(m.hd95_mm)},
          {"NSD", finite_or_null(m.nsd)},
          {"cases", m.cases},
          {"surface_missing", m.surface_missing}};
  add_more(out, e, m.more);
  return out;
}

Json object_of(const Evaluation& e, const ClassScores& s) {
  const Confusion& c = s.counts;
  Json out = {{"Dice", finite_or_null(s.dice)},
          {"IoU", finite_or_null(s.iou)},
          {"Precision", finite_or_null(s.precision)},
          {"Recall", finite_or_null(s.recall)},
          {"HD95_mm", finite_or_null(s.hd95_mm)},
          {"NSD", finite_or_null(s.nsd)},
          {"TP", c.tp},
          {"FP", c.fp},
          {"FN", c.fn},
          {"TN", c.tn},
          {"n_pred", c.tp + c.fp},
          {"n_ref", c.tp + c.fn},
          {"volume_pred_mm3", s.volume_mm3},
          {"volume_ref_mm3", s.reference_volume_mm3}};
  add_more(out, e, s.more);
  return out;
}

std::string cell(double v, int decimals) {
  char text[32];
  if (std::isfinite(v)) std::snprintf(text, sizeof text, "%.*f", decimals, v);
  else std::snprintf(text, sizeof text, "-");
  return text;
}

}  // namespace

double nan_mean(const std::vector<double>& values) {
  double sum = 0;
  int64_t n = 0;
  for (double v : values)
    if (!std::isnan(v)) sum += v, ++n;
  return n ? sum / double(n) : std::numeric_limits<double>::quiet_NaN();
}

std::vector<MeanScores> Evaluation::mean_by_class() const {
  std::vector<MeanScores> out;
  const size_t classes = cases.empty() ? 0 : cases[0].classes.size();
  for (size_t k = 0; k < classes; ++k) {
    const auto mean = [&](double ClassScores::*field, bool finite) {
      std::vector<double> values;
      for (const CaseScores& c : cases)
        if (!finite || std::isfinite(c.classes[k].*field)) values.push_back(c.classes[k].*field);
      return nan_mean(values);
    };
    MeanScores m{.dice = mean(&ClassScores::dice, false),
                 .iou = mean(&ClassScores::iou, false),
                 .precision = mean(&ClassScores::precision, false),
                 .recall = mean(&ClassScores::recall, false),
                 .nsd = mean(&ClassScores::nsd, false),
                 .hd95_mm = mean(&ClassScores::hd95_mm, true)};
    for (size_t i = 0; i < more.size(); ++i) {
      std::vector<double> values;
      for (const CaseScores& c : cases)
        if (i < c.classes[k].more.size() && std::isfinite(c.classes[k].more[i])) values.push_back(c.classes[k].more[i]);
      m.more.push_back(nan_mean(values));
    }
    for (const CaseScores& c : cases) {
      m.cases += !std::isnan(c.classes[k].dice);
      m.surface_missing += std::isinf(c.classes[k].hd95_mm);
    }
    out.push_back(m);
  }
  return out;
}

MeanScores Evaluation::foreground_mean() const {
  const std::vector<MeanScores> by_class = mean_by_class();
  const auto mean = [&](double MeanScores::*field) {
    std::vector<double> values;
    for (const MeanScores& m : by_class) values.push_back(m.*field);
    return nan_mean(values);
  };
  MeanScores out{.dice = mean(&MeanScores::dice),
                 .iou = mean(&MeanScores::iou),
                 .precision = mean(&MeanScores::precision),
                 .recall = mean(&MeanScores::recall),
                 .nsd = mean(&MeanScores::nsd),
                 .hd95_mm = mean(&MeanScores::hd95_mm)};
  for (size_t i = 0; i < more.size(); ++i) {
    std::vector<double> values;
    for (const MeanScores& m : by_class) values.push_back(m.more[i]);
    out.more.push_back(nan_mean(values));
  }
  for (const MeanScores& m : by_class) out.cases += m.cases, out.surface_missing += m.surface_missing;
  return out;
}

std::string table_of(const Evaluation& e) {
  char nsd[48];
  std::snprintf(nsd, sizeof nsd, "NSD %g mm", e.tolerance_mm);
  std::vector<std::vector<std::string>> rows = {{"class", "Dice", "IoU", "precision", "recall", "HD95 mm", nsd}};
  for (const std::string& name : e.more) rows[0].push_back(metric_registry().find(name).key);
  rows[0].push_back("cases");
  const auto add = [&](const std::string& name, const MeanScores& m, const std::string& cases) {
    rows.push_back({name, cell(m.dice, 4), cell(m.iou, 4), cell(m.precision, 4), cell(m.recall, 4), cell(m.hd95_mm, 2), cell(m.nsd, 4)});
    for (size_t i = 0; i < e.more.size(); ++i) rows.back().push_back(cell(m.more[i], metric_registry().find(e.more[i]).decimals));
    rows.back().push_back(cases);
  };
  const std::vector<MeanScores> by_class = e.mean_by_class();
  for (size_t k = 0; k < by_class.size(); ++k) {
    const int label = e.cases[0].classes[k].label;
    const MeanScores& m = by_class[k];
    add(std::to_string(label) + " " + label_name(e, label), m,
        std::to_string(m.cases) + (m.surface_missing ? " (" + std::to_string(m.surface_missing) + " missed)" : ""));
  }
  add("foreground mean", e.foreground_mean(), std::to_string(e.cases.size()));
  std::vector<size_t> width(rows[0].size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string out;
  for (const auto& row : rows) {
    std::string line = row[0] + std::string(width[0] - row[0].size(), ' ');
    for (size_t i = 1; i < row.size(); ++i) line += "  " + (i + 1 < row.size() ? std::string(width[i] - row[i].size(), ' ') : "") + row[i];
    out += line + "\n";
  }
  return out;
}

Json to_json(const Evaluation& e) {
  Json labels = Json::object(), mean = Json::object(), per_case = Json::array();
  const std::vector<MeanScores> by_class = e.mean_by_class();
  for (size_t k = 0; k < by_class.size(); ++k) {
    const int label = e.cases[0].classes[k].label;
    labels[std::to_string(label)] = label_name(e, label);
    mean[std::to_string(label)] = object_of(e, by_class[k]);
  }
  for (const CaseScores& c : e.cases) {
    Json metrics = Json::object();
    for (const ClassScores& s : c.classes) metrics[std::to_string(s.label)] = object_of(e, s);
    per_case.push_back({{"case", c.id}, {"metrics", metrics}});
  }
  return {{"foreground_mean", object_of(e, e.foreground_mean())},
          {"labels", labels},
          {"nsd_tolerance_mm", e.tolerance_mm},
          {"mean", mean},
          {"metric_per_case", per_case}};
}

}  // namespace voxgrad
