#include <cmath>

#include "core/autograd.h"
#include "core/rng.h"
#include "tasks/classification/class_scores.h"
#include "tasks/classification/classification.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// Two classes, the second with the probability p.
ClassifiedCase two(double p, int truth) { return {{1 - p, p}, truth}; }

Dataset dataset_with(const std::string& json_class) {
  Dataset d{.labels = {"normal", "abnormal"}};
  d.cases = {{.id = "a", .images = {"a.nii"}, .label = {}, .targets = {{"class", json_class}}}};
  return d;
}

}  // namespace

TEST_CASE("AUC is the share of pairs in the right order, equal values counting half") {
  const std::vector<ClassifiedCase> cases = {two(0.1, 0), two(0.4, 0), two(0.35, 1), two(0.8, 1)};
  CHECK(auc(cases) == 0.75);  // scikit-learn's documented example
  CHECK(auc({two(0.5, 0), two(0.5, 1)}) == 0.5);
  CHECK(auc({two(0.9, 0), two(0.1, 1)}) == 0);
  CHECK(std::isnan(auc({two(0.9, 1), two(0.1, 1)})));
  CHECK(std::isnan(auc(std::vector<ClassifiedCase>{})));
  Rng rng(7);
  std::vector<ClassifiedCase> many;
  for (int i = 0; i < 60; ++i) many.push_back(two(std::round(rng.uniform() * 12) / 12, int(rng.below(2))));
  double right = 0, pairs = 0;
  for (auto& p : many)
    for (auto& n : many) {
      if (p.truth != 1 || n.truth != 0) continue;
      right += p.probabilities[1] > n.probabilities[1] ? 1 : p.probabilities[1] == n.probabilities[1] ? 0.5 : 0;
      pairs += 1;
    }
  CHECK(close(auc(many), right / pairs, 1e-12));
}

TEST_CASE("AUC of several classes is the mean of one against the rest") {
  const std::vector<ClassifiedCase> cases = {{{0.7, 0.2, 0.1}, 0}, {{0.1, 0.6, 0.3}, 1}, {{0.3, 0.4, 0.3}, 0}};
  // Class 0: 0.7 and 0.3 against 0.1, 1; class 1: 0.6 against 0.2 and 0.4, 1; class 2 does not occur.
  CHECK(auc(cases) == 1);
  CHECK(std::isnan(auc(cases, 2)));
}

TEST_CASE("accuracies and F1 follow from the confusion matrix") {
  const auto m = confusion_matrix({two(0.1, 0), two(0.2, 0), two(0.9, 0), two(0.8, 1)}, 2);
  CHECK(m == std::vector<std::vector<int64_t>>{{2, 1}, {0, 1}});
  CHECK(accuracy(m) == 0.75);
  CHECK(close(balanced_accuracy(m), (2. / 3 + 1) / 2, 1e-6));
  CHECK(close(f1(m, 1), 2. / 3, 1e-6));
  CHECK(std::isnan(accuracy(confusion_matrix({}, 2))));
}

TEST_CASE("the class of a case is a name or a number, and what is neither is refused") {
  const std::vector<std::string> labels = {"normal", "abnormal"};
  CHECK(class_of(dataset_with("\"abnormal\"").cases[0], labels, "x") == 1);
  CHECK(class_of(dataset_with("0").cases[0], labels, "x") == 0);
  const Classification task{{}};
  CHECK(task.outputs(dataset_with("1")) == labels);
  for (const char* wrong : {"2", "-1", "\"ill\"", "0.5", "[1]"})
    CHECK_THROWS_WITH(task.outputs(dataset_with(wrong)), Contains("dataset.json") && Contains("case a") && Contains("normal, abnormal"));
  Dataset none = dataset_with("1");
  none.cases[0].targets.clear();
  CHECK_THROWS_WITH(task.outputs(none), Contains("has no \"class\""));
}

