#include "kernels/class_loss/class_loss.h"

#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {
using Number = long double;
// e^x[k] / sum e^x of one row, by the definition: the long double's range takes in e^11000.
Number probability(const double* x, int64_t classes, int64_t k) {
  Number sum = 0;
  for (int64_t j = 0; j < classes; ++j) sum += std::exp(Number(x[j]));
  return std::exp(Number(x[k])) / sum;
}
double weight_of(bool weighted, int64_t k) { return weighted ? 0.5 + double(k) : 1; }
Tensor weights_of(bool weighted, int64_t classes, Device d) {
  std::vector<double> w;
  for (int64_t k = 0; k < classes; ++k) w.push_back(weight_of(true, k));
  return weighted ? Tensor::from(w, {classes}, DType::f32, d) : Tensor{};
}
}  // namespace

OP_CASES(class_loss) {
  // f16 only where gradients, about 1 / voxels, are not subnormal in it.
  const auto dtypes_of = [](const Shape& s) {
    return s.count() < 4000 ? std::vector<DType>{DType::f32, DType::bf16, DType::f16} : std::vector<DType>{DType::f32, DType::bf16};
  };
  const auto add_soft = [&](const char* name, const Shape& s, bool weighted, double smoothing, double scale = 4) {
    const int64_t K = s[-1];
    cases.push_back({.op = "class_loss", .name = std::string("soft cross-entropy, ") + name,
                     .inputs = {{.shape = s, .low = -scale, .high = scale}, {.shape = s, .low = 0, .high = 1}},
                     .run =
                         [=](const Tensors& in) {
                           return soft_cross_entropy(
                               in[0], in[1], {.class_weights = weights_of(weighted, K, in[0].device()), .label_smoothing = smoothing});
                         },
                     .reference =
                         [=](const HostArrays& in) {
                           Number sum = 0;
                           for (int64_t i = 0; i < s.count(); ++i) {
                             const double t = (1 - smoothing) * in[1].values[size_t(i)] + smoothing / double(K);
                             sum -= weight_of(weighted, i % K) * t * std::log(probability(in[0].values.data() + i / K * K, K, i % K));
                           }
                           return HostArrays{{{}, {double(sum / Number(s.count() / K))}}};
                         },
                     .terms = s.count(), .saved_bytes = weighted ? -1 : 8 * s.count() + 4, .dtypes = dtypes_of(s)});
  };
  add_soft("3 classes", {2, 3, 4, 3}, false, 0);
  add_soft("weights and smoothing", {2, 3, 4, 5}, true, 0.2);
  add_soft("one row", {7}, false, 0.1);
  add_soft("several chunks", {2501, 3}, false, 0);
  add_soft("large logits", {11, 4}, false, 0, 300);

  const auto add_focal = [&](const char* name, const Shape& s, double gamma, bool weighted, int ignore = -1, DType t = DType::u8) {
    const int64_t K = s[-1];
    Shape of_label = s;
    of_label.dims[--of_label.rank] = 0;
    cases.push_back({.op = "class_loss", .name = std::string("focal, ") + name,
                     .inputs = {{.shape = s, .low = -3, .high = 3},
                                {.shape = of_label, .role = Role::label, .low = 0, .high = double(std::max<int64_t>(ignore, K - 1))}},
                     .run =
                         [=](const Tensors& in) {
                           return focal_loss(in[0], in[1].to(t), {.gamma = gamma,
                                                                  .class_weights = weights_of(weighted, K, in[0].device()),
                                                                  .ignore_label = ignore});
                         },
                     .reference =
                         [=](const HostArrays& in) {
                           Number sum = 0, rows = 0;
                           for (int64_t r = 0; r < s.count() / K; ++r) {
                             const int64_t y = int64_t(in[1].values[size_t(r)]);
                             if (y == ignore) continue;
                             const Number p = probability(in[0].values.data() + r * K, K, y);
                             sum -= weight_of(weighted, y) * std::pow(1 - p, Number(gamma)) * std::log(p);
                             ++rows;
                           }
                           return HostArrays{{{}, {double(rows > 0 ? sum / rows : 0)}}};
                         },
                     .terms = s.count(), .dtypes = dtypes_of(s)});
  };
  add_focal("3 classes", {2, 3, 4, 3}, 2, false);
  add_focal("weights", {2, 3, 4, 5}, 1.5, true);
  add_focal("gamma 0", {2, 3, 4, 3}, 0, false);
  add_focal("gamma below 1", {2, 3, 4, 3}, 0.5, false, -1, DType::i64);
  add_focal("an ignored class", {2, 3, 4, 3}, 2, true, 1);
  add_focal("an ignored label beyond the classes, i32", {2, 3, 4, 3}, 2, false, 3, DType::i32);
  add_focal("several chunks", {2501, 3}, 2, false);
  add_focal("all ignored", {3, 1}, 2, false, 0);

  using Make = Tensor (*)();
  const auto reject = [&](const char* name, Make label, const FocalOptions& o, std::vector<std::string> words) {
    rejects.push_back({"class_loss", name, [=] { focal_loss(Tensor::zeros({4, 3}), label(), o); }, words});
  };
  reject("a label beyond the classes", [] { return Tensor::full({4}, 7, DType::u8); }, {}, {"focal_loss", "is 7", "3 classes"});
  reject("a negative label", [] { return Tensor::full({4}, -2, DType::i64); }, {}, {"focal_loss", "is -2"});
  reject("a label of another shape", [] { return Tensor::zeros({3}, DType::u8); }, {}, {"focal_loss", "u8 {3}", "{4}"});
  reject("a floating label", [] { return Tensor::zeros({4}); }, {}, {"focal_loss", "f32 {4}"});
  reject("a negative gamma", [] { return Tensor::zeros({4}, DType::u8); }, {.gamma = -1}, {"focal_loss", "gamma is -1"});
  using Options = SoftCrossEntropyOptions;
  const auto reject_soft = [&](const char* name, Make targets, std::function<Options()> o, std::vector<std::string> words) {
    rejects.push_back({"class_loss", name, [=] { soft_cross_entropy(Tensor::zeros({4, 3}), targets(), o()); }, words});
  };
  reject_soft("labels as targets", [] { return Tensor::zeros({4}, DType::u8); }, [] { return Options{}; },
              {"soft_cross_entropy", "u8 {4}"});
  reject_soft("weights of other classes", [] { return Tensor::zeros({4, 3}); },
              [] { return Options{.class_weights = Tensor::zeros({4})}; }, {"soft_cross_entropy", "weights", "3 classes"});
  reject_soft("smoothing above 1", [] { return Tensor::zeros({4, 3}); }, [] { return Options{.label_smoothing = 2}; },
              {"soft_cross_entropy", "smoothing of 2"});
}
