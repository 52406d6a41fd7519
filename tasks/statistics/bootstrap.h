#pragma once
#include <cstdint>
#include <vector>

namespace voxgrad {

// A value and the interval in which it lies with the confidence asked for.
struct Interval {
  double value = 0, low = 0, high = 0;
};

struct BootstrapOptions {
  int resamples = 10000;
  uint64_t seed = 1;
  double confidence = 0.95;
};

// The mean of what is finite, and the percentile interval of the means of samples drawn with replacement (Efron and Tibshirani 1993). All
// are NaN where nothing is finite; the same bits for the same values in the same order.
Interval bootstrap_mean(const std::vector<double>& values, const BootstrapOptions& = {});

// Two lists over the same cases, a - b of each case in which both are finite.
struct PairedComparison {
  int cases = 0;        // compared
  Interval difference;  // mean of a - b, bootstrapped over the cases
  // Wilcoxon's signed-rank test, two-sided, without the cases of difference 0: exact up to 50 of them, also with ties, else by the normal
  // approximation corrected for ties (both as SciPy's wilcoxon). NaN where no case differs.
  double p = 0;
};
PairedComparison compare_paired(const std::vector<double>& a, const std::vector<double>& b, const BootstrapOptions& = {});

// Of differences. statistic: the lesser of the two sums of ranks.
struct SignedRank {
  double statistic = 0, p = 0;
};
SignedRank signed_rank_test(const std::vector<double>& differences);

}  // namespace voxgrad
