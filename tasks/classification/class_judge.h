#pragma once
#include <string>
#include <vector>

#include "tasks/classification/calibration.h"
#include "tasks/statistics/ranked_scores.h"

namespace voxgrad {

// A score of all classes (of = -1), or of one class against the rest.
struct ClassScoreName {
  std::string key;
  int of = -1;
};

// All scores of classified cases, prepared once, so that those of a sample of the cases (tasks/statistics/resampled_scores.h) take one
// walk over them. All cases have the same classes, at least two; either all have `present` or none has.
class ClassJudge {
 public:
  // threshold: of the probability from which a class is called, in sensitivity, specificity, ppv, npv, and f1 of labels.
  ClassJudge(std::vector<ClassifiedCase>, int classes, double threshold);

  bool labels() const { return labels_; }  // that do not exclude each other
  int classes() const { return classes_; }
  double threshold() const { return threshold_; }
  const std::vector<ClassifiedCase>& cases() const { return cases_; }
  const std::vector<ClassScoreName>& names() const { return names_; }
  // In the order of names().
  std::vector<double> scores(const std::vector<int>& counts) const;

  const RankedScores& ranked(int k) const { return ranked_.at(size_t(k)); }
  // Of classes that exclude each other one; of labels one for each.
  const std::vector<CalibrationBins>& calibration() const { return calibration_; }

 private:
  void add_calibration(std::vector<double>& out, const std::vector<int>& counts) const;

  std::vector<ClassifiedCase> cases_;
  int classes_;
  double threshold_;
  bool labels_;
  std::vector<ClassScoreName> names_;
  std::vector<RankedScores> ranked_;
  std::vector<CalibrationBins> calibration_;
  std::vector<double> brier_, nll_;  // of each case
};

// What each key of names() means, for people.
std::string describe_class_scores();

}  // namespace voxgrad
