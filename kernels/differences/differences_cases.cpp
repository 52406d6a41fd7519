#include "kernels/differences/differences.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(differences) {
  const auto add = [&](const char* name, const Shape& s, int axes) {
    const Shape wide = s.with(4, s[4] * axes);
    // One element of y is x[next] - x[i]; the adjoint is the same sum from the other side.
    const auto each = [=](const std::function<void(const Index& of_y, const Index& of_x, double sign)>& f) {
      for_each_index(wide, [&](const Index& i) {
        const int k = 4 - axes + int(i[4] / s[4]);
        Index x = i;
        x[4] = i[4] % s[4];
        if (x[size_t(k)] + 1 == s[k]) return;
        f(i, x, -1);
        ++x[size_t(k)];
        f(i, x, 1);
      });
    };
    cases.push_back({.op = "differences", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return differences(in[0], axes); },
                     .reference =
                         [=](const HostArrays& in) {
                           HostArray y = host_zeros(wide);
                           each([&](const Index& i, const Index& x, double sign) { y[i] += sign * in[0][x]; });
                           return HostArrays{y};
                         },
                     .terms = 2, .saved_bytes = 0, .dtypes = {DType::f32}});
    cases.push_back({.op = "differences_adjoint", .name = name, .inputs = {{wide}},
                     .run = [=](const Tensors& in) { return differences_adjoint(in[0], axes); },
                     .reference =
                         [=](const HostArrays& in) {
                           HostArray x = host_zeros(s);
                           each([&](const Index& i, const Index& to, double sign) { x[to] += sign * in[0][i]; });
                           return HostArrays{x};
                         },
                     .terms = 6, .saved_bytes = 0, .dtypes = {DType::f32}});
  };
  add("rows", {2, 1, 3, 5, 2}, 1);
  add("planes of complex images", {2, 2, 5, 4, 2}, 2);
  add("a volume", {1, 4, 3, 5, 1}, 3);
  add("one voxel", {1, 1, 1, 1, 3}, 3);
  rejects.push_back({"differences", "four axes", [] { differences(Tensor::zeros({1, 2, 2, 2, 1}), 4); }, {"differences", "4 axes"}});
  rejects.push_back({"differences_adjoint", "an odd number of channels", [] { differences_adjoint(Tensor::zeros({1, 2, 2, 2, 3}), 2); },
                     {"differences_adjoint", "3 channels", "multiple of 2"}});
}
