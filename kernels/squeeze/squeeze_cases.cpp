#include "kernels/squeeze/squeeze.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(squeeze) {
  using Run = std::function<Tensor(const Tensor&)>;
  const auto add = [&](const char* name, const Shape& from, const Shape& into, Run f) {
    cases.push_back({.op = "squeeze", .name = name, .inputs = {{from}}, .run = [f](const Tensors& in) { return f(in[0]); },
                     .reference = [into](const HostArrays& in) { return HostArrays{{into, in[0].values}}; }, .saved_bytes = 0});
  };
  add("two axes", {1, 3, 1, 4}, {3, 4}, [](const Tensor& x) { return squeeze(x, {0, -2}); });
  add("one of two axes", {1, 3, 1, 4}, {1, 3, 4}, [](const Tensor& x) { return squeeze(x, {2}); });
  add("no axis", {1, 3}, {1, 3}, [](const Tensor& x) { return squeeze(x, std::vector<int>{}); });
  add("every axis of extent 1", {1, 3, 1, 1}, {3}, [](const Tensor& x) { return squeeze(x); });
  add("new first axis", {3, 4}, {1, 3, 4}, [](const Tensor& x) { return unsqueeze(x, 0); });
  add("new axis between", {3, 4}, {3, 1, 4}, [](const Tensor& x) { return unsqueeze(x, 1); });
  add("new last axis", {3, 4}, {3, 4, 1}, [](const Tensor& x) { return unsqueeze(x, -1); });
  add("an axis for a scalar", {}, {1}, [](const Tensor& x) { return unsqueeze(x, 0); });
  add("flatten all", {2, 3, 4}, {24}, [](const Tensor& x) { return flatten(x); });
  add("flatten all but samples", {2, 3, 4, 5}, {2, 60}, [](const Tensor& x) { return flatten(x, 1); });
  add("flatten space", {2, 3, 4, 5}, {2, 12, 5}, [](const Tensor& x) { return flatten(x, 1, -2); });
  add("flatten a scalar", {}, {1}, [](const Tensor& x) { return flatten(x); });
  rejects.push_back(
      {"squeeze", "an extent of 3", [] { squeeze(Tensor::zeros({2, 3}), {1}); }, {"squeeze", "axis 1", "{2, 3}", "extent 3"}});
  rejects.push_back({"squeeze", "an axis twice", [] { squeeze(Tensor::zeros({1, 3}), {0, -2}); }, {"squeeze", "-2", "twice"}});
  rejects.push_back({"squeeze", "new axis beyond", [] { unsqueeze(Tensor::zeros({2}), 2); }, {"unsqueeze", "axis 2", "2 axes"}});
  rejects.push_back({"squeeze", "a ninth axis", [] { unsqueeze(Tensor::zeros({1, 1, 1, 1, 1, 1, 1, 1}), 0); }, {"unsqueeze", "8 axes"}});
  rejects.push_back({"squeeze", "flatten backwards", [] { flatten(Tensor::zeros({2, 3}), 1, 0); }, {"flatten", "1 to 0", "order"}});
}
