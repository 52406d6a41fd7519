#pragma once
#include <string>
#include <vector>

namespace voxgrad {

struct RegressedCase {
  double said = 0, real = 0;
  double std = 0;  // of what was said; NaN or 0: none is known
};

// All scores of predicted values m against real ones y of n cases, prepared once, so that those of a sample of the cases take one walk.
// mae: mean |m - y|. rmse: root of the mean (m - y)^2. r2: 1 - sum (m - y)^2 / sum (y - mean y)^2, not defined where y is one value.
// pearson, spearman: correlation of the values and of their ranks (equal values share their mean rank), not defined where either is one
// value. ccc: Lin's concordance (1989), 2 s_my / (s_m^2 + s_y^2 + (mean m - mean y)^2), with variances over n. bias: mean (m - y); limits
// of agreement bias -+ 1.96 s, s of m - y over n - 1, not defined of one case (Bland and Altman 1986). With standard deviations s: nll,
// mean of ln(2 pi s^2) / 2 + (m - y)^2 / (2 s^2), and coverage, the share of y within m -+ 1.959964 s, which is to be 0.95.
class RegressionJudge {
 public:
  enum Score { mae, rmse, r2, pearson, spearman, ccc, bias, lower_limit, upper_limit, nll, coverage };
  // Error where values are not finite, or where only some have a standard deviation.
  explicit RegressionJudge(std::vector<RegressedCase>);

  const std::vector<RegressedCase>& cases() const { return cases_; }
  bool uncertain() const { return uncertain_; }
  double spread() const;  // standard deviation of the real values over n
  // By Score; the last two only where there are standard deviations.
  std::vector<std::string> keys() const;
  std::vector<double> scores(const std::vector<int>& counts) const;

 private:
  std::vector<RegressedCase> cases_;
  std::vector<int> said_order_, real_order_;  // cases from the least value on
  bool uncertain_ = false;
};

// What each key means, for people.
std::string describe_regression_scores();

}  // namespace voxgrad
