#include "kernels/index_select/index_select.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(index_select) {
  const auto indices = [](const Shape& s, int64_t extent) {
    return OpInput{.shape = s, .role = Role::label, .low = 0, .high = double(extent - 1)};
  };
  const auto add = [&](const char* name, const Shape& s, int axis, int64_t chosen, int64_t terms) {
    cases.push_back({.op = "index_select", .name = name, .inputs = {{s}, indices({chosen}, s[axis])},
                     .run = [=](const Tensors& in) { return index_select(in[0], axis, in[1].to(DType::i64)); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(s.with(axis, chosen), [&](Index i) {
                             int64_t& at = i[size_t(axis < 0 ? axis + s.rank : axis)];
                             at = int64_t(in[1].at(at));
                             return in[0][i];
                           })};
                         },
                     .terms = terms, .saved_bytes = 8 * chosen});
  };
  add("rows", {5, 7}, 0, 9, 9);
  add("middle axis", {2, 5, 3, 4}, 1, 3, 3);
  add("last axis", {3, 6}, -1, 8, 8);
  add("many rows to few", {3, 5}, 0, 700, 300);
  cases.push_back({.op = "index_select", .name = "embedding",
                   .inputs = {{.shape = {6, 5}, .role = Role::parameter}, indices({2, 3, 4}, 6)},
                   .run = [](const Tensors& in) { return embedding(in[0], in[1].to(DType::i32)); },
                   .reference = [](const HostArrays& in) {
                     return HostArrays{host_array(
                         {2, 3, 4, 5}, [&](const Index& i) { return in[0].at(int64_t(in[1].at(i[0], i[1], i[2])), i[3]); })};
                   },
                   .terms = 24, .saved_bytes = 8 * 24});
  cases.push_back({.op = "index_select", .name = "take", .inputs = {{{4, 5}}, indices({3, 7}, 20)},
                   .run = [](const Tensors& in) { return take(in[0], in[1]); },
                   .reference = [](const HostArrays& in) {
                     return HostArrays{host_array({3, 7}, [&](const Index& i) { return in[0].values[size_t(in[1][i])]; })};
                   },
                   .terms = 21, .saved_bytes = 8 * 21});
  using Make = Tensor (*)();
  const auto reject = [&](const char* name, Make index, std::vector<std::string> words) {
    rejects.push_back({"index_select", name, [=] { index_select(Tensor::zeros({2, 3}), 1, index()); }, words});
  };
  reject("beyond the axis", [] { return Tensor::full({4}, 3, DType::i64); }, {"index_select", "is 3", "3 elements"});
  reject("negative", [] { return Tensor::full({4}, -1, DType::i32); }, {"index_select", "is -1"});
  reject("two axes of indices", [] { return Tensor::zeros({4, 1}, DType::i64); }, {"index_select", "{M}", "{4, 1}"});
  reject("floating", [] { return Tensor::zeros({4}); }, {"index_select", "integer", "f32"});
  rejects.push_back({"index_select", "a table of rank 1", [] { embedding(Tensor::zeros({2}), Tensor::zeros({2}, DType::i64)); },
                     {"embedding", "{V, C}", "f32 {2}"}});
}
