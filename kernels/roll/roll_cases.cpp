#include "kernels/roll/roll.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(roll) {
  const auto add = [&](const char* name, const Shape& s, std::vector<int64_t> shifts, std::vector<int> axes) {
    cases.push_back({.op = "roll", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return roll(in[0], shifts, axes); },
                     .reference =
                         [=](const HostArrays& in) {
                           HostArray y = host_zeros(s);
                           for_each_index(s, [&](const Index& i) {
                             Index to = i;
                             for (size_t k = 0; k < axes.size(); ++k) {
                               int64_t& at = to[size_t((axes[k] + s.rank) % s.rank)];
                               at += shifts[k];
                               while (at < 0) at += s[axes[k]];
                               while (at >= s[axes[k]]) at -= s[axes[k]];
                             }
                             y[to] = in[0][i];
                           });
                           return HostArrays{y};
                         },
                     .saved_bytes = 0});
  };
  add("a vector", {7}, {2}, {0});
  add("backwards", {7}, {-3}, {0});
  add("windows of a volume", {2, 4, 5, 6, 3}, {-2, -1, -3}, {1, 2, 3});
  add("the last axis", {3, 5}, {1}, {-1});
  add("more than around", {3, 5}, {-13}, {1});
  add("by nothing", {3, 5}, {5}, {1});
  rejects.push_back({"roll", "too few axes", [] { roll(Tensor::zeros({2, 3}), {1, 2}, {0}); }, {"roll", "2 shifts", "1 axes"}});
  rejects.push_back({"roll", "an axis twice", [] { roll(Tensor::zeros({2, 3}), {1, 2}, {0, -2}); }, {"roll", "-2", "twice"}});
  rejects.push_back({"roll", "an axis that is not there", [] { roll(Tensor::zeros({2, 3}), {1}, {2}); }, {"roll", "axis 2"}});
}
