#include "kernels/region_loss/region_loss.h"

#include <cmath>

#include "kernels/compare/compare.h"
#include "kernels/where/where.h"
#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {
// f(true positives, false positives, false negatives) of each sample (or of all) and class, averaged. Voxels whose t
// is NaN count for nothing.
using OfRegion = std::function<double(double, double, double)>;
double mean_over_regions(const HostArray& p, const HostArray& t, bool batch, int64_t first_class, const OfRegion& f) {
  const int64_t K = p.shape[-1], groups = batch ? 1 : p.dim(0), voxels = p.shape.count() / K / groups;
  double sum = 0;
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t k = first_class; k < K; ++k) {
      double hit = 0, extra = 0, missed = 0;
      for (int64_t v = 0; v < voxels; ++v) {
        const size_t at = size_t((g * voxels + v) * K + k);
        if (std::isnan(t.values[at])) continue;
        hit += p.values[at] * t.values[at];
        extra += p.values[at] * (1 - t.values[at]);
        missed += (1 - p.values[at]) * t.values[at];
      }
      sum += f(hit, extra, missed);
    }
  return sum / double(groups * (K - first_class));
}
OfRegion tversky(const TverskyOptions& o) {
  return [o](double hit, double extra, double missed) {
    return std::pow(1 - (hit + o.smooth) / (hit + o.alpha * extra + o.beta * missed + o.smooth), o.exponent);
  };
}
HostArray sigmoids(const HostArray& x) {
  return host_array(x.shape, [&](const Index& i) { return 1 / (1 + std::exp(-x[i])); });
}
}  // namespace

OP_CASES(region_loss) {
  const Shape s = {2, 3, 4, 5, 3}, of_label = {2, 3, 4, 5};
  const OpInput logits = {.shape = s, .low = -3, .high = 3};
  const auto add_labels = [&](const char* name, const TverskyOptions& o) {
    cases.push_back({.op = "region_loss", .name = name,
                     .inputs = {logits, {.shape = of_label, .role = Role::label, .low = 0, .high = o.ignore_label == 9 ? 9. : 2.}},
                     .run =
                         [=](const Tensors& in) {
                           // With the label 9, labels are 0, 1, 2 and 9.
                           const Tensor y = o.ignore_label == 9 ? where(greater(in[1], 2), 9, in[1]).to(DType::i32) : in[1];
                           return tversky_loss(in[0], y, o);
                         },
                     .reference =
                         [=](const HostArrays& in) {
                           const HostArray t = host_array(s, [&](const Index& i) {
                             const int64_t y = int64_t(in[1].at(i[0], i[1], i[2], i[3]));
                             return y == o.ignore_label || y > 2 ? NAN : double(y == i[4]);
                           });
                           const int64_t first = o.include_background ? 0 : 1;
                           return HostArrays{{{}, {mean_over_regions(softmax_reference(in[0]), t, o.batch, first, tversky(o))}}};
                         },
                     .terms = s.count()});
  };
  add_labels("tversky", {});
  add_labels("tversky over the batch, with the background",
             {.alpha = 0.6, .beta = 0.4, .smooth = 1, .batch = true, .include_background = true});
  add_labels("focal tversky", {.exponent = 0.75});
  add_labels("an ignored class", {.include_background = true, .ignore_label = 1});
  add_labels("an ignored label beyond the classes, i32", {.batch = true, .ignore_label = 9});
  const auto add_regions = [&](const char* name, std::function<Tensor(const Tensor&, const Tensor&)> run, bool batch, const OfRegion& f) {
    cases.push_back({.op = "region_loss", .name = name, .inputs = {logits, {.shape = s, .role = Role::label, .low = 0, .high = 1}},
                     .run = [=](const Tensors& in) { return run(in[0], in[1]); },
                     .reference = [=](const HostArrays& in) {
                       return HostArrays{{{}, {mean_over_regions(sigmoids(in[0]), in[1], batch, 0, f)}}};
                     },
                     .terms = s.count()});
  };
  add_regions("tversky of regions", [](const Tensor& x, const Tensor& t) { return sigmoid_tversky_loss(x, t, {.exponent = 1.5}); }, false,
              tversky({.exponent = 1.5}));
  for (const bool batch : {false, true})
    add_regions(batch ? "dice of regions over the batch" : "dice of regions",
                [=](const Tensor& x, const Tensor& t) { return sigmoid_dice_loss(x, t, {.batch = batch, .smooth = 0.1}); }, batch,
                [](double hit, double extra, double missed) { return -(2 * hit + 0.1) / (2 * hit + extra + missed + 0.1); });
  const auto reject = [&](const char* name, std::function<void()> f, std::vector<std::string> words) {
    rejects.push_back({"region_loss", name, f, words});
  };
  const auto label = [](double v) { return Tensor::full({1, 4}, v, DType::u8); };
  reject("a label beyond the classes", [=] { tversky_loss(Tensor::zeros({1, 4, 3}), label(3)); },
         {"tversky_loss", "a label is 3", "3 classes"});
  reject("a label of another shape", [=] { tversky_loss(Tensor::zeros({1, 5, 3}), label(0)); }, {"tversky_loss", "{1, 4}", "{1, 5}"});
  reject("a negative alpha", [=] { tversky_loss(Tensor::zeros({1, 4, 3}), label(0), {.alpha = -1}); }, {"tversky_loss", "alpha -1"});
  reject("the background alone", [=] { tversky_loss(Tensor::zeros({1, 4, 1}), label(0)); }, {"tversky_loss", "background"});
  reject("regions of another shape", [=] { sigmoid_dice_loss(Tensor::zeros({1, 4, 3}), label(0)); }, {"sigmoid_dice_loss", "{1, 4}"});
  reject("no smoothing", [] { sigmoid_dice_loss(Tensor::zeros({1, 2}), Tensor::zeros({1, 2}), {.smooth = 0}); },
         {"sigmoid_dice_loss", "smooth is 0"});
}
