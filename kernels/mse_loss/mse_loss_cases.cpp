#include "kernels/mse_loss/mse_loss.h"

#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(mse_loss) {
  const auto mean_power = [](int power) {
    return [power](const HostArrays& in) {
      double sum = 0;
      for (size_t i = 0; i < in[0].values.size(); ++i) sum += std::pow(std::abs(in[0].values[i] - in[1].values[i]), power);
      return HostArrays{{{}, {sum / double(in[0].values.size())}}};
    };
  };
  for (const Shape& s : {Shape{2, 3, 4, 5, 3}, Shape{1}, Shape{1, 35, 33, 31, 2}}) {
    std::ostringstream text;
    text << s;
    const int64_t bytes = s.count() < 4000 ? 8 * s.count() : -1;
    cases.push_back({.op = "mse_loss",
                     .name = "mse " + text.str(),
                     .inputs = {{.shape = s}, {.shape = s}},
                     .run = [](const Tensors& in) { return mse_loss(in[0], in[1]); },
                     .reference = mean_power(2),
                     .terms = s.count(),
                     .saved_bytes = bytes});
    cases.push_back({.op = "mse_loss",
                     .name = "l1 " + text.str(),
                     .inputs = {{.shape = s, .low = 1, .high = 2}, {.shape = s}},
                     .run = [](const Tensors& in) { return l1_loss(in[0], in[1]); },
                     .reference = mean_power(1),
                     .terms = s.count(),
                     .saved_bytes = bytes});
  }
  // Where a < b too; few elements, so that none lies within the step of a = b.
  cases.push_back({.op = "mse_loss", .name = "l1 of both signs", .inputs = {{.shape = {3, 5}}, {.shape = {3, 5}}},
                   .run = [](const Tensors& in) { return l1_loss(in[0], in[1]); },
                     .reference = mean_power(1), .terms = 15});
  rejects.push_back({"mse_loss",
                     "two shapes",
                     [] {
                       mse_loss(Tensor::zeros({2, 3}), Tensor::zeros({3, 2}));
                     },
                     {"mse_loss", "{2, 3}", "{3, 2}"}});
}
