#include "tasks/classification/class_scores.h"

#include <algorithm>
#include <cmath>

#include "tasks/statistics/ranked_scores.h"

namespace voxgrad {
namespace {

struct Margins {
  std::vector<double> rows, columns;
  double all = 0, right = 0;
};

Margins margins_of(const ConfusionMatrix& m) {
  Margins out{.rows = std::vector<double>(m.size()), .columns = std::vector<double>(m.size())};
  for (size_t i = 0; i < m.size(); ++i)
    for (size_t j = 0; j < m.size(); ++j) {
      out.rows[i] += double(m[i][j]), out.columns[j] += double(m[i][j]), out.all += double(m[i][j]);
      if (i == j) out.right += double(m[i][j]);
    }
  return out;
}

double share(double part, double all) { return all > 0 ? part / all : NAN; }

}  // namespace

int decision_of(const ClassifiedCase& c) {
  if (c.decided >= 0) return c.decided;
  return int(std::max_element(c.probabilities.begin(), c.probabilities.end()) - c.probabilities.begin());
}

double auc(const std::vector<ClassifiedCase>& cases, int k) {
  std::vector<double> values;
  std::vector<bool> positive;
  for (auto& c : cases) {
    values.push_back(c.probabilities.at(size_t(k)));
    positive.push_back(c.present.empty() ? c.truth == k : c.present.at(size_t(k)) == 1);
  }
  return RankedScores(values, positive).areas().roc;
}

double auc(const std::vector<ClassifiedCase>& cases) {
  if (cases.empty()) return NAN;
  const int classes = int(cases[0].probabilities.size());
  if (classes == 2 && cases[0].present.empty()) return auc(cases, 1);
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

ConfusionMatrix confusion_matrix(const std::vector<ClassifiedCase>& cases, int classes, const std::vector<int>& counts) {
  const size_t n = size_t(classes);
  ConfusionMatrix out(n, std::vector<int64_t>(n));
  for (size_t i = 0; i < cases.size(); ++i)
    out.at(size_t(cases[i].truth)).at(size_t(decision_of(cases[i]))) += counts.empty() ? 1 : counts[i];
  return out;
}

double accuracy(const ConfusionMatrix& m) {
  const Margins s = margins_of(m);
  return share(s.right, s.all);
}

double balanced_accuracy(const ConfusionMatrix& m) {
  const Margins s = margins_of(m);
  double sum = 0;
  int classes = 0;
  for (size_t i = 0; i < m.size(); ++i) {
    if (s.rows[i] == 0) continue;
    sum += double(m[i][i]) / s.rows[i];
    ++classes;
  }
  return classes ? sum / classes : NAN;
}

double f1(const ConfusionMatrix& m, int k) {
  const Margins s = margins_of(m);
  return share(2 * double(m[size_t(k)][size_t(k)]), s.rows[size_t(k)] + s.columns[size_t(k)]);
}

double macro_f1(const ConfusionMatrix& m) {
  double sum = 0;
  int known = 0;
  for (size_t k = 0; k < m.size(); ++k)
    if (const double one = f1(m, int(k)); !std::isnan(one)) sum += one, ++known;
  return known ? sum / known : NAN;
}

double cohen_kappa(const ConfusionMatrix& m, int power) {
  const Margins s = margins_of(m);
  double observed = 0, expected = 0;
  for (size_t i = 0; i < m.size(); ++i)
    for (size_t j = 0; j < m.size(); ++j) {
      if (i == j) continue;
      const double apart = std::abs(double(i) - double(j)), w = power == 0 ? 1 : power == 1 ? apart : apart * apart;
      observed += w * double(m[i][j]);
      expected += w * s.rows[i] * s.columns[j];
    }
  return expected > 0 ? 1 - observed * s.all / expected : NAN;
}

double matthews_correlation(const ConfusionMatrix& m) {
  const Margins s = margins_of(m);
  if (s.all == 0) return NAN;
  double both = 0, rows = 0, columns = 0;
  for (size_t k = 0; k < m.size(); ++k)
    both += s.rows[k] * s.columns[k], rows += s.rows[k] * s.rows[k], columns += s.columns[k] * s.columns[k];
  const double spread = (s.all * s.all - rows) * (s.all * s.all - columns);
  return spread > 0 ? (s.right * s.all - both) / std::sqrt(spread) : 0;
}

double BinaryCounts::sensitivity() const { return share(tp, tp + fn); }
double BinaryCounts::specificity() const { return share(tn, tn + fp); }
double BinaryCounts::ppv() const { return share(tp, tp + fp); }
double BinaryCounts::npv() const { return share(tn, tn + fn); }
double BinaryCounts::f1() const { return share(2 * tp, 2 * tp + fp + fn); }

BinaryCounts counts_at(const std::vector<ClassifiedCase>& cases, int k, double threshold, const std::vector<int>& counts) {
  BinaryCounts out;
  for (size_t i = 0; i < cases.size(); ++i) {
    const ClassifiedCase& c = cases[i];
    const bool positive = c.present.empty() ? c.truth == k : c.present[size_t(k)] == 1;
    const bool called = c.probabilities[size_t(k)] >= threshold;
    (positive ? called ? out.tp : out.fn : called ? out.fp : out.tn) += counts.empty() ? 1 : counts[i];
  }
  return out;
}

}  // namespace voxgrad
