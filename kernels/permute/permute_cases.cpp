#include "kernels/permute/permute.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(permute) {
  const auto add = [&](const char* name, const Shape& s, std::vector<int> axes, bool bench = false) {
    cases.push_back({.op = "permute", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return permute(in[0], axes); },
                     .reference =
                         [=](const HostArrays& in) {
                           Shape permuted = s;
                           for (int k = 0; k < s.rank; ++k) permuted[k] = s[axes[size_t(k)]];
                           return HostArrays{host_array(permuted, [&](const Index& i) {
                             Index from{};
                             for (int k = 0; k < s.rank; ++k) from[size_t((axes[size_t(k)] + s.rank) % s.rank)] = i[size_t(k)];
                             return in[0][from];
                           })};
                         },
                     .saved_bytes = bench ? -1 : 0, .bench = bench});
  };
  add("channels first", {2, 3, 5, 4, 3}, {0, 4, 1, 2, 3});
  add("channels last", {2, 3, 5, 4, 3}, {0, 2, 3, 4, 1});
  add("space", {2, 3, 5, 4, 3}, {0, 3, 1, 2, 4});
  add("transposed matrix, more than a tile", {37, 75}, {1, 0});
  add("in place", {2, 3, 4}, {0, -2, -1});
  add("rank 0", {}, {});
  add("rank 6", {2, 3, 2, 3, 2, 2}, {5, 0, 4, 1, 3, 2});
  add("channels first, 32x64^3", {1, 64, 64, 64, 32}, {0, 4, 1, 2, 3}, true);
  add("channels last, 32x64^3", {1, 32, 64, 64, 64}, {0, 2, 3, 4, 1}, true);
  rejects.push_back({"permute", "too few axes", [] { permute(Tensor::zeros({2, 3}), {0}); }, {"permute", "1 axes", "{2, 3}"}});
  rejects.push_back({"permute", "an axis twice", [] { permute(Tensor::zeros({2, 3}), {0, -2}); }, {"permute", "axis -2", "twice"}});
  rejects.push_back({"permute", "an axis that is not there", [] { permute(Tensor::zeros({2, 3}), {0, 2}); }, {"permute", "axis 2"}});
}
