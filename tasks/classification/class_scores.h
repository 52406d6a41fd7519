#pragma once
#include <string>
#include <vector>

namespace voxgrad {

// What a classifier said of one image, and what is right.
struct ClassifiedCase {
  std::vector<double> probabilities;  // of each class
  int truth = 0;
  // Of labels that do not exclude each other: 1 for each that the image has, else 0; truth then says nothing.
  std::vector<int> present = {};
  // The class that was decided for; -1: the first of the most probable ones.
  int decided = -1;
};
int decision_of(const ClassifiedCase&);

// Area under the ROC curve of class k against all others (RankedScores::Areas::roc).
double auc(const std::vector<ClassifiedCase>&, int k);
// Of the second of two classes; of more, and of labels, the mean over those that have an AUC (macro average, one against the rest).
double auc(const std::vector<ClassifiedCase>&);

// Images by truth (rows) and by the class decided for (columns). counts: how often each case occurs; empty: once.
using ConfusionMatrix = std::vector<std::vector<int64_t>>;
ConfusionMatrix confusion_matrix(const std::vector<ClassifiedCase>&, int classes, const std::vector<int>& counts = {});
double accuracy(const ConfusionMatrix&);
// Mean recall over the classes that occur.
double balanced_accuracy(const ConfusionMatrix&);
// 2 tp / (2 tp + fp + fn) of one class; NaN where it occurs in neither.
double f1(const ConfusionMatrix&, int k);
// Mean over the classes that have one.
double macro_f1(const ConfusionMatrix&);
// Agreement beyond chance, 1 - sum w_ij O_ij / sum w_ij E_ij with E_ij = row_i column_j / n (Cohen 1960, 1968); w_ij is 1 off the diagonal
// (power 0), |i - j| (power 1, linear) or its square (power 2, quadratic), which heed the order of the classes. NaN where chance leaves no
// disagreement: truths and decisions are one class.
double cohen_kappa(const ConfusionMatrix&, int power = 0);
// Correlation of truth and decision (Matthews 1975; of several classes Gorodkin 2004); 0 where either is one class throughout, as in
// scikit-learn, and NaN without cases.
double matthews_correlation(const ConfusionMatrix&);

// Of two sides, positive or not.
struct BinaryCounts {
  double tp = 0, fp = 0, fn = 0, tn = 0;
  double sensitivity() const;  // tp / (tp + fn), NaN where nothing is positive
  double specificity() const;  // tn / (tn + fp), NaN where nothing is negative
  double ppv() const;          // precision, tp / (tp + fp), NaN where nothing was called positive
  double npv() const;          // tn / (tn + fn), NaN where everything was called positive
  double f1() const;           // NaN where nothing is positive nor was called so
};
// Of class (or label) k against the rest: called positive where its probability is at least the threshold.
BinaryCounts counts_at(const std::vector<ClassifiedCase>&, int k, double threshold, const std::vector<int>& counts = {});

}  // namespace voxgrad
