#include "tasks/statistics/score_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/config/json_values.h"

namespace voxgrad {

std::string score_text(double v, int decimals) {
  char text[40];
  if (std::isnan(v)) return "-";
  std::snprintf(text, sizeof text, "%.*f", decimals, v);
  return text;
}

std::string aligned_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> width;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      if (i == width.size()) width.push_back(0);
      width[i] = std::max(width[i], row[i].size());
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string gap(width[i] - row[i].size(), ' ');
      line += i == 0 ? row[i] + gap : "  " + gap + row[i];
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string score_table(const std::vector<ScoreRow>& rows) {
  std::vector<std::vector<std::string>> cells;
  for (const ScoreRow& r : rows) {
    const Interval& i = r.score.interval;
    auto& line = cells.emplace_back(std::vector<std::string>{r.name, score_text(i.value, r.decimals)});
    if (std::isnan(i.low)) continue;
    line.push_back(score_text(i.low, r.decimals) + " to " + score_text(i.high, r.decimals));
    if (r.score.undefined) line.push_back("not defined in " + std::to_string(r.score.undefined) + " samples");
  }
  return aligned_table(cells);
}

Json json_of_interval(const ResampledScore& s) {
  return {{"low", finite_or_null(s.interval.low)}, {"high", finite_or_null(s.interval.high)}, {"undefined", s.undefined}};
}

std::string ScoreDifference::better() const {
  const Interval& d = difference.interval;
  if (!(d.low > 0 || d.high < 0)) return "";
  return (d.value > 0) == larger_is_better ? "a" : "b";
}

std::vector<ScoreDifference> score_differences(int64_t cases, const std::vector<ScoreDifference>& keys, const CountedScores& a,
                                               const CountedScores& b, const BootstrapOptions& o) {
  const std::vector<int> once(size_t(cases), 1);
  const std::vector<double> of_a = a(once), of_b = b(once);
  const auto differences = resampled_scores(
      cases,
      [&](const std::vector<int>& counts) {
        std::vector<double> d = a(counts);
        const std::vector<double> other = b(counts);
        for (size_t i = 0; i < d.size(); ++i) d[i] -= other.at(i);
        return d;
      },
      o);
  std::vector<ScoreDifference> out = keys;
  for (size_t i = 0; i < out.size(); ++i) out[i].a = of_a.at(i), out[i].b = of_b.at(i), out[i].difference = differences.at(i);
  return out;
}

std::string difference_table(const std::vector<ScoreDifference>& all) {
  std::vector<std::vector<std::string>> rows = {{"score", "this", "other", "difference", "low", "high", ""}};
  for (const ScoreDifference& d : all) {
    const Interval& i = d.difference.interval;
    const std::string better = d.better();
    rows.push_back({d.key, score_text(d.a), score_text(d.b), score_text(i.value), score_text(i.low), score_text(i.high),
                    better.empty()  ? ""
                    : better == "a" ? "better"
                                    : "worse"});
  }
  return aligned_table(rows);
}

Json json_of_differences(const std::vector<ScoreDifference>& all) {
  Json out = Json::object();
  for (const ScoreDifference& d : all) {
    out[d.key] = {{"a", finite_or_null(d.a)}, {"b", finite_or_null(d.b)}, {"difference", finite_or_null(d.difference.interval.value)}};
    out[d.key].update(json_of_interval(d.difference));
    out[d.key]["better"] = d.better();
  }
  return out;
}

}  // namespace voxgrad
