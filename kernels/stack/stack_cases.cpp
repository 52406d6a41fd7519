#include "kernels/stack/stack.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(stack) {
  const auto add = [&](const char* name, const Shape& s, size_t count, int axis) {
    cases.push_back({.op = "stack", .name = name, .inputs = std::vector<OpInput>(count, OpInput{s}),
                     .run = [=](const Tensors& in) { return stack(in, axis); },
                     .reference =
                         [=](const HostArrays& in) {
                           const int at = axis < 0 ? axis + s.rank + 1 : axis;
                           Shape out;
                           for (int k = 0; k <= s.rank; ++k) out.dims[out.rank++] = k == at ? int64_t(count) : s[k < at ? k : k - 1];
                           return HostArrays{host_array(out, [&](const Index& i) {
                             Index from{};
                             for (int k = 0; k < s.rank; ++k) from[size_t(k)] = i[size_t(k < at ? k : k + 1)];
                             return in[size_t(i[size_t(at)])][from];
                           })};
                         },
                     .saved_bytes = 0});
  };
  add("first axis", {2, 3, 4}, 3, 0);
  add("middle axis", {2, 3, 4}, 2, 1);
  add("last axis", {2, 3, 4}, 3, -1);
  add("scalars", {}, 4, 0);
  cases.push_back({.op = "stack", .name = "cat", .inputs = {{{2, 3}}, {{1, 3}}}, .run = [](const Tensors& in) { return cat(in); },
                   .reference = [](const HostArrays& in) {
                     return HostArrays{host_array({3, 3}, [&](const Index& i) { return i[0] < 2 ? in[0][i] : in[1].at(0, i[1]); })};
                   },
                   .saved_bytes = 0});
  rejects.push_back({"stack",
                     "two shapes",
                     [] {
                       stack({Tensor::zeros({1, 3}), Tensor::zeros({2, 3})});
                     },
                     {"stack", "{2, 3}", "{1, 3}"}});
  rejects.push_back({"stack", "nothing", [] { stack({}); }, {"stack", "1 to 64 tensors", "not 0"}});
  rejects.push_back({"stack", "eight axes", [] { stack({Tensor::zeros({1, 1, 1, 1, 1, 1, 1, 1})}); }, {"stack", "fewer than 8 axes"}});
  rejects.push_back({"stack", "an axis that is not there", [] { stack({Tensor::zeros({2})}, 2); }, {"stack", "axis 2"}});
}
