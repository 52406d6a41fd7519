#include "kernels/transpose/transpose.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(transpose) {
  const auto add = [&](const char* name, const Shape& s, int a, int b) {
    cases.push_back({.op = "transpose", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return transpose(in[0], a, b); },
                     .reference =
                         [=](const HostArrays& in) {
                           const size_t p = size_t((a + s.rank) % s.rank), q = size_t((b + s.rank) % s.rank);
                           Shape out = s;
                           out.dims[p] = s.dims[q];
                           out.dims[q] = s.dims[p];
                           return HostArrays{host_array(out, [&](Index i) {
                             std::swap(i[p], i[q]);
                             return in[0][i];
                           })};
                         },
                     .saved_bytes = 0});
  };
  add("a matrix", {3, 5}, -2, -1);
  add("matrices", {2, 3, 5}, -1, -2);
  add("outer axes", {2, 3, 5, 4}, 0, 2);
  add("an axis with itself", {2, 3}, 1, 1);
  rejects.push_back({"transpose", "an axis that is not there", [] { transpose(Tensor::zeros({2, 3}), 0, 2); }, {"transpose", "axis 2"}});
  rejects.push_back({"transpose", "a vector", [] { transpose(Tensor::zeros({2})); }, {"transpose", "axis -2", "{2}"}});
}
