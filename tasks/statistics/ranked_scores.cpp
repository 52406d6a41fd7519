#include "tasks/statistics/ranked_scores.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace voxgrad {

RankedScores::RankedScores(const std::vector<double>& values, const std::vector<bool>& positive) {
  check(values.size() == positive.size(), "ranked scores: ", values.size(), " values of ", positive.size(), " cases");
  for (size_t i = 0; i < values.size(); ++i) {
    check(!std::isnan(values[i]), "ranked scores: a value is not a number");
    order_.push_back({values[i], int(i), positive[i]});
    positives_ += positive[i];
  }
  std::stable_sort(order_.begin(), order_.end(), [](auto& a, auto& b) { return a.value > b.value; });
}

RankedScores::Areas RankedScores::areas(const std::vector<int>& counts) const {
  double above = 0, below = 0, pairs = 0, precision = 0;  // positives and negatives so far
  for (size_t i = 0; i < order_.size();) {
    double right = 0, wrong = 0;  // of one value
    const double value = order_[i].value;
    for (; i < order_.size() && order_[i].value == value; ++i)
      (order_[i].positive ? right : wrong) += counts.empty() ? 1 : counts[size_t(order_[i].index)];
    pairs += wrong * (above + right / 2);
    above += right, below += wrong;
    if (right > 0) precision += right * (above / (above + below));
  }
  return {above > 0 && below > 0 ? pairs / (above * below) : NAN, above > 0 ? precision / above : NAN};
}

std::vector<RankedScores::Point> RankedScores::points() const {
  std::vector<Point> out;
  for (const Ranked& r : order_) {
    if (out.empty() || out.back().threshold != r.value) {
      out.push_back(out.empty() ? Point{} : out.back());
      out.back().threshold = r.value;
    }
    ++(r.positive ? out.back().true_positives : out.back().false_positives);
  }
  return out;
}

RankedScores::Youden RankedScores::youden() const {
  if (positives() == 0 || negatives() == 0) return {NAN, NAN, NAN};
  Youden best{.threshold = NAN, .sensitivity = -1, .specificity = 0};
  for (const Point& p : points()) {
    const double found = double(p.true_positives) / positives(), spared = 1 - double(p.false_positives) / negatives();
    if (found + spared > best.sensitivity + best.specificity) best = {p.threshold, found, spared};
  }
  return best;
}

}  // namespace voxgrad
