#pragma once
#include <string>
#include <vector>

namespace voxgrad {

// What a classifier said of one image, and what is right.
struct ClassifiedCase {
  std::vector<double> probabilities;  // of each class
  int truth = 0;
};

// Area under the ROC curve of class k against all others: the probability that an image of the class has a larger value than one of
// another, equal values counting half (Mann and Whitney 1947). NaN where a side is empty.
double auc(const std::vector<ClassifiedCase>&, int k);
// Of the second of two classes; of more, the mean over the classes that have an AUC (macro average, one against the rest).
double auc(const std::vector<ClassifiedCase>&);

// Images by truth (rows) and by the class with the largest probability (columns), the first of equal ones.
std::vector<std::vector<int64_t>> confusion_matrix(const std::vector<ClassifiedCase>&, int classes);
double accuracy(const std::vector<std::vector<int64_t>>& confusion);
// Mean recall over the classes that occur.
double balanced_accuracy(const std::vector<std::vector<int64_t>>& confusion);
// 2 tp / (2 tp + fp + fn) of one class; NaN where it occurs in neither.
double f1(const std::vector<std::vector<int64_t>>& confusion, int k);

}  // namespace voxgrad
