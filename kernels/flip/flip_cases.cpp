#include "kernels/flip/flip.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(flip) {
  const auto add = [&](const char* name, const Shape& s, std::vector<int> axes, bool bench = false) {
    cases.push_back({.op = "flip", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return flip(in[0], axes); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(s, [&](Index i) {
                             for (int a : axes) i[size_t(a < 0 ? a + s.rank : a)] = s[a] - 1 - i[size_t(a < 0 ? a + s.rank : a)];
                             return in[0][i];
                           })};
                         },
                     .saved_bytes = bench ? -1 : 0, .bench = bench});
  };
  add("width", {2, 3, 5, 4, 3}, {3});
  add("all of space", {2, 3, 5, 4, 3}, {1, 2, 3});
  add("depth and width, one channel", {2, 3, 5, 7, 1}, {1, 3});
  add("channels", {2, 3, 5, 4, 3}, {-1});
  add("nothing", {2, 3}, {});
  add("rank 1", {7}, {0});
  add("all of space, 32x64^3", {1, 64, 64, 64, 32}, {1, 2, 3}, true);
  add("all of space, 1x128^3", {1, 128, 128, 128, 1}, {1, 2, 3}, true);
  rejects.push_back({"flip", "an axis that is not there", [] { flip(Tensor::zeros({2, 3}), {-3}); }, {"flip", "axis -3", "{2, 3}"}});
  rejects.push_back({"flip", "an axis twice", [] { flip(Tensor::zeros({2, 3}), {1, -1}); }, {"flip", "axis -1", "twice"}});
}
