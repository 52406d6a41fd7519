#include "kernels/slice/slice.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(slice) {
  const auto add = [&](const char* name, const Shape& s, int axis, int64_t begin, int64_t end) {
    cases.push_back({.op = "slice", .name = name, .inputs = {{s}},
                     .run = [=](const Tensors& in) { return slice(in[0], axis, begin, end); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(s.with(axis, end - begin), [&](Index i) {
                             i[size_t(axis < 0 ? axis + s.rank : axis)] += begin;
                             return in[0][i];
                           })};
                         },
                     .saved_bytes = 0});
  };
  add("samples", {3, 2, 5, 4, 3}, 0, 1, 3);
  add("depth", {2, 5, 3, 4, 3}, 1, 2, 4);
  add("width to one", {2, 3, 4, 5, 7}, 3, 4, 5);
  add("channels", {2, 3, 5, 4, 7}, -1, 2, 5);
  add("one channel of three", {2, 3, 5, 4, 3}, -1, 1, 2);
  add("everything", {2, 5}, 0, 0, 2);
  add("rank 1", {9}, 0, 3, 8);
  add("rank 6", {2, 2, 3, 2, 2, 3}, 2, 1, 3);
  const auto crop = [&](const char* name, const Shape& s, const Int3& begin, const Int3& size) {
    cases.push_back({.op = "crop3d", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return crop3d(in[0], begin, size); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array({s[0], size.d, size.h, size.w, s[4]}, [&](const Index& i) {
                             return in[0].at(i[0], i[1] + begin.d, i[2] + begin.h, i[3] + begin.w, i[4]);
                           })};
                         },
                     .saved_bytes = 0});
  };
  crop("inside", {2, 5, 6, 7, 3}, {1, 2, 3}, {3, 2, 4});
  crop("whole planes", {2, 5, 6, 7, 1}, {1, 0, 0}, {3, 6, 7});
  cases.push_back({.op = "crop3d", .name = "32x64^3", .inputs = {{Shape{1, 64, 64, 64, 32}}},
                   .run = [](const Tensors& in) { return crop3d(in[0], {2, 2, 2}, {60, 60, 60}); }, .bench = true});
  rejects.push_back({"slice", "beyond the end", [] { slice(Tensor::zeros({2, 3}), 1, 1, 4); }, {"slice", "[1, 4)", "{2, 3}"}});
  rejects.push_back({"slice", "backwards", [] { slice(Tensor::zeros({2, 3}), 1, 2, 1); }, {"slice", "[2, 1)"}});
  rejects.push_back({"slice", "an axis that is not there", [] { slice(Tensor::zeros({2, 3}), 2, 0, 1); }, {"slice", "axis 2", "{2, 3}"}});
  rejects.push_back({"slice", "no tensor", [] { slice({}, 0, 0, 1); }, {"slice", "absent tensor"}});
  rejects.push_back({"crop3d",
                     "outside",
                     [] {
                       crop3d(Tensor::zeros({1, 4, 4, 4, 1}), {0, 0, 2}, {4, 4, 3});
                     },
                     {"crop3d", "4x4x3", "0x0x2"}});
  rejects.push_back({"crop3d", "rank 4", [] { crop3d(Tensor::zeros({4, 4, 4, 1}), {0, 0, 0}, {1, 1, 1}); }, {"crop3d", "{4, 4, 4, 1}"}});
}
