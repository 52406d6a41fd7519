#include "kernels/soft_dice/soft_dice.h"

#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {

// The formula of soft_dice.h, one voxel after the other in f64.
double reference(const Tensor& logits, const Tensor& label, const SoftDiceOptions& o) {
  const std::vector<double> z = logits.values(), y = label.values();
  const size_t K = size_t(logits.dim(-1)), N = size_t(logits.dim(0)), V = y.size() / N, groups = o.batch_dice ? 1 : N;
  std::vector<double> both(groups * K), p(groups * K), t(groups * K);
  for (size_t v = 0; v < y.size(); ++v) {
    if (int(y[v]) == o.ignore_label) continue;
    double sum = 0;
    for (size_t k = 0; k < K; ++k) sum += std::exp(z[v * K + k]);
    for (size_t k = 0; k < K; ++k) {
      const size_t i = (o.batch_dice ? 0 : v / V) * K + k;
      const double pk = std::exp(z[v * K + k]) / sum, tk = size_t(y[v]) == k;
      both[i] += pk * tk, p[i] += pk, t[i] += tk;
    }
  }
  double mean = 0;
  const size_t first = o.include_background ? 0 : 1;
  for (size_t g = 0; g < groups; ++g)
    for (size_t k = first; k < K; ++k) {
      const size_t i = g * K + k;
      mean += (2 * both[i] + o.smooth) / std::max(p[i] + t[i] + o.smooth, 1e-8) / double(groups * (K - first));
    }
  return -mean;
}

Tensor checked(const Tensor& logits, const Tensor& label, const SoftDiceOptions& o) {
  const Tensor loss = soft_dice_loss(logits, label, o);
  const double got = loss.detach().item(), wanted = reference(logits, label, o);
  check(std::abs(got - wanted) < (logits.dtype() == DType::f64 ? 1e-12 : 1e-5), "soft_dice_loss: ", got, ", the reference gives ", wanted);
  return loss;
}

}  // namespace

OP_CASES(soft_dice) {
  // f16 only where gradients, about 1 / voxels, are not subnormal in it.
  const std::vector<DType> all = {DType::f32, DType::bf16, DType::f16}, wide = {DType::f32, DType::bf16};
  const auto add = [&](const char* name, const Shape& s, SoftDiceOptions o, double largest_label) {
    Shape label = s;
    label.dims[--label.rank] = 0;
    cases.push_back({.op = "soft_dice",
                     .name = name,
                     .inputs = {{.shape = s, .low = -4, .high = 4}, {.shape = label, .role = Role::label, .low = 0, .high = largest_label}},
                     .run = [o](const Tensors& in) { return checked(in[0], in[1], o); },
                     .terms = s.count(),
                     .dtypes = s.count() < 10000 ? all : wide});
  };
  add("2 classes", {2, 3, 3, 5, 2}, {}, 1);
  add("3 classes", {2, 3, 4, 5, 3}, {}, 2);
  add("6 classes with background", {1, 3, 4, 5, 6}, {.include_background = true}, 5);
  add("over the batch", {3, 3, 4, 5, 3}, {.batch_dice = true}, 2);
  add("an ignored label", {2, 3, 4, 5, 3}, {.ignore_label = 3}, 3);
  add("a class that is absent", {1, 3, 4, 5, 4}, {.smooth = 1}, 2);
  add("several chunks", {2, 25, 24, 21, 4}, {}, 3);
  rejects.push_back({"soft_dice",
                     "the background alone",
                     [] {
                       soft_dice_loss(Tensor::zeros({1, 2, 2, 2, 1}), Tensor::zeros({1, 2, 2, 2}, DType::u8));
                     },
                     {"soft_dice_loss", "background"}});
  rejects.push_back({"soft_dice",
                     "a label beyond the classes",
                     [] {
                       soft_dice_loss(Tensor::zeros({1, 2, 2, 2, 3}), Tensor::full({1, 2, 2, 2}, 5, DType::u8));
                     },
                     {"soft_dice_loss", "is 5"}});
}
