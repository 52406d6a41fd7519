#pragma once
#include <string>

#include "tasks/segmentation/metrics.h"
#include "tasks/statistics/bootstrap.h"

namespace voxgrad {

// A line for each case and class, a column for each score; a field is empty where the score is not a number, inf where it is infinite.
std::string csv_of(const Evaluation&);

// Of the mean of each score of each class over the cases in which it is finite. JSON: {class: {score: {mean, low, high}}}.
struct Intervals {
  std::string table, json;
};
Intervals intervals_of(const Evaluation&, const BootstrapOptions&);

// Of two predictions for the same cases: per class and score the mean of a - b with its interval and Wilcoxon's signed-rank p. Error where
// the cases or classes differ. JSON: {class: {score: {cases, mean_a, mean_b, difference, low, high, p, better}}}; better: "a" or "b" where
// the interval leaves 0 out, else "".
Intervals comparison_of(const Evaluation& a, const Evaluation& b, const BootstrapOptions&);

}  // namespace voxgrad
