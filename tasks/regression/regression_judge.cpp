#include "tasks/regression/regression_judge.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"

namespace voxgrad {
namespace {

constexpr double kNormal95 = 1.959964;  // quantile 0.975

// Of pairs with counts, about their means: divided by n.
struct Moments {
  double n = 0, mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
  bool a_varies = false, b_varies = false;
  double correlation() const { return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : NAN; }
};

template <class A, class B>
Moments moments_of(size_t cases, const std::vector<int>& counts, A a, B b) {
  Moments m;
  for (size_t i = 0; i < cases; ++i) m.n += counts[i], m.mean_a += counts[i] * a(i), m.mean_b += counts[i] * b(i);
  m.mean_a /= m.n, m.mean_b /= m.n;
  // Of values that are all one the mean may be rounded to another.
  for (size_t i = 0, first = cases; i < cases; ++i) {
    if (counts[i] == 0) continue;
    if (first == cases) first = i;
    m.a_varies |= a(i) != a(first), m.b_varies |= b(i) != b(first);
  }
  for (size_t i = 0; i < cases; ++i) {
    const double x = m.a_varies ? a(i) - m.mean_a : 0, y = m.b_varies ? b(i) - m.mean_b : 0, w = counts[i] / m.n;
    m.aa += w * x * x, m.bb += w * y * y, m.ab += w * x * y;
  }
  return m;
}

// Mean ranks of the sample in which case i occurs counts[i] times.
template <class Value>
std::vector<double> ranks_of(const std::vector<int>& order, const std::vector<int>& counts, Value value) {
  std::vector<double> out(order.size());
  double before = 0;
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    double here = 0;
    for (; end < order.size() && value(order[end]) == value(order[i]); ++end) here += counts[size_t(order[end])];
    for (; i < end; ++i) out[size_t(order[i])] = before + (here + 1) / 2;
    before += here;
  }
  return out;
}

std::vector<int> sorted_by(const std::vector<RegressedCase>& cases, double RegressedCase::*field) {
  std::vector<int> out(cases.size());
  std::iota(out.begin(), out.end(), 0);
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) { return cases[size_t(a)].*field < cases[size_t(b)].*field; });
  return out;
}

}  // namespace

RegressionJudge::RegressionJudge(std::vector<RegressedCase> cases) : cases_(std::move(cases)) {
  const auto known = [](const RegressedCase& c) { return c.std > 0; };
  const auto n = std::count_if(cases_.begin(), cases_.end(), known);
  check(n == 0 || size_t(n) == cases_.size(), "regression: ", n, " of ", cases_.size(), " cases have a standard deviation");
  uncertain_ = n > 0;
  for (const RegressedCase& c : cases_)
    check(std::isfinite(c.said) && std::isfinite(c.real) && (!uncertain_ || std::isfinite(c.std)), "regression: a value is not finite");
  said_order_ = sorted_by(cases_, &RegressedCase::said), real_order_ = sorted_by(cases_, &RegressedCase::real);
}

double RegressionJudge::spread() const {
  const auto real = [&](size_t i) { return cases_[i].real; };
  return std::sqrt(moments_of(cases_.size(), std::vector<int>(cases_.size(), 1), real, real).aa);
}

std::vector<std::string> RegressionJudge::keys() const {
  std::vector<std::string> out = {"mae", "rmse", "r2", "pearson", "spearman", "ccc", "bias", "lower_limit", "upper_limit"};
  if (uncertain_) out.insert(out.end(), {"nll", "coverage"});
  return out;
}

std::vector<double> RegressionJudge::scores(const std::vector<int>& counts) const {
  const auto said = [&](size_t i) { return cases_[i].said; };
  const auto real = [&](size_t i) { return cases_[i].real; };
  const Moments m = moments_of(cases_.size(), counts, said, real);
  const std::vector<double> said_ranks = ranks_of(said_order_, counts, [&](int i) { return said(size_t(i)); });
  const std::vector<double> real_ranks = ranks_of(real_order_, counts, [&](int i) { return real(size_t(i)); });
  const Moments ranks = moments_of(
      cases_.size(), counts, [&](size_t i) { return said_ranks[i]; }, [&](size_t i) { return real_ranks[i]; });
  double absolute = 0, square = 0, likelihood = 0, covered = 0;
  for (size_t i = 0; i < cases_.size(); ++i) {
    const double d = said(i) - real(i), w = counts[i] / m.n, s = cases_[i].std;
    absolute += w * std::abs(d), square += w * d * d;
    if (!uncertain_) continue;
    likelihood += w * (std::log(2 * std::numbers::pi * s * s) + d * d / (s * s)) / 2;
    covered += std::abs(d) <= kNormal95 * s ? w : 0;
  }
  const double shift = m.mean_a - m.mean_b, apart = m.aa + m.bb + shift * shift;
  const double deviation = m.n > 1 ? std::sqrt(std::max(0.0, square - shift * shift) * m.n / (m.n - 1)) : NAN;
  std::vector<double> out = {absolute,        std::sqrt(square),        m.bb > 0 ? 1 - square / m.bb : NAN,
                             m.correlation(), ranks.correlation(),      apart > 0 ? 2 * m.ab / apart : NAN,
                             shift,           shift - 1.96 * deviation, shift + 1.96 * deviation};
  if (uncertain_) out.insert(out.end(), {likelihood, covered});
  return out;
}

std::string describe_regression_scores() {
  return R"(Of each value, predicted (m) against real (y), in the units of the data set. Keys of --json:
  mae, rmse          mean |m - y|, root of the mean (m - y)^2
  r2                 1 - sum (m - y)^2 / sum (y - mean y)^2; not defined where y is one value throughout
  pearson, spearman  correlation of the values, and of their ranks (equal ones share the mean rank); not defined where m or y is one value
  ccc                Lin's concordance, 2 s_my / (s_m^2 + s_y^2 + (mean m - mean y)^2)
  bias, lower_limit, upper_limit  mean (m - y), and Bland and Altman's limits of agreement: bias -+ 1.96 standard deviations of m - y
  nll, coverage      where predictions have a standard deviation s: mean of ln(2 pi s^2) / 2 + (m - y)^2 / (2 s^2), and the share of
                     cases with y within m -+ 1.96 s, which is to be 0.95
--bootstrap as for classes. --versus: the difference of mae, rmse and r2, both on the same samples of the cases.
)";
}

}  // namespace voxgrad
