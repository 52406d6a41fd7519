#include "kernels/softmax/softmax.h"

#include <cmath>

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

OP_CASES(softmax) {
  const Reference softened = [](const HostArrays& in) { return HostArrays{softmax_reference(in[0])}; };
  // Channel counts with and without a compile-time variant, voxel counts around vectors, blocks and chunks.
  for (const Shape& s : {Shape{2, 3, 5, 4, 3}, Shape{1, 3, 3, 7, 2}, Shape{1, 1, 1, 17, 4}, Shape{2, 2, 2, 5, 5}, Shape{2, 2, 3, 3, 7},
                         Shape{1, 1, 1, 40, 8}, Shape{3, 100}, Shape{5, 1}, Shape{1, 25, 25, 20, 3}}) {
    std::ostringstream name;
    name << s;
    const int64_t bytes = s.count() < 4000 ? s.count() * 4 : -1;
    cases.push_back({.op = "softmax", .name = "softmax " + name.str(), .inputs = {{.shape = s, .low = -5, .high = 5}},
                     .run = [](const Tensors& in) { return softmax(in[0]); }, .reference = softened, .terms = s[-1], .saved_bytes = bytes});
    cases.push_back({.op = "softmax", .name = "log_softmax " + name.str(), .inputs = {{.shape = s, .low = -5, .high = 5}},
                     .run = [](const Tensors& in) { return log_softmax(in[0]); },
                     .reference =
                         [](const HostArrays& in) {
                           HostArray y = softmax_reference(in[0]);
                           for (double& v : y.values) v = std::log(v);
                           return HostArrays{y};
                         },
                     .terms = s[-1], .saved_bytes = bytes});
  }
  // Another axis: element i is e^x[i] over the sum along it.
  for (const auto& [s, axis] : {std::pair<Shape, int>{{4, 5, 3, 2}, 0}, {{4, 5, 3, 2}, 1}, {{4, 5, 3, 2}, -2}, {{1, 64, 600}, 1}}) {
    const auto along = [=](const HostArrays& in, bool logarithm) {
      return HostArrays{host_array(s, [&](const Index& i) {
        double sum = 0;
        Index at = i;
        for (int64_t j = 0; j < s[axis]; ++j) {
          at[size_t(s.axis(axis))] = j;
          sum += std::exp(in[0][at]);
        }
        return logarithm ? in[0][i] - std::log(sum) : std::exp(in[0][i]) / sum;
      })};
    };
    const int64_t bytes = s.count() < 4000 ? s.count() * 4 : -1;
    const std::string name = "axis " + std::to_string(axis) + (s.rank == 3 ? " of long rows" : "");
    cases.push_back({.op = "softmax", .name = "softmax " + name, .inputs = {{.shape = s, .low = -5, .high = 5}},
                     .run = [axis](const Tensors& in) { return softmax(in[0], axis); },
                     .reference = [along](const HostArrays& in) { return along(in, false); }, .terms = s[axis],
                     .saved_bytes = bytes});
    cases.push_back({.op = "softmax", .name = "log_softmax " + name, .inputs = {{.shape = s, .low = -5, .high = 5}},
                     .run = [axis](const Tensors& in) { return log_softmax(in[0], axis); },
                     .reference = [along](const HostArrays& in) { return along(in, true); }, .terms = s[axis],
                     .saved_bytes = bytes});
  }
  // e^1000 overflows unless the maximum is taken off.
  cases.push_back({.op = "softmax", .name = "large logits", .inputs = {{.shape = {2, 2, 3, 2, 3}, .low = 995, .high = 1005}},
                   .run = [](const Tensors& in) { return softmax(in[0]); }, .reference = softened, .terms = 3, .dtypes = {DType::f32}});
  rejects.push_back({"softmax", "labels", [] { softmax(Tensor::zeros({2, 3}, DType::u8)); }, {"softmax", "u8 {2, 3}"}});
  rejects.push_back({"softmax", "an axis that is not there", [] { softmax(Tensor::zeros({2, 3}), 2); }, {"softmax", "axis 2", "{2, 3}"}});
}
