#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "data/readers/csv.h"
#include "io/json_file.h"
#include "io/picture/picture.h"
#include "tasks/regression/regression.h"
#include "tasks/regression/regression_judge.h"
#include "tasks/statistics/score_table.h"
#include "tasks/values/case_results.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

// What was said and what is right, of each value by itself.
struct ValueCases {
  std::vector<std::string> ids, names;
  std::vector<std::vector<RegressedCase>> cases;
};

double number_in(const Json& object, const std::string& name, const std::string& where) {
  check(object.contains(name) && object[name].is_number() && std::isfinite(object[name].get<double>()), where, ": has no number \"", name,
        "\"");
  return object[name].get<double>();
}

constexpr const char* kStdColumn = "std of ";

// Of {"values": {name: v}} or of the columns of a table.
std::vector<std::string> names_in(const Json& j, const std::vector<std::string>& wanted, const std::string& where) {
  if (!wanted.empty()) return wanted;
  std::vector<std::string> out;
  if (j.contains("values")) check(j["values"].is_object(), where, ": \"values\" is no object");
  for (auto& [name, value] : (j.contains("values") ? j["values"] : j).items())
    if (value.is_number() && !name.starts_with(kStdColumn)) out.push_back(name);
  check(!out.empty(), where, ": has no values");
  return out;
}

RegressedCase said_of(const Json& j, const std::string& name, const std::string& where) {
  const bool nested = j.contains("values");
  check(!nested || !j.contains("std") || j["std"].is_object(), where, ": \"std\" is no object");
  RegressedCase out{.said = number_in(nested ? j["values"] : j, name, where)};
  const std::string column = kStdColumn + name;
  if (!(nested ? j.contains("std") : j.contains(column))) return out;
  out.std = nested ? number_in(j["std"], name, where) : number_in(j, column, where);
  check(out.std > 0, where, ": the standard deviation of \"", name, "\" is ", out.std, ", which is not above 0");
  return out;
}

ValueCases value_cases(const fs::path& predictions, const fs::path& references, const std::vector<std::string>& wanted, bool partial) {
  const Dataset data = read_dataset(references);
  const auto known = [&](const DatasetCase& c) { return wanted.empty() ? !c.targets.empty() : has_values(c, wanted); };
  ValueCases out;
  for (const CaseResult& r : read_case_results(predictions, data, {.partial = partial, .known = known})) {
    const Json j = parse_json(r.json, r.where);
    if (out.names.empty()) out.names = names_in(j, wanted, r.where);
    out.cases.resize(out.names.size());
    const auto real = values_of(*r.of, out.names, references.string());
    for (size_t k = 0; k < out.names.size(); ++k) {
      RegressedCase one = said_of(j, out.names[k], r.where);
      one.real = real[k].second;
      out.cases[k].push_back(one);
    }
    out.ids.push_back(r.of->id);
  }
  return out;
}

std::string csv_of(const ValueCases& v) {
  std::string out = "case,value,real,predicted,difference,std\n";
  char line[160];
  for (size_t k = 0; k < v.names.size(); ++k)
    for (size_t i = 0; i < v.ids.size(); ++i) {
      const RegressedCase& c = v.cases[k][i];
      std::snprintf(line, sizeof line, ",%.9g,%.9g,%.9g,", c.real, c.said, c.said - c.real);
      out += csv_field(v.ids[i]) + "," + csv_field(v.names[k]) + line;
      if (c.std > 0) std::snprintf(line, sizeof line, "%.9g", c.std), out += line;
      out += "\n";
    }
  return out;
}

PlotOptions square_plot(const std::string& title, const std::string& x, const std::string& y) {
  return {.title = title, .x_label = x, .y_label = y, .width = 560, .height = 560};
}

// Predicted against real values with the diagonal, and differences against means with bias and limits of agreement.
void write_value_pictures(const std::string& prefix, const std::string& name, const RegressionJudge& judge) {
  Curve values{.name = "", .x = {}, .y = {}, .style = Curve::Style::points}, differences = values;
  double low = INFINITY, high = -INFINITY, first = INFINITY, last = -INFINITY;
  for (const RegressedCase& c : judge.cases()) {
    const double mean = (c.said + c.real) / 2;
    values.x.push_back(c.real), values.y.push_back(c.said);
    differences.x.push_back(mean), differences.y.push_back(c.said - c.real);
    low = std::min({low, c.said, c.real}), high = std::max({high, c.said, c.real});
    first = std::min(first, mean), last = std::max(last, mean);
  }
  const double margin = high > low ? (high - low) * 0.03 : 1;
  const PlotRange both{low - margin, high + margin};
  PlotOptions plot = square_plot(name, "real", "predicted");
  plot.x_range = plot.y_range = both;
  const Curve diagonal{.name = "", .x = {both.low, both.high}, .y = {both.low, both.high}, .style = Curve::Style::reference};
  write_png(prefix + "_predicted.png", plot_curves({diagonal, values}, plot));
  const std::vector<double> scores = judge.scores(std::vector<int>(judge.cases().size(), 1));
  std::vector<Curve> curves = {differences};
  for (auto s : {RegressionJudge::bias, RegressionJudge::lower_limit, RegressionJudge::upper_limit})
    curves.push_back({.name = "", .x = {first, last}, .y = {scores[size_t(s)], scores[size_t(s)]}, .style = Curve::Style::reference});
  write_png(prefix + "_bland_altman.png",
            plot_curves(curves, square_plot(name, "mean of real and predicted", "predicted - real; bias and limits of agreement")));
}

CountedScores compared(const RegressionJudge& judge) {
  return [&judge](const std::vector<int>& counts) {
    std::vector<double> out = judge.scores(counts);
    out.resize(3);  // mae, rmse, r2
    return out;
  };
}

}  // namespace

Task::Evaluated Regression::evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) const {
  const ValueCases here = value_cases(predictions, references, options_.values, o.partial);
  ValueCases there;
  if (!o.versus.empty()) {
    there = value_cases(o.versus, references, here.names, o.partial);
    check(there.ids == here.ids, o.versus.string(), ": has not the same cases as ", predictions.string());
  }
  const BootstrapOptions bootstrap{.resamples = o.resamples, .seed = o.seed};
  const int64_t n = int64_t(here.ids.size());
  Json json{{"cases", n}, {"values", Json::object()}};
  Evaluated out{.table = std::to_string(n) + " cases\n"};
  for (size_t k = 0; k < here.names.size(); ++k) {
    const RegressionJudge judge(here.cases[k]);
    const auto keys = judge.keys();
    const auto scores = resampled_scores(
        n, [&](auto& counts) { return judge.scores(counts); }, bootstrap);
    Json& of = json["values"][here.names[k]];
    std::vector<ScoreRow> rows;
    for (size_t i = 0; i < scores.size(); ++i) {
      of[keys[i]] = finite_or_null(scores[i].interval.value);
      if (o.resamples) of["intervals"][keys[i]] = json_of_interval(scores[i]);
      rows.push_back({keys[i], scores[i]});
    }
    out.table += "\n" + here.names[k] + "\n" + score_table(rows);
    if (!o.versus.empty()) {
      const RegressionJudge other(there.cases[k]);
      BootstrapOptions b = bootstrap;
      if (b.resamples == 0) b.resamples = 10000;
      const auto differences =
          score_differences(n, {{.key = "mae", .larger_is_better = false}, {.key = "rmse", .larger_is_better = false}, {.key = "r2"}},
                            compared(judge), compared(other), b);
      out.table += "\n" + difference_table(differences);
      of["versus"] = json_of_differences(differences);
    }
    std::string name = here.names[k];
    std::replace(name.begin(), name.end(), '/', '_');
    if (!o.curves.empty()) write_value_pictures(o.curves.string() + (here.names.size() > 1 ? "_" + name : ""), here.names[k], judge);
  }
  out.json = json_text(json);
  out.csv = csv_of(here);
  return out;
}

}  // namespace voxgrad
