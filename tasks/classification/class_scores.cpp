#include "tasks/classification/class_scores.h"

#include <algorithm>
#include <cmath>

namespace voxgrad {

double auc(const std::vector<ClassifiedCase>& cases, int k) {
  // Ranks of the values, equal ones sharing their mean rank.
  std::vector<std::pair<double, bool>> values;
  for (auto& c : cases) values.emplace_back(c.probabilities.at(size_t(k)), c.truth == k);
  std::sort(values.begin(), values.end(), [](auto& a, auto& b) { return a.first < b.first; });
  double rank_sum = 0;
  int64_t positive = 0;
  for (size_t i = 0; i < values.size();) {
    size_t end = i;
    int64_t here = 0;
    while (end < values.size() && values[end].first == values[i].first) here += values[end++].second;
    rank_sum += double(here) * (double(i + 1) + double(end)) / 2;
    positive += here;
    i = end;
  }
  const int64_t negative = int64_t(values.size()) - positive;
  if (positive == 0 || negative == 0) return NAN;
  return (rank_sum - double(positive) * double(positive + 1) / 2) / (double(positive) * double(negative));
}

double auc(const std::vector<ClassifiedCase>& cases) {
  if (cases.empty()) return NAN;
  const int classes = int(cases[0].probabilities.size());
  if (classes == 2) return auc(cases, 1);
  double sum = 0;
  int known = 0;
  for (int k = 0; k < classes; ++k) {
    const double one = auc(cases, k);
    if (std::isnan(one)) continue;
    sum += one;
    ++known;
  }
  return known ? sum / known : NAN;
}

std::vector<std::vector<int64_t>> confusion_matrix(const std::vector<ClassifiedCase>& cases, int classes) {
  const size_t n = size_t(classes);
  std::vector<std::vector<int64_t>> out(n, std::vector<int64_t>(n));
  for (auto& c : cases) {
    const auto largest = std::max_element(c.probabilities.begin(), c.probabilities.end()) - c.probabilities.begin();
    ++out.at(size_t(c.truth)).at(size_t(largest));
  }
  return out;
}

double accuracy(const std::vector<std::vector<int64_t>>& m) {
  int64_t right = 0, all = 0;
  for (size_t i = 0; i < m.size(); ++i)
    for (size_t j = 0; j < m.size(); ++j) {
      all += m[i][j];
      right += i == j ? m[i][j] : 0;
    }
  return all ? double(right) / double(all) : NAN;
}

double balanced_accuracy(const std::vector<std::vector<int64_t>>& m) {
  double sum = 0;
  int classes = 0;
  for (size_t i = 0; i < m.size(); ++i) {
    int64_t all = 0;
    for (int64_t n : m[i]) all += n;
    if (all == 0) continue;
    sum += double(m[i][i]) / double(all);
    ++classes;
  }
  return classes ? sum / classes : NAN;
}

double f1(const std::vector<std::vector<int64_t>>& m, int k) {
  int64_t of_truth = 0, predicted = 0;
  for (size_t i = 0; i < m.size(); ++i) {
    of_truth += m[size_t(k)][i];
    predicted += m[i][size_t(k)];
  }
  return of_truth + predicted ? 2 * double(m[size_t(k)][size_t(k)]) / double(of_truth + predicted) : NAN;
}

}  // namespace voxgrad
