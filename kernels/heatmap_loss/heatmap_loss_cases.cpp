#include "kernels/heatmap_loss/heatmap_loss.h"

#include <cmath>

#include "kernels/pointwise/pointwise.h"
#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(heatmap_loss) {
  // Targets are 0, 1/4, .. 1.
  const auto add_case = [&](const char* name, const Shape& s, double alpha, double beta, double most) {
    cases.push_back({.op = "heatmap_loss", .name = name,
                     .inputs = {{.shape = s, .low = -3, .high = 3}, {.shape = s, .role = Role::label, .low = 0, .high = most}},
                     .run =
                         [=](const Tensors& in) {
                           return heatmap_loss(in[0], affine(in[1].to(accum_of(in[0].dtype())), 0.25, 0), {.alpha = alpha, .beta = beta});
                         },
                     .reference =
                         [=](const HostArrays& in) {
                           double sum = 0, centres = 0;
                           for (size_t i = 0; i < in[0].values.size(); ++i) {
                             const double p = 1 / (1 + std::exp(-in[0].values[i])), t = in[1].values[i] / 4;
                             if (t == 1) sum -= std::pow(1 - p, alpha) * std::log(p), ++centres;
                             else sum -= std::pow(1 - t, beta) * std::pow(p, alpha) * std::log(1 - p);
                           }
                           return HostArrays{{{}, {sum / std::max(1.0, centres)}}};
                         },
                     .terms = s.count()});
  };
  add_case("a slice of 3 classes", {2, 1, 5, 7, 3}, 2, 4, 4);
  add_case("without a centre", {1, 3, 4, 5, 2}, 2, 4, 3);
  add_case("several chunks", {1, 17, 19, 23, 1}, 2, 4, 4);
  add_case("other powers", {40}, 1.5, 0, 4);
  rejects.push_back({"heatmap_loss", "targets of another shape", [] { heatmap_loss(Tensor::zeros({3}), Tensor::zeros({4})); },
                     {"heatmap_loss", "{3}", "{4}"}});
}
