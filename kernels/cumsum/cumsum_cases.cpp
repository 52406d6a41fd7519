#include "kernels/cumsum/cumsum.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(cumsum) {
  const auto add = [&](const char* name, const Shape& s, int axis) {
    cases.push_back({.op = "cumsum", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return cumsum(in[0], axis); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(s, [&](Index i) {
                             const size_t k = size_t(s.axis(axis));
                             double sum = 0;
                             for (; i[k] >= 0; --i[k]) sum += in[0][i];
                             return sum;
                           })};
                         },
                     .terms = s[axis], .saved_bytes = 0});
  };
  add("the last axis", {3, 40}, -1);
  add("the last axis of many rows", {150, 7}, 1);
  add("samples", {7, 3, 2}, 0);
  add("an axis between", {2, 5, 300}, 1);
  add("a long row", {3000}, 0);
  rejects.push_back({"cumsum", "labels", [] { cumsum(Tensor::zeros({2}, DType::u8), 0); }, {"cumsum", "floating", "u8"}});
  rejects.push_back({"cumsum", "an axis", [] { cumsum(Tensor::zeros({2}), 1); }, {"cumsum", "axis 1", "{2}"}});
}
