#pragma once
#include <vector>

namespace voxgrad {

// Cases of two kinds in the order of a value that is to be larger for the positive ones: sorted once, after which the areas of any sample
// of them take one walk. counts: how often each case occurs, in the order in which the cases were given; empty: once each.
class RankedScores {
 public:
  RankedScores(const std::vector<double>& values, const std::vector<bool>& positive);

  struct Areas {
    // Under the ROC curve: the probability that a positive case has a larger value than a negative one, equal values counting half (Mann
    // and Whitney 1947). NaN where either kind is missing.
    double roc = 0;
    // Average precision, sum of (R_n - R_(n-1)) P_n over the values that occur, from the largest: no trapezoids, whose area is too large
    // (Davis and Goadrich 2006; scikit-learn's average_precision_score). NaN where nothing is positive.
    double precision_recall = 0;
  };
  Areas areas(const std::vector<int>& counts = {}) const;

  // How many cases have at least this value; one point for each value that occurs, from the largest.
  struct Point {
    double threshold = 0;
    int true_positives = 0, false_positives = 0;
  };
  std::vector<Point> points() const;
  int positives() const { return positives_; }
  int negatives() const { return int(order_.size()) - positives_; }

  // The threshold with the largest sensitivity + specificity - 1 (Youden 1950), the highest of equally good ones; NaN where a kind is
  // missing.
  struct Youden {
    double threshold = 0, sensitivity = 0, specificity = 0;
  };
  Youden youden() const;

 private:
  struct Ranked {
    double value;
    int index;
    bool positive;
  };
  std::vector<Ranked> order_;
  int positives_ = 0;
};

}  // namespace voxgrad
