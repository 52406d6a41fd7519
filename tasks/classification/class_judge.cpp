#include "tasks/classification/class_judge.h"

#include <cmath>

#include "core/error.h"

namespace voxgrad {
namespace {

double mean_of_known(const std::vector<double>& values) {
  double sum = 0;
  int known = 0;
  for (double v : values)
    if (!std::isnan(v)) sum += v, ++known;
  return known ? sum / known : NAN;
}

double weighted_mean(const std::vector<double>& values, const std::vector<int>& counts) {
  double sum = 0, all = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += counts[i] * values[i], all += counts[i];
  return all > 0 ? sum / all : NAN;
}

void add_rates(std::vector<double>& out, const BinaryCounts& c) {
  out.insert(out.end(), {c.sensitivity(), c.specificity(), c.ppv(), c.npv()});
}

// Of labels: the share of all labels that are called as they are, and of images of which all labels are.
std::array<double, 2> label_accuracies(const std::vector<ClassifiedCase>& cases, double threshold, const std::vector<int>& counts) {
  double right = 0, labels = 0, all_right = 0, images = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    size_t here = 0;
    for (size_t k = 0; k < cases[i].present.size(); ++k) here += (cases[i].probabilities[k] >= threshold) == (cases[i].present[k] == 1);
    const double n = counts[i];
    right += n * double(here), labels += n * double(cases[i].present.size());
    all_right += here == cases[i].present.size() ? n : 0, images += n;
  }
  return {labels > 0 ? right / labels : NAN, images > 0 ? all_right / images : NAN};
}

}  // namespace

ClassJudge::ClassJudge(std::vector<ClassifiedCase> cases, int classes, double threshold)
    : cases_(std::move(cases)), classes_(classes), threshold_(threshold), labels_(!cases_.empty() && !cases_[0].present.empty()) {
  for (const ClassifiedCase& c : cases_) {
    check(int(c.probabilities.size()) == classes && (labels_ ? int(c.present.size()) == classes : c.present.empty()),
          "classification: a case has ", c.probabilities.size(), " probabilities and ", c.present.size(), " labels, ", classes,
          " classes are judged");
    brier_.push_back(brier_of(c)), nll_.push_back(nll_of(c));
  }
  for (int k = 0; k < classes; ++k) {
    std::vector<double> values;
    std::vector<bool> positive;
    for (const ClassifiedCase& c : cases_) {
      values.push_back(c.probabilities[size_t(k)]);
      positive.push_back(labels_ ? c.present[size_t(k)] == 1 : c.truth == k);
    }
    ranked_.emplace_back(values, positive);
    if (labels_) calibration_.emplace_back(cases_, k);
  }
  if (!labels_) calibration_.emplace_back(cases_, -1);
  const bool two = classes == 2 && !labels_;
  std::vector<std::string> keys = {"auc", "average_precision", "accuracy"};
  const auto also = [&](const std::vector<std::string>& more) { keys.insert(keys.end(), more.begin(), more.end()); };
  if (labels_) also({"subset_accuracy"});
  else also({"balanced_accuracy", "kappa"});
  if (!labels_ && !two) also({"kappa_linear", "kappa_quadratic"});
  if (!labels_) also({"mcc"});
  also({"f1_macro"});
  if (two) also({"sensitivity", "specificity", "ppv", "npv"});
  also({"ece", "mce", "brier", "nll"});
  for (const std::string& key : keys) names_.push_back({key, -1});
  for (int k = 0; k < classes; ++k)
    for (const char* key : {"f1", "auc", "average_precision", "sensitivity", "specificity", "ppv", "npv"})
      if (!two || key == std::string("f1")) names_.push_back({key, k});
}

void ClassJudge::add_calibration(std::vector<double>& out, const std::vector<int>& counts) const {
  std::vector<double> expected;
  double largest = NAN;
  for (const CalibrationBins& c : calibration_) {
    const auto bins = c.bins(counts);
    expected.push_back(expected_calibration_error(bins));
    largest = std::fmax(largest, maximum_calibration_error(bins));
  }
  out.insert(out.end(), {mean_of_known(expected), largest, weighted_mean(brier_, counts), weighted_mean(nll_, counts)});
}

std::vector<double> ClassJudge::scores(const std::vector<int>& counts) const {
  const bool two = classes_ == 2 && !labels_;
  const ConfusionMatrix m = labels_ ? ConfusionMatrix{} : confusion_matrix(cases_, classes_, counts);
  std::vector<double> roc, precision, f1s, out;
  std::vector<BinaryCounts> called;
  for (int k = 0; k < classes_; ++k) {
    const bool walked = !two || k == 1;
    const RankedScores::Areas a = walked ? ranked_[size_t(k)].areas(counts) : RankedScores::Areas{NAN, NAN};
    roc.push_back(a.roc), precision.push_back(a.precision_recall);
    called.push_back(walked ? counts_at(cases_, k, threshold_, counts) : BinaryCounts{});
    f1s.push_back(labels_ ? called.back().f1() : f1(m, k));
  }
  out = {mean_of_known(roc), mean_of_known(precision)};
  if (labels_) {
    const auto shares = label_accuracies(cases_, threshold_, counts);
    out.insert(out.end(), {shares[0], shares[1]});
  } else {
    out.insert(out.end(), {accuracy(m), balanced_accuracy(m), cohen_kappa(m)});
    if (!two) out.insert(out.end(), {cohen_kappa(m, 1), cohen_kappa(m, 2)});
    out.push_back(matthews_correlation(m));
  }
  out.push_back(mean_of_known(f1s));
  if (two) add_rates(out, called[1]);
  add_calibration(out, counts);
  for (int k = 0; k < classes_; ++k) {
    out.push_back(f1s[size_t(k)]);
    if (two) continue;
    out.insert(out.end(), {roc[size_t(k)], precision[size_t(k)]});
    add_rates(out, called[size_t(k)]);
  }
  return out;
}

std::string describe_class_scores() {
  return R"(Of two classes the second is the positive one. Of more, curves and rates of a class are those against all others, and AUC, AUPRC
and F1 of all are means over the classes that have one. A score that is not defined is "-" (null in JSON). Keys of --json:
  auc                area under the ROC curve: share of pairs of a positive and a negative case in the right order, equal
                     values count half; not defined unless both occur
  average_precision  AUPRC without trapezoids: sum of (R_n - R_(n-1)) P_n over the values that occur; not defined without positives
  accuracy           share of cases with the right class (the predicted one: "class", else the most probable); of labels share of
                     all labels called as they are at --threshold, and subset_accuracy of cases where all are
  balanced_accuracy  mean recall over the classes that occur
  kappa              Cohen's; kappa_linear and kappa_quadratic weigh by the distance of the classes in their order, for ordinal
                     ones; not defined where truths and predictions are one class
  mcc                Matthews correlation; 0 where truths or predictions are one class (as scikit-learn)
  f1, f1_macro       2 TP / (2 TP + FP + FN), not defined where nothing is positive nor called so
  sensitivity TP / (TP + FN), specificity TN / (TN + FP), ppv TP / (TP + FP), npv TN / (TN + FN) where a probability of at
                     least --threshold is called positive; youden: the threshold with the largest sensitivity + specificity - 1
                     on these very cases, as information (choose it on validation cases)
  ece, mce           calibration: 15 equal bins (lo, hi] of the largest probability (of each label: of its probability), the mean
                     weighted by cases, or the largest, of |share that is right - mean probability|
  brier              mean (p - y)^2 of the positive class; of more classes sum over them (0 to 2); of labels mean over them
  nll                mean -log p of the truth; of labels mean of -log p or -log (1 - p); p is held within 2.2e-16 of 0 and 1
--bootstrap gives the 2.5 % and 97.5 % quantiles over samples of the cases; samples in which a score is not defined are left out
and counted (undefined). --versus: the same of the difference of AUC and of accuracy, both on the same samples.
)";
}

}  // namespace voxgrad
