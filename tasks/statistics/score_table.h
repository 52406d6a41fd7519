#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "tasks/statistics/resampled_scores.h"

namespace voxgrad {

// A line for each score: its name, its value, and where it was resampled its interval and in how many samples it is not defined.
struct ScoreRow {
  std::string name;
  ResampledScore score;
  int decimals = 4;
};
std::string score_table(const std::vector<ScoreRow>&);
// A number for people, "-" where it is not one.
std::string score_text(double, int decimals = 4);
// Columns of equal width, the first to the left, others to the right.
std::string aligned_table(const std::vector<std::vector<std::string>>& rows);
// {"low", "high", "undefined"}.
Json json_of_interval(const ResampledScore&);

// Of two predictions of the same cases: the scores of either and the interval of their difference, both on the same samples.
struct ScoreDifference {
  std::string key;
  double a = 0, b = 0;
  bool larger_is_better = true;
  ResampledScore difference;  // a - b
  // "a" or "b" where the interval leaves 0 out, else "".
  std::string better() const;
};
std::vector<ScoreDifference> score_differences(int64_t cases, const std::vector<ScoreDifference>& keys, const CountedScores& a,
                                               const CountedScores& b, const BootstrapOptions&);
std::string difference_table(const std::vector<ScoreDifference>&);
// {key: {"a", "b", "difference", "low", "high", "undefined", "better"}}.
Json json_of_differences(const std::vector<ScoreDifference>&);

}  // namespace voxgrad
