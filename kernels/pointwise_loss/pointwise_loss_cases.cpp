#include "kernels/pointwise_loss/pointwise_loss.h"

#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {
using Number = long double;
Number probability(double x) { return 1 / (1 + std::exp(-Number(x))); }
// By the definition alone: the long double's range suffices.
Number entropy(double x, double t, double c = 1) {
  return -c * t * std::log(probability(x)) - (1 - t) * std::log(1 - probability(x));
}
Number focal(double x, double t, double gamma, double alpha) {
  const Number p = t * probability(x) + (1 - t) * (1 - probability(x)), a = alpha < 0 ? 1 : alpha * t + (1 - alpha) * (1 - t);
  return a * std::pow(1 - p, Number(gamma)) * entropy(x, t);
}
Number huber(double d, double delta) {
  return std::abs(d) <= delta ? Number(d) * d / 2 : Number(delta) * (std::abs(d) - delta / 2);
}

HostArrays reduced(const HostArray& each, Reduction r) {
  if (r == Reduction::none) return {each};
  Number sum = 0;
  for (double v : each.values) sum += v;
  const double divisor = r == Reduction::mean ? double(each.values.size()) : r == Reduction::batch_mean ? double(each.dim(0)) : 1;
  return {{{}, {double(sum / divisor)}}};
}
}  // namespace

OP_CASES(pointwise_loss) {
  using Call = std::function<Tensor(const Tensors&, Reduction)>;
  using Each = std::function<Number(const HostArrays&, const Index&)>;
  const auto add = [&](const char* name, std::vector<OpInput> inputs, Reduction r, Call call, Each each, bool halves = true) {
    const Shape s = inputs[0].shape;
    const bool whole = r != Reduction::none;
    cases.push_back({.op = "pointwise_loss", .name = name, .inputs = inputs, .run = [=](const Tensors& in) { return call(in, r); },
                     .reference =
                         [=](const HostArrays& in) {
                           return reduced(host_array(s, [&](const Index& i) { return double(each(in, i)); }), r);
                         },
                     .terms = whole ? s.count() : 1,
                     // f16 only where gradients, about 1 / elements, are not subnormal in it.
                     .dtypes = halves ? std::vector<DType>{DType::f32, DType::bf16, DType::f16} : std::vector<DType>{DType::f32}});
  };
  const Shape s = {2, 3, 4, 5};
  const OpInput logits = {.shape = s, .low = -4, .high = 4}, soft = {.shape = s, .low = 0.1, .high = 0.9};
  const OpInput hard = {.shape = s, .role = Role::label, .low = 0, .high = 1};
  const auto target = [](const Tensors& in) { return in[1].dtype() == DType::u8 ? in[1].to(in[0].dtype()) : in[1]; };

  for (const Reduction r : {Reduction::mean, Reduction::sum, Reduction::none, Reduction::batch_mean}) {
    const char* names[] = {"bce, mean", "bce, sum", "bce, none", "bce, per sample"};
    add(names[int(r)], {logits, soft}, r, [](const Tensors& in, Reduction q) { return bce_with_logits(in[0], in[1], {.reduction = q}); },
        [](const HostArrays& in, const Index& i) { return entropy(in[0][i], in[1][i]); });
  }
  add("bce, labels", {logits, hard}, Reduction::mean,
      [=](const Tensors& in, Reduction q) { return bce_with_logits(in[0], target(in), {.reduction = q}); },
      [](const HostArrays& in, const Index& i) { return entropy(in[0][i], in[1][i]); });
  add("bce, pos_weight of channels", {logits, soft}, Reduction::mean,
      [](const Tensors& in, Reduction q) {
        const Tensor c = Tensor::from({0.5, 1, 2, 3, 4}, {5}, DType::f32, in[0].device());
        return bce_with_logits(in[0], in[1], {.pos_weight = c, .reduction = q});
      },
      [](const HostArrays& in, const Index& i) { return entropy(in[0][i], in[1][i], i[3] == 0 ? 0.5 : double(i[3])); });
  add("bce, weight of samples and one pos_weight", {logits, soft}, Reduction::none,
      [](const Tensors& in, Reduction q) {
        const Device d = in[0].device();
        return bce_with_logits(in[0], in[1], {.weight = Tensor::from({0.25, 3}, {2, 1, 1, 1}, DType::f32, d),
                                              .pos_weight = Tensor::from({2.5}, {1}, DType::f32, d), .reduction = q});
      },
      [](const HostArrays& in, const Index& i) { return (i[0] ? 3 : 0.25) * entropy(in[0][i], in[1][i], 2.5); });
  add(
      "bce, pos_weight of channels, several spans",
      {{.shape = {420, 5}, .low = -4, .high = 4}, {.shape = {420, 5}, .low = 0.1, .high = 0.9}}, Reduction::none,
      [](const Tensors& in, Reduction q) {
        const Tensor c = Tensor::from({0.5, 1, 2, 3, 4}, {5}, DType::f32, in[0].device());
        return bce_with_logits(in[0], in[1], {.pos_weight = c, .reduction = q});
      },
      [](const HostArrays& in, const Index& i) { return entropy(in[0][i], in[1][i], i[1] == 0 ? 0.5 : double(i[1])); });
  add("bce, several chunks", {{.shape = {9001}, .low = -4, .high = 4}, {.shape = {9001}, .low = 0, .high = 1}}, Reduction::mean,
      [](const Tensors& in, Reduction q) { return bce_with_logits(in[0], in[1], {.reduction = q}); },
      [](const HostArrays& in, const Index& i) { return entropy(in[0][i], in[1][i]); }, false);
  // Where e^x leaves the range of f32.
  add("bce, far from 0", {{.shape = {3, 7}, .low = 200, .high = 300}, {.shape = {3, 7}, .low = 0.1, .high = 0.9}}, Reduction::mean,
      [](const Tensors& in, Reduction q) { return bce_with_logits(in[0], in[1], {.reduction = q}); },
      [](const HostArrays& in, const Index& i) { return (1 - Number(in[1][i])) * in[0][i]; });

  add("focal", {logits, hard}, Reduction::mean,
      [=](const Tensors& in, Reduction q) { return sigmoid_focal_loss(in[0], target(in), {.reduction = q}); },
      [](const HostArrays& in, const Index& i) { return focal(in[0][i], in[1][i], 2, 0.25); });
  add("focal, soft targets", {logits, soft}, Reduction::sum,
      [](const Tensors& in, Reduction q) { return sigmoid_focal_loss(in[0], in[1], {.gamma = 1.5, .alpha = 0.6, .reduction = q}); },
      [](const HostArrays& in, const Index& i) { return focal(in[0][i], in[1][i], 1.5, 0.6); });
  add("focal without alpha", {logits, hard}, Reduction::none,
      [=](const Tensors& in, Reduction q) { return sigmoid_focal_loss(in[0], target(in), {.gamma = 0.5, .alpha = -1, .reduction = q}); },
      [](const HostArrays& in, const Index& i) { return focal(in[0][i], in[1][i], 0.5, -1); });
  add("focal of gamma 0", {logits, soft}, Reduction::mean,
      [](const Tensors& in, Reduction q) { return sigmoid_focal_loss(in[0], in[1], {.gamma = 0, .alpha = -1, .reduction = q}); },
      [](const HostArrays& in, const Index& i) { return entropy(in[0][i], in[1][i]); });

  const OpInput a = {.shape = s, .low = -2, .high = 2};
  add("huber", {a, a}, Reduction::mean,
      [](const Tensors& in, Reduction q) { return huber_loss(in[0], in[1], {.delta = 0.7, .reduction = q}); },
      [](const HostArrays& in, const Index& i) { return huber(in[0][i] - in[1][i], 0.7); });
  add("huber, none", {a, a}, Reduction::none, [](const Tensors& in, Reduction q) { return huber_loss(in[0], in[1], {.reduction = q}); },
      [](const HostArrays& in, const Index& i) { return huber(in[0][i] - in[1][i], 1); });
  add("smooth l1", {a, a}, Reduction::sum,
      [](const Tensors& in, Reduction q) { return smooth_l1_loss(in[0], in[1], {.beta = 0.3, .reduction = q}); },
      [](const HostArrays& in, const Index& i) {
        const double d = std::abs(in[0][i] - in[1][i]);
        return Number(d <= 0.3 ? d * d / 0.6 : d - 0.15);
      });

  const OpInput logs = {.shape = s, .low = -3, .high = -0.1};
  add("kl", {logs, soft}, Reduction::batch_mean, [](const Tensors& in, Reduction q) { return kl_div(in[0], in[1], {.reduction = q}); },
      [](const HostArrays& in, const Index& i) { return Number(in[1][i]) * (std::log(Number(in[1][i])) - in[0][i]); });
  add("kl, targets of 0", {logs, hard}, Reduction::mean,
      [=](const Tensors& in, Reduction q) { return kl_div(in[0], target(in), {.reduction = q}); },
      [](const HostArrays& in, const Index& i) { return Number(in[1][i] == 0 ? 0 : -in[0][i]); });
  add("kl of logarithms", {logs, logs}, Reduction::none,
      [](const Tensors& in, Reduction q) { return kl_div(in[0], in[1], {.log_target = true, .reduction = q}); },
      [](const HostArrays& in, const Index& i) { return std::exp(Number(in[1][i])) * (Number(in[1][i]) - in[0][i]); });
  cases.push_back({.op = "pointwise_loss", .name = "bytes saved", .inputs = {{{4, 64}}, {.shape = {4, 64}, .role = Role::constant}},
                   .run = [](const Tensors& in) { return huber_loss(in[0], in[1]); },
                   .reference = [](const HostArrays& in) {
                     const auto each = [&](const Index& i) { return double(huber(in[0][i] - in[1][i], 1)); };
                     return reduced(host_array({4, 64}, each), Reduction::mean);
                   },
                   .terms = 256, .saved_bytes = 2 * 4 * 256});

  const auto reject = [&](const char* name, std::function<void()> f, std::vector<std::string> words) {
    rejects.push_back({"pointwise_loss", name, f, words});
  };
  reject("two shapes", [] { huber_loss(Tensor::zeros({2}), Tensor::zeros({3})); }, {"huber_loss", "{2}", "{3}"});
  reject("labels as targets", [] { bce_with_logits(Tensor::zeros({2}), Tensor::zeros({2}, DType::u8)); }, {"bce_with_logits", "u8"});
  reject("pos_weight of other channels",
         [] {
           bce_with_logits(Tensor::zeros({2, 3}), Tensor::zeros({2, 3}), {.pos_weight = Tensor::zeros({2})});
         },
         {"bce_with_logits", "pos_weight", "{2}", "{2, 3}"});
  reject("a weight that does not broadcast",
         [] {
           bce_with_logits(Tensor::zeros({2, 3}), Tensor::zeros({2, 3}), {.weight = Tensor::zeros({2})});
         },
         {"bce_with_logits", "weight is f32 {2}", "{2, 3}"});
  reject("a negative gamma", [] { sigmoid_focal_loss(Tensor::zeros({2}), Tensor::zeros({2}), {.gamma = -1}); },
         {"sigmoid_focal_loss", "gamma is -1"});
  reject("no delta", [] { huber_loss(Tensor::zeros({2}), Tensor::zeros({2}), {.delta = 0}); }, {"huber_loss", "delta is 0"});
  reject("no beta", [] { smooth_l1_loss(Tensor::zeros({2}), Tensor::zeros({2}), {.beta = 0}); }, {"smooth_l1_loss", "beta is 0"});
}
