#include "kernels/strided_slice/strided_slice.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(strided_slice) {
  // first, step, count: of every axis of the result.
  const auto add = [&](const char* name, const Shape& s, std::vector<AxisSlice> slices, std::vector<int64_t> first,
                       std::vector<int64_t> step, const Shape& count) {
    cases.push_back({.op = "strided_slice", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return slice(in[0], slices); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(count, [&](Index i) {
                             for (size_t k = 0; k < first.size(); ++k) i[k] = first[k] + i[k] * step[k];
                             return in[0][i];
                           })};
                         },
                     .saved_bytes = 0});
  };
  add("every second", {2, 7, 3}, {{.axis = 1, .step = 2}}, {0, 0, 0}, {1, 2, 1}, {2, 4, 3});
  add("every third of the last axis", {4, 20}, {{.axis = -1, .begin = 1, .end = -2, .step = 3}}, {0, 1}, {1, 3}, {4, 6});
  add("backwards", {5, 3}, {{.axis = 0, .step = -1}}, {4, 0}, {-1, 1}, {5, 3});
  add("backwards along both axes", {5, 4}, {{.axis = 0, .step = -1}, {.axis = 1, .step = -1}}, {4, 3}, {-1, -1}, {5, 4});
  add("backwards by two, from a place to a place", {9}, {{.axis = 0, .begin = 7, .end = 1, .step = -2}}, {7}, {-2}, {3});
  add("three axes", {2, 6, 7, 3}, {{.axis = 1, .begin = 1, .step = 2}, {.axis = 2, .end = 3}, {.axis = 3, .begin = -1}}, {0, 1, 0, 2},
      {1, 2, 1, 1}, {2, 3, 3, 1});
  add("no axis", {2, 3}, {}, {0, 0}, {1, 1}, {2, 3});
  add("one element", {5}, {{.axis = 0, .begin = -2, .end = -1}}, {3}, {1}, {1});
  add("a step beyond the end", {5}, {{.axis = 0, .begin = 2, .step = 100}}, {2}, {100}, {1});
  add("rows and columns, transposing", {40, 37}, {{.axis = 0, .step = -2}, {.axis = 1, .begin = 1, .step = 3}}, {39, 1}, {-2, 3}, {20, 12});
  using Slices = std::vector<AxisSlice>;
  const auto reject = [&](const char* name, const Slices& slices, std::vector<std::string> words) {
    rejects.push_back({"strided_slice", name, [=] { slice(Tensor::zeros({2, 5}), slices); }, words});
  };
  reject("beyond the end", {{.axis = 1, .end = 6}}, {"slice", ":6:1", "axis 1", "{2, 5}"});
  reject("before the start", {{.axis = 1, .begin = -6}}, {"slice", "-6::1"});
  reject("a step of 0", {{.axis = 1, .step = 0}}, {"slice", "::0", "step"});
  reject("backwards from behind the end", {{.axis = 1, .begin = 5, .step = -1}}, {"slice", "5::-1"});
  reject("an axis twice", {{.axis = 1}, {.axis = -1}}, {"slice", "axis -1", "twice"});
  reject("an axis that is not there", {{.axis = 2}}, {"slice", "axis 2"});
}
