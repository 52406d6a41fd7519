#include <cmath>

#include "core/config/json_values.h"
#include "tasks/classification/class_losses.h"
#include "tasks/classification/classification.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

const Tensor kLogits = Tensor::from({0.3, -1.2, 0.8, 1.5, 0.4, -0.7}, {2, 3});

Tensor truth_of(std::vector<double> classes) { return Tensor::from(classes, {int64_t(classes.size()), 1}, DType::i32); }
Batch batch_of(const Tensor& truth) { return {Tensor::zeros({truth.dim(0), 1, 1, 1, 1}), {{"class", DataKind::values, truth}}}; }

// Three classes; the texts are the "class" of each case.
Dataset three_classes(const std::vector<std::string>& classes) {
  Dataset d{.labels = {"a", "b", "c"}};
  for (auto& text : classes)
    d.cases.push_back({.id = std::to_string(d.cases.size()), .images = {"x.nii"}, .label = {}, .targets = {{"class", text}}});
  return d;
}

}  // namespace

// PyTorch 2.15: F.cross_entropy(z, y, weight, label_smoothing), F.binary_cross_entropy_with_logits(z, t, pos_weight), and of ordinal
// targets F.nll_loss(log p, y) with p = diff of cumprod(sigmoid(z[:, 1:])).
TEST_CASE("the losses of classes are those of PyTorch") {
  const auto single = [&](const ClassLossOptions& o) { return classification_loss(kLogits, truth_of({2, 0}), o).item(); };
  CHECK(close(single({}), 0.4610741703, 1e-6));
  CHECK(close(single({.class_weights = {1, 2, 4}, .label_smoothing = 0.1}), 0.6120303605, 1e-6));
  const Tensor sets = Tensor::from({1, 0, 1, 0, 0, 1}, {2, 3});
  const auto several = [&](const ClassLossOptions& o) { return classification_loss(kLogits, sets, o).item(); };
  CHECK(close(several({.target = ClassTarget::multi_label}), 0.8177254928, 1e-6));
  CHECK(close(several({.target = ClassTarget::multi_label, .class_weights = {1, 2, 4}}), 1.5548688503, 1e-6));
  const auto ordinal = [&](const ClassLossOptions& o) { return classification_loss(kLogits, truth_of({1, 2}), o).item(); };
  CHECK(close(ordinal({.target = ClassTarget::ordinal}), 2.1252922172, 1e-6));
  CHECK(close(ordinal({.target = ClassTarget::ordinal, .class_weights = {1, 3, 1}}), 4.7596753506, 1e-6));
  CHECK_THROWS_WITH(single({.class_weights = {1, 2}}), Contains("2 weights for 3 classes"));
}

TEST_CASE("the loss of ordinal targets is minus the logarithm of the probability of the class") {
  for (int y = 0; y < 3; ++y) {
    const std::vector<double> p = class_probabilities(kLogits.rows(0, 1).values(), ClassTarget::ordinal);
    CHECK(close(p[0] + p[1] + p[2], 1, 1e-12));
    const double loss = classification_loss(kLogits.rows(0, 1), truth_of({double(y)}), {.target = ClassTarget::ordinal}).item();
    CHECK(close(loss, -std::log(p[size_t(y)]), 1e-6));
  }
}

TEST_CASE("probabilities of exclusive classes sum to 1, those of others stand alone") {
  const std::vector<double> z = {800, 800, 799};
  const auto p = class_probabilities(z, ClassTarget::single);
  CHECK(close(p[0], 1 / (2 + std::exp(-1.0)), 1e-12));
  CHECK(class_probabilities({0, 800, -800}, ClassTarget::multi_label) == std::vector<double>{0.5, 1, 0});
}

TEST_CASE("a case may have several classes, which the data set says by lists") {
  const Dataset d = three_classes({R"(["c", 0])", R"("b")", "[]"});
  const TaskEntry& entry = task_registry().find("classification");
  const Options options = entry.options();
  CHECK(entry.adapt(options, d));
  CHECK(options.to_json()["target"] == "multi_label");
  const auto task = entry.make(options);
  CHECK(task->outputs(d) == d.labels);
  CHECK(task->targets(d.cases[0], {}, d.labels)[0].data.values() == std::vector<double>{1, 0, 1});
  CHECK(task->targets(d.cases[1], {}, d.labels)[0].data.values() == std::vector<double>{0, 1, 0});
  CHECK(task->targets(d.cases[2], {}, d.labels)[0].data.values() == std::vector<double>{0, 0, 0});
  CHECK_THROWS_WITH(task->outputs(three_classes({R"(["d"])"})), Contains("the class \"d\" is none of a, b, c"));
  CHECK_THROWS_WITH(Classification({.target = "single"}).outputs(d), Contains("is none of a, b, c"));
  CHECK(!entry.adapt(options, three_classes({"0"})));  // it is no longer open
}

TEST_CASE("balanced weights are scikit-learn's, of the classes that occur") {
  const Dataset d = three_classes({"0", "0", "0", "1"});
  // compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1])
  CHECK(balanced_weights(d, d.labels, ClassTarget::single) == std::vector<double>{4. / 6, 2, 1});
  CHECK(balanced_weights(three_classes({"[0,1]", "[0]", "[1]", "[1]"}), d.labels, ClassTarget::multi_label) ==
        std::vector<double>{1, 1. / 3, 1});
  const TaskEntry& entry = task_registry().find("classification");
  const Options options = entry.options();
  options.set({{"class_weights", "balanced"}}, "x");
  CHECK(options.to_json()["class_weights"] == "balanced");
  entry.adapt(options, d);
  CHECK(options.to_json()["class_weights"] == Json({4. / 6, 2.0, 1.0}));
  for (const Json& wrong : {Json("equal"), Json(1), Json({1, -1}), Json({1, "a"})})
    CHECK_THROWS_WITH(options.set({{"class_weights", wrong}}, "x"), Contains("a list of numbers above 0"));
}

TEST_CASE("the loss of a classifier is that of the class of each case, focal where it is asked for") {
  const Tensor truth = truth_of({2, 0});
  CHECK(close(Classification({}).loss({kLogits}, batch_of(truth)).item(), classification_loss(kLogits, truth, {}).item(), 1e-7));
  const double p[2] = {class_probabilities({0.3, -1.2, 0.8}, ClassTarget::single)[2],
                       class_probabilities({1.5, 0.4, -0.7}, ClassTarget::single)[0]};
  const double focal = (-std::log(p[0]) * (1 - p[0]) * (1 - p[0]) - std::log(p[1]) * (1 - p[1]) * (1 - p[1])) / 2;
  CHECK(close(Classification({.focal_gamma = 2}).loss({kLogits}, batch_of(truth)).item(), focal, 1e-6));
  CHECK_THROWS_WITH(Classification({.label_smoothing = 0.1, .focal_gamma = 2}), Contains("focal_gamma goes with neither"));
}
