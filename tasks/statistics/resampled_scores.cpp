#include "tasks/statistics/resampled_scores.h"

#include <algorithm>
#include <cmath>

#include "core/device/parallel.h"
#include "core/error.h"
#include "core/rng.h"
#include "tasks/statistics/quantile.h"

namespace voxgrad {

std::vector<ResampledScore> resampled_scores(int64_t cases, const CountedScores& scores, const BootstrapOptions& o) {
  check(o.resamples >= 0 && o.confidence > 0 && o.confidence < 1, "bootstrap: ", o.resamples, " resamples at a confidence of ",
        o.confidence, "; a number from 0 on and a share between 0 and 1 are wanted");
  const std::vector<double> all = scores(std::vector<int>(size_t(cases), 1));
  std::vector<ResampledScore> out;
  for (double v : all) out.push_back({.interval = {v, NAN, NAN}});
  if (o.resamples == 0 || cases == 0) return out;
  std::vector<std::vector<double>> drawn(all.size(), std::vector<double>(size_t(o.resamples)));
  const Rng base(o.seed);
  parallel_for(o.resamples, std::max<int64_t>(1, 4096 / cases), [&](int64_t i) {
    Rng rng = base.at(uint64_t(i));
    std::vector<int> counts(size_t(cases), 0);
    for (int64_t n = 0; n < cases; ++n) ++counts[size_t(rng.below(cases))];
    const std::vector<double> values = scores(counts);
    for (size_t k = 0; k < drawn.size(); ++k) drawn[k][size_t(i)] = values.at(k);
  });
  const double tail = (1 - o.confidence) / 2;
  for (size_t k = 0; k < drawn.size(); ++k) {
    std::vector<double>& v = drawn[k];
    std::erase_if(v, [](double x) { return std::isnan(x); });
    out[k].undefined = o.resamples - int(v.size());
    if (v.empty()) continue;
    std::sort(v.begin(), v.end());
    out[k].interval.low = quantile_of_sorted(v, tail), out[k].interval.high = quantile_of_sorted(v, 1 - tail);
  }
  return out;
}

}  // namespace voxgrad
