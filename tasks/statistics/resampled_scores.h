#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tasks/statistics/bootstrap.h"

namespace voxgrad {

// Scores of a set of cases in which case i occurs counts[i] times, always as many of them in the same order; NaN where one is not defined.
using CountedScores = std::function<std::vector<double>(const std::vector<int>& counts)>;

// A score of all cases, each once, and the percentile interval of its values on samples of as many cases drawn with replacement.
struct ResampledScore {
  Interval interval;  // low and high are NaN without resamples, or where no sample has the score
  int undefined = 0;  // samples in which the score is not defined: left out
};
// The same bits for the same cases, seed and number of resamples, whatever the number of threads. o.resamples 0: the values alone.
std::vector<ResampledScore> resampled_scores(int64_t cases, const CountedScores&, const BootstrapOptions& o);

}  // namespace voxgrad
