#include <algorithm>
#include <cmath>
#include <limits>

#include "tasks/statistics/bootstrap.h"

namespace voxgrad {
namespace {

constexpr size_t kExactUpTo = 50;

// P(sum of the ranks of positive differences <= statistic), where each is positive with probability 1/2. Ranks are doubled: whole numbers.
double exact_tail(const std::vector<int>& doubled_ranks, double statistic) {
  int all = 0;
  for (int r : doubled_ranks) all += r;
  std::vector<double> ways(size_t(all) + 1, 0.0);
  ways[0] = 1;
  for (int r : doubled_ranks)
    for (int s = all; s >= r; --s) ways[size_t(s)] += ways[size_t(s - r)];
  double sum = 0;
  for (int s = 0; s <= int(std::lround(2 * statistic)); ++s) sum += ways[size_t(s)];
  return sum / std::pow(2.0, double(doubled_ranks.size()));
}

}  // namespace

SignedRank signed_rank_test(const std::vector<double>& differences) {
  std::vector<double> d;
  for (double v : differences)
    if (v != 0 && std::isfinite(v)) d.push_back(v);
  if (d.empty()) return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  std::sort(d.begin(), d.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
  const size_t n = d.size();
  double positive = 0, ties = 0;
  std::vector<int> doubled_ranks;
  for (size_t i = 0; i < n;) {
    size_t end = i;
    while (end < n && std::fabs(d[end]) == std::fabs(d[i])) ++end;
    const double rank = (double(i + 1) + double(end)) / 2, tied = double(end - i);
    ties += tied * tied * tied - tied;
    for (; i < end; ++i) {
      positive += d[i] > 0 ? rank : 0;
      doubled_ranks.push_back(int(std::lround(2 * rank)));
    }
  }
  const double all = double(n) * double(n + 1) / 2, statistic = std::min(positive, all - positive);
  if (n <= kExactUpTo) return {statistic, std::min(1.0, 2 * exact_tail(doubled_ranks, statistic))};
  const double deviation = std::sqrt((double(n) * double(n + 1) * double(2 * n + 1) - ties / 2) / 24);
  const double z = (statistic - all / 2) / deviation;
  return {statistic, std::min(1.0, std::erfc(std::fabs(z) / std::sqrt(2.0)))};
}

}  // namespace voxgrad
