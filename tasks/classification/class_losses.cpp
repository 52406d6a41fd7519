#include "tasks/classification/class_losses.h"

#include <algorithm>
#include <cmath>

#include "kernels/binary/binary.h"
#include "kernels/class_loss/class_loss.h"
#include "kernels/compare/compare.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/cumsum/cumsum.h"
#include "kernels/index_select/index_select.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/pointwise_loss/pointwise_loss.h"

namespace voxgrad {
namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

Tensor weights_on(const ClassLossOptions& o, const Tensor& logits) {
  const int64_t k = int64_t(o.class_weights.size());
  check(k == 0 || k == logits.dim(-1), "classification.class_weights: ", k, " weights for ", logits.dim(-1), " classes");
  return k == 0 ? Tensor{} : Tensor::from(o.class_weights, {k}, DType::f32, logits.device());
}

Tensor single_loss(const Tensor& z, const Tensor& truth, const ClassLossOptions& o) {
  const Tensor label = truth.reshape({truth.dim(0)});
  if (o.focal_gamma > 0) return focal_loss(z, label, {.gamma = o.focal_gamma, .class_weights = weights_on(o, z)});
  return cross_entropy(z, label, {.class_weights = weights_on(o, z), .label_smoothing = o.label_smoothing});
}

Tensor multi_label_loss(const Tensor& logits, const Tensor& truth, const ClassLossOptions& o) {
  const Tensor z = logits.to(DType::f32), t = affine(truth.reshape(z.shape()), 1 - o.label_smoothing, o.label_smoothing / 2);
  if (o.focal_gamma > 0) return sigmoid_focal_loss(z, t, {.gamma = o.focal_gamma, .alpha = -1});
  return bce_with_logits(z, t, {.pos_weight = weights_on(o, z)});
}

// Each decision up to the first that says no counts, with the weight of the case.
Tensor ordinal_loss(const Tensor& logits, const Tensor& truth, const ClassLossOptions& o) {
  const int64_t cases = logits.dim(0), classes = logits.dim(1);
  const Tensor one = Tensor::full({1, classes}, 1, DType::f32, logits.device());
  const Tensor k = cumsum(one, 1) - 1.0, y = truth.reshape({cases, 1});
  const auto at_least = [](const Tensor& a, const Tensor& b) { return greater_equal(a, b).to(DType::f32); };
  const Tensor reached = y.to(DType::f32), goes_on = affine(at_least(reached, k), 1 - o.label_smoothing, o.label_smoothing / 2);
  Tensor counts = at_least(reached, k - 1.0) * at_least(k, one);
  if (const Tensor w = weights_on(o, logits))
    counts = counts * index_select(w, 0, truth.reshape({cases}).to(DType::i64)).reshape({cases, 1});
  return affine(bce_with_logits(logits.to(DType::f32), goes_on, {.weight = counts, .reduction = Reduction::sum}), 1 / double(cases), 0);
}

}  // namespace

Tensor classification_loss(const Tensor& logits, const Tensor& truth, const ClassLossOptions& o) {
  if (o.target == ClassTarget::multi_label) return multi_label_loss(logits, truth, o);
  return o.target == ClassTarget::ordinal ? ordinal_loss(logits, truth, o) : single_loss(logits, truth, o);
}

std::vector<double> class_probabilities(const std::vector<double>& z, ClassTarget target) {
  std::vector<double> p(z.size());
  if (target == ClassTarget::multi_label) {
    for (size_t k = 0; k < z.size(); ++k) p[k] = logistic(z[k]);
  } else if (target == ClassTarget::ordinal) {
    double reached = 1;
    for (size_t k = 0; k < z.size(); ++k) {
      const double goes_on = k + 1 < z.size() ? logistic(z[k + 1]) : 0;
      p[k] = reached * (1 - goes_on);
      reached *= goes_on;
    }
  } else {
    const double largest = *std::max_element(z.begin(), z.end());
    double sum = 0;
    for (size_t k = 0; k < z.size(); ++k) sum += p[k] = std::exp(z[k] - largest);
    for (double& v : p) v /= sum;
  }
  return p;
}

}  // namespace voxgrad
