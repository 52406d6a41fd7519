#include <cmath>

#include "tasks/classification/class_judge.h"
#include "tasks/statistics/resampled_scores.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

constexpr int kCases = 24;

double score_of(const ClassJudge& judge, const std::string& key, int of = -1, std::vector<int> counts = {}) {
  if (counts.empty()) counts.assign(judge.cases().size(), 1);
  const std::vector<double> all = judge.scores(counts);
  for (size_t i = 0; i < all.size(); ++i)
    if (judge.names()[i].key == key && judge.names()[i].of == of) return all[i];
  throw std::runtime_error("no score " + key);
}

std::vector<ClassifiedCase> three_classes() {
  std::vector<ClassifiedCase> out;
  for (int i = 0; i < kCases; ++i) {
    const double a = i * 7 % 11 + 1, b = i * 5 % 13 + 1, c = i * 3 % 7 + 1, sum = a + b + c;
    out.push_back({{a / sum, b / sum, c / sum}, (i * i + i / 3) % 3});
  }
  return out;
}

// With many equal probabilities.
std::vector<ClassifiedCase> two_classes() {
  std::vector<ClassifiedCase> out;
  for (int i = 0; i < kCases; ++i) {
    const double p = i * 7 % 10 / 10.0;
    out.push_back({{1 - p, p}, i * i % 5 == 1 || i % 7 == 3});
  }
  return out;
}

std::vector<ClassifiedCase> three_labels() {
  std::vector<ClassifiedCase> out;
  for (int i = 0; i < kCases; ++i) {
    ClassifiedCase c;
    for (int k = 0; k < 3; ++k) {
      c.probabilities.push_back(((i * (k + 3) + k) % 9 + 0.5) / 10);
      c.present.push_back(i * (k + 2) % 5 < 2);
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace

// All numbers of the next three cases are scikit-learn's 1.9 for the same cases (roc_auc_score, average_precision_score, cohen_kappa_score,
// matthews_corrcoef, f1_score, recall_score, precision_score, brier_score_loss, log_loss, roc_curve), ECE NumPy's from its definition.
TEST_CASE("scores of several classes are scikit-learn's") {
  const ClassJudge judge(three_classes(), 3, 0.5);
  const auto is = [&](const char* key, double wanted, int of = -1) { CHECK(close(score_of(judge, key, of), wanted)); };
  is("auc", 0.5025417574437182), is("auc", 0.47058823529411764, 0), is("auc", 0.537037037037037, 1), is("auc", 0.5, 2);
  is("average_precision", 0.3526144143443934), is("average_precision", 0.42073141802468317, 1);
  is("accuracy", 0.375), is("balanced_accuracy", 0.3697089947089947);
  is("kappa", 0.05263157894736836), is("kappa_linear", 0.03389830508474567), is("kappa_quadratic", 0.012195121951219523);
  is("mcc", 0.054541488036010666), is("f1_macro", 0.34761904761904766), is("f1", 1.0 / 6, 2);
  is("brier", 0.7493336688992516), is("nll", 1.221610837537581);
  is("ece", 0.2186051346046803), is("mce", 0.7222222222222222);
}

TEST_CASE("scores of two classes are those of the second, scikit-learn's, with equal probabilities") {
  const ClassJudge judge(two_classes(), 2, 0.5);
  const auto is = [&](const char* key, double wanted, int of = -1) { CHECK(close(score_of(judge, key, of), wanted)); };
  is("auc", 0.6006944444444444), is("average_precision", 0.6421957671957672), is("accuracy", 0.625), is("kappa", 0.25);
  is("mcc", 0.25819888974716115), is("f1", 2.0 / 3, 0), is("f1", 4.0 / 7, 1), is("f1_macro", 0.6190476190476191);
  is("sensitivity", 0.5), is("specificity", 0.5833333333333334), is("ppv", 0.5454545454545454), is("npv", 0.5384615384615384);
  is("brier", 0.29), is("nll", 2.2024746327587326), is("ece", 0.21666666666666667), is("mce", 0.5);
  CHECK(close(score_of(ClassJudge(two_classes(), 2, 0.3), "specificity"), 1.0 / 3));
  const RankedScores::Youden y = judge.ranked(1).youden();
  CHECK(close(y.threshold, 0.7));
  CHECK(close(y.sensitivity, 0.5));
  CHECK(close(y.specificity, 11.0 / 12));
}

TEST_CASE("scores of labels are means over the labels, scikit-learn's") {
  const ClassJudge judge(three_labels(), 3, 0.5);
  const auto is = [&](const char* key, double wanted, int of = -1) { CHECK(close(score_of(judge, key, of), wanted)); };
  is("auc", 0.44263668430335096), is("auc", 0.44642857142857142, 1), is("average_precision", 0.3415223421802369, 2);
  is("accuracy", 0.5138888888888888), is("subset_accuracy", 0.125);
  is("f1", 0.4, 1), is("f1_macro", 0.38674463937621834), is("nll", 0.9781689204988139), is("brier", 0.3336111111111111);
  is("ece", 0.2763888888888889), is("mce", 0.85);
}

TEST_CASE("scores that are not defined are no numbers") {
  const ClassJudge one_side({{{0.2, 0.8}, 1}, {{0.7, 0.3}, 1}}, 2, 0.5);
  CHECK(std::isnan(score_of(one_side, "auc")));
  CHECK(score_of(one_side, "average_precision") == 1);
  CHECK(std::isnan(score_of(one_side, "specificity")));
  CHECK(score_of(one_side, "mcc") == 0);
  CHECK(score_of(one_side, "kappa") == 0);
  CHECK(std::isnan(one_side.ranked(1).youden().threshold));
  const ClassJudge one_class({{{0.2, 0.8}, 1}}, 2, 0.5);
  CHECK(std::isnan(score_of(one_class, "kappa")));
  CHECK(std::isnan(score_of(one_class, "f1", 0)));
  CHECK(score_of(one_class, "f1_macro") == 1);
  const ClassJudge negatives({{{0.2, 0.8}, 0}, {{0.7, 0.3}, 0}}, 2, 0.5);
  CHECK(std::isnan(score_of(negatives, "average_precision")));
  CHECK(score_of(negatives, "ppv") == 0);
  CHECK(std::isnan(score_of(negatives, "sensitivity")));
  CHECK_THROWS_WITH(ClassJudge({{{0.2, 0.8}, 1}}, 3, 0.5), Contains("2 probabilities"));
}

TEST_CASE("a probability at the edge of two bins of calibration is in the lower one, and 0 and 1 are in bins too") {
  // 0.6 = 9 / 15 is right, 0.65 in the bin above is wrong.
  CHECK(close(score_of(ClassJudge({{{0.4, 0.6}, 1}, {{0.35, 0.65}, 0}}, 2, 0.5), "ece"), (0.4 + 0.65) / 2));
  const ClassJudge ends({{.probabilities = {0, 1}, .present = {0, 1}}, {.probabilities = {1, 0}, .present = {1, 1}}}, 2, 0.5);
  CHECK(close(score_of(ends, "ece"), 0.25));
  CHECK(score_of(ends, "mce") == 1);
}

TEST_CASE("a decision is the one that was made, else the first of the most probable classes") {
  CHECK(decision_of({{0.4, 0.4, 0.2}, 1}) == 0);
  CHECK(decision_of({.probabilities = {0.6, 0.4}, .truth = 1, .decided = 1}) == 1);
  CHECK(score_of(ClassJudge({{.probabilities = {0.6, 0.4}, .truth = 1, .decided = 1}}, 2, 0.5), "accuracy") == 1);
}

TEST_CASE("cases that occur several times count so often, in every score") {
  for (const auto& cases : {two_classes(), three_classes(), three_labels()}) {
    const int classes = int(cases[0].probabilities.size());
    std::vector<int> counts;
    std::vector<ClassifiedCase> repeated;
    for (int i = 0; i < kCases; ++i) {
      counts.push_back(i * 5 % 4);
      repeated.insert(repeated.end(), size_t(counts.back()), cases[size_t(i)]);
    }
    const ClassJudge judge(cases, classes, 0.4), wanted(repeated, classes, 0.4);
    const std::vector<double> a = judge.scores(counts), b = wanted.scores(std::vector<int>(repeated.size(), 1));
    REQUIRE(a.size() == judge.names().size());
    for (size_t i = 0; i < a.size(); ++i) {
      INFO(judge.names()[i].key);
      CHECK(close(a[i], b[i]));
    }
  }
}

TEST_CASE("an interval of AUC is bootstrapped over cases, and samples without it are counted") {
  const ClassJudge judge(two_classes(), 2, 0.5);
  const auto auc_of = [&](const std::vector<int>& counts) { return std::vector<double>{judge.scores(counts)[0]}; };
  const ResampledScore s = resampled_scores(kCases, auc_of, {.resamples = 1000, .seed = 3})[0];
  CHECK(close(s.interval.value, 0.6006944444444444));
  // NumPy and scikit-learn, 20000 samples: 0.344 to 0.832.
  CHECK(s.interval.low == Approx(0.344).margin(0.03));
  CHECK(s.interval.high == Approx(0.832).margin(0.03));
  const ClassJudge rare({{{0.2, 0.8}, 1}, {{0.7, 0.3}, 0}, {{0.6, 0.4}, 0}}, 2, 0.5);
  const ResampledScore r =
      resampled_scores(3, [&](auto& counts) { return std::vector<double>{rare.scores(counts)[0]}; }, {.resamples = 900})[0];
  CHECK(r.interval.low == 1);
  // One side is missing in (8 + 1) / 27 of the samples.
  CHECK(r.undefined == Approx(300).margin(50));
}
