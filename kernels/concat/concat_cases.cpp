#include "kernels/concat/concat.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(concat) {
  const auto add = [&](const char* name, std::vector<OpInput> inputs, int axis, bool bench = false) {
    cases.push_back({.op = "concat", .name = name, .inputs = inputs, .run = [=](const Tensors& in) { return concat(in, axis); },
                     .reference =
                         [=](const HostArrays& in) {
                           Shape s = in[0].shape;
                           const size_t a = size_t(axis < 0 ? axis + s.rank : axis);
                           for (size_t k = 1; k < in.size(); ++k) s[axis] += in[k].dim(axis);
                           return HostArrays{host_array(s, [&](Index i) {
                             size_t part = 0;
                             while (i[a] >= in[part].dim(axis)) i[a] -= in[part++].dim(axis);
                             return in[part][i];
                           })};
                         },
                     .saved_bytes = bench ? -1 : 0, .bench = bench});
  };
  add("channels", {{{2, 3, 5, 4, 3}}, {{2, 3, 5, 4, 4}}}, -1);
  add("three of one channel", {{{2, 3, 5, 4, 1}}, {{2, 3, 5, 4, 1}}, {{2, 3, 5, 4, 1}}}, 4);
  add("samples", {{{1, 3, 5, 4, 3}}, {{2, 3, 5, 4, 3}}}, 0);
  add("height", {{{2, 3, 5, 4, 3}}, {{2, 3, 1, 4, 3}}}, 2);
  add("an empty part", {{{2, 3}}, {{2, 0}}, {{2, 1}}}, 1);
  add("one tensor", {{{2, 3}}}, 1);
  add("wide rows", {{{3, 2500}}, {{3, 2100}}}, 1);
  add("channels, 32x64^3 twice", {{{1, 64, 64, 64, 32}}, {{1, 64, 64, 64, 32}}}, -1, true);
  rejects.push_back({"concat",
                     "another shape",
                     [] {
                       concat({Tensor::zeros({2, 3}), Tensor::zeros({3, 3})}, 1);
                     },
                     {"concat", "{3, 3}", "{2, 3}"}});
  rejects.push_back({"concat",
                     "another dtype",
                     [] {
                       concat({Tensor::zeros({2}), Tensor::zeros({2}, DType::f16)}, 0);
                     },
                     {"concat", "f16"}});
  rejects.push_back({"concat", "nothing", [] { concat({}, 0); }, {"concat", "not 0"}});
  rejects.push_back({"concat", "an axis that is not there", [] { concat({Tensor::zeros({2})}, 1); }, {"concat", "axis 1"}});
}
