#include "tasks/statistics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/device/parallel.h"
#include "core/error.h"
#include "core/rng.h"
#include "tasks/statistics/quantile.h"

namespace voxgrad {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> finite(const std::vector<double>& values) {
  std::vector<double> out;
  for (double v : values)
    if (std::isfinite(v)) out.push_back(v);
  return out;
}

double mean(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x;
  return sum / double(v.size());
}

}  // namespace

Interval bootstrap_mean(const std::vector<double>& values, const BootstrapOptions& o) {
  check(o.resamples >= 1 && o.confidence > 0 && o.confidence < 1, "bootstrap: ", o.resamples, " resamples at a confidence of ",
        o.confidence, "; at least 1 and a share between 0 and 1 are wanted");
  const std::vector<double> v = finite(values);
  if (v.empty()) return {kNan, kNan, kNan};
  const int64_t n = int64_t(v.size());
  std::vector<double> means(size_t(o.resamples));
  const Rng base(o.seed);
  parallel_for(o.resamples, std::max<int64_t>(1, 4096 / n), [&](int64_t i) {
    Rng rng = base.at(uint64_t(i));
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) sum += v[size_t(rng.below(n))];
    means[size_t(i)] = sum / double(n);
  });
  std::sort(means.begin(), means.end());
  const double tail = (1 - o.confidence) / 2;
  return {mean(v), quantile_of_sorted(means, tail), quantile_of_sorted(means, 1 - tail)};
}

PairedComparison compare_paired(const std::vector<double>& a, const std::vector<double>& b, const BootstrapOptions& o) {
  check(a.size() == b.size(), "comparison: ", a.size(), " and ", b.size(), " values, those of the same cases are wanted");
  std::vector<double> differences;
  for (size_t i = 0; i < a.size(); ++i)
    if (std::isfinite(a[i]) && std::isfinite(b[i])) differences.push_back(a[i] - b[i]);
  return {int(differences.size()), bootstrap_mean(differences, o), signed_rank_test(differences).p};
}

}  // namespace voxgrad
