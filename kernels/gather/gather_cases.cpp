#include "kernels/gather/gather.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(gather) {
  const auto add = [&](const char* name, const Shape& s, int axis, int64_t chosen, int64_t terms) {
    const Shape to = s.with(axis, chosen);
    cases.push_back({.op = "gather", .name = name,
                     .inputs = {{s}, {.shape = to, .role = Role::label, .low = 0, .high = double(s[axis] - 1)}},
                     .run = [=](const Tensors& in) { return gather(in[0], axis, in[1].to(DType::i64)); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(to, [&](Index i) {
                             i[size_t(axis < 0 ? axis + s.rank : axis)] = int64_t(in[1][i]);
                             return in[0][i];
                           })};
                         },
                     .terms = terms, .saved_bytes = 8 * to.count()});
  };
  add("first axis", {5, 3, 4}, 0, 7, 7);
  add("middle axis, many columns", {2, 5, 150}, 1, 9, 9);
  add("last axis", {3, 4, 6}, -1, 11, 11);
  add("one of few", {2, 3, 1, 5}, 1, 1, 1);
  add("more than a run of the sort", {250}, 0, 1500, 20);
  add("nothing", {3, 4}, 1, 0, 1);
  cases.push_back({.op = "gather", .name = "i32 indices",
                   .inputs = {{{4, 5}}, {.shape = {4, 3}, .role = Role::label, .low = 0, .high = 4}},
                   .run = [](const Tensors& in) { return gather(in[0], 1, in[1].to(DType::i32)); },
                   .reference = [](const HostArrays& in) {
                     return HostArrays{host_array({4, 3}, [&](const Index& i) { return in[0].at(i[0], int64_t(in[1][i])); })};
                   },
                   .terms = 3});
  const auto reject = [&](const char* name, std::vector<double> index, const Shape& s, DType t, std::vector<std::string> words) {
    rejects.push_back({"gather", name, [=] { gather(Tensor::zeros({2, 3}), 1, Tensor::from(index, s, t)); }, words});
  };
  reject("an index beyond the axis", {0, 3}, {2, 1}, DType::i64, {"gather", "is 3", "3 elements"});
  reject("a negative index", {0, -1}, {2, 1}, DType::i32, {"gather", "is -1", "3 elements"});
  reject("floating indices", {0, 1}, {2, 1}, DType::f32, {"gather", "integer", "f32"});
  reject("other rows", {0, 1, 1}, {3, 1}, DType::i64, {"gather", "{3, 1}", "{2, 3}"});
  reject("fewer axes", {0, 1}, {2}, DType::i64, {"gather", "i64 {2}", "{2, 3}"});
}
