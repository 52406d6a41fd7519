#include "kernels/split/split.h"

#include "kernels/concat/concat.h"
#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(split) {
  // The parts `order`, from these places of the axis, behind one another: a permutation of coordinates, and one that leaves parts out.
  const auto add = [&](const char* name, const Shape& s, int axis, std::function<std::vector<Tensor>(const Tensor&)> f,
                       std::vector<size_t> order, std::vector<int64_t> places) {
    cases.push_back({.op = "split", .name = name, .inputs = {{s}},
                     .run =
                         [=](const Tensors& in) {
                           const std::vector<Tensor> parts = f(in[0]);
                           std::vector<Tensor> chosen;
                           for (size_t k : order) chosen.push_back(parts.at(k));
                           return concat(chosen, axis);
                         },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(s.with(axis, int64_t(places.size())), [&](Index i) {
                             i[size_t(axis)] = places[size_t(i[size_t(axis)])];
                             return in[0][i];
                           })};
                         }});
  };
  add("channels", {2, 3, 6}, 2, [](const Tensor& x) { return split(x, {1, 2, 3}, -1); }, {2, 0, 1}, {3, 4, 5, 0, 1, 2});
  add("a part that nobody uses", {2, 3, 6}, 2, [](const Tensor& x) { return split(x, {1, 2, 3}, 2); }, {2, 0}, {3, 4, 5, 0});
  add("an empty part", {4, 3}, 0, [](const Tensor& x) { return split(x, {3, 0, 1}, 0); }, {2, 1, 0}, {3, 0, 1, 2});
  add("even parts, the last one smaller", {2, 7, 3}, 1, [](const Tensor& x) { return split(x, 3, 1); }, {2, 1, 0}, {6, 3, 4, 5, 0, 1, 2});
  add("chunks", {2, 7, 3}, 1, [](const Tensor& x) { return chunk(x, 3, 1); }, {2, 0, 1}, {6, 0, 1, 2, 3, 4, 5});
  add("fewer chunks than asked for", {5}, 0, [](const Tensor& x) { return chunk(x, 4, 0); }, {2, 1, 0}, {4, 2, 3, 0, 1});
  cases.push_back({.op = "split", .name = "seventy parts of one", .inputs = {{{2, 70}}},
                   .run = [](const Tensors& in) { return split(in[0], 1, 1).at(68); },
                   .reference = [](const HostArrays& in) {
                     return HostArrays{host_array({2, 1}, [&](const Index& i) { return in[0].at(i[0], 68); })};
                   },
                   .saved_bytes = 0});
  rejects.push_back({"split",
                     "another sum",
                     [] {
                       split(Tensor::zeros({2, 5}), {2, 2}, 1);
                     },
                     {"split", "4 elements", "{2, 5}"}});
  rejects.push_back({"split",
                     "a negative part",
                     [] {
                       split(Tensor::zeros({2, 5}), {6, -1}, 1);
                     },
                     {"split", "-1"}});
  rejects.push_back({"split", "parts of nothing", [] { split(Tensor::zeros({2, 5}), 0, 1); }, {"split", "extent 0"}});
  rejects.push_back({"split", "no chunk", [] { chunk(Tensor::zeros({2, 5}), 0, 1); }, {"chunk", "0 parts"}});
  rejects.push_back({"split", "an axis that is not there", [] { chunk(Tensor::zeros({2, 5}), 2, 2); }, {"chunk", "axis 2"}});
}
