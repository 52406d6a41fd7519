#pragma once
#include <array>
#include <vector>

#include "tasks/classification/class_scores.h"

namespace voxgrad {

inline constexpr int kCalibrationBins = 15;

// Whether probabilities are what they say (Guo et al. 2017): cases in 15 bins of equal width, (lo, hi], the first with 0 as well, by how
// sure the classifier was. Of classes that exclude each other sureness is the largest probability, and right is whether the first class
// that has it is the truth, whatever was decided; of one label of several it is the probability of the label, and right is whether it is
// there.
class CalibrationBins {
 public:
  // k: the label; -1: classes that exclude each other.
  CalibrationBins(const std::vector<ClassifiedCase>&, int k);

  struct Bin {
    double cases = 0, sureness = 0, right = 0;  // the latter two are sums over the cases
  };
  std::array<Bin, kCalibrationBins> bins(const std::vector<int>& counts = {}) const;

 private:
  struct Item {
    int bin;
    double sureness;
    bool right;
  };
  std::vector<Item> items_;
};

// Sum over the bins of their share of the cases times |share that is right - mean sureness|, and the largest such difference of a bin that
// has cases; NaN without cases.
double expected_calibration_error(const std::array<CalibrationBins::Bin, kCalibrationBins>&);
double maximum_calibration_error(const std::array<CalibrationBins::Bin, kCalibrationBins>&);

// Brier score of one case (1950). Of two classes the squared difference (p - y)^2 of the second one, half of Brier's sum, as usual and as
// scikit-learn has it; of more, sum of (p_k - y_k)^2 over the classes, from 0 to 2; of labels their mean.
double brier_of(const ClassifiedCase&);
// Negative log-likelihood of one case, -log p of the truth; of labels the mean of -log p or -log (1 - p). Probabilities are held within
// 2.2e-16 of 0 and 1, as scikit-learn's log_loss does.
double nll_of(const ClassifiedCase&);

}  // namespace voxgrad
