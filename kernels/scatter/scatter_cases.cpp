#include "kernels/scatter/scatter.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(scatter_ops) {
  // x, src and index, written one element of src after the other.
  const auto add = [&](const char* name, const Shape& s, int axis, int64_t count, bool adds, int64_t terms = 1) {
    const Shape from = s.with(axis, count);
    cases.push_back({.op = "scatter", .name = std::string(adds ? "add, " : "overwrite, ") + name,
                     .inputs = {{s}, {from}, {.shape = from, .role = Role::label, .low = 0, .high = double(s[axis] - 1)}},
                     .run =
                         [=](const Tensors& in) {
                           const Tensor index = in[2].to(adds ? DType::i64 : DType::i32);
                           return adds ? scatter_add(in[0], axis, index, in[1]) : scatter(in[0], axis, index, in[1]);
                         },
                     .reference =
                         [=](const HostArrays& in) {
                           HostArray y = in[0];
                           for_each_index(from, [&](const Index& i) {
                             Index to = i;
                             to[size_t(axis < 0 ? axis + s.rank : axis)] = int64_t(in[2][i]);
                             y[to] = (adds ? y[to] : 0) + in[1][i];
                           });
                           return HostArrays{y};
                         },
                     .terms = terms, .saved_bytes = 8 * (from.count() + (adds ? 0 : s.count()))});
  };
  for (const bool adds : {false, true}) {
    add("first axis", {5, 3, 4}, 0, 4, adds, 4);
    add("middle axis, many columns", {2, 5, 130}, 1, 12, adds, 12);
    add("last axis", {3, 4, 6}, -1, 11, adds, 11);
    add("all to one place", {1, 3}, 0, 40, adds, 40);
    add("nothing", {3, 4}, 1, 0, adds);
    add("more than a run of the sort", {200}, 0, 900, adds, 30);
  }
  using Call = Tensor (*)(const Tensor&, int, const Tensor&, const Tensor&);
  const auto reject = [&](const char* name, Call call, const Shape& src, DType t, double index, std::vector<std::string> words) {
    rejects.push_back({"scatter", name,
                       [=] { call(Tensor::zeros({2, 3}, t), 1, Tensor::full(src, index, DType::i64), Tensor::zeros(src)); }, words});
  };
  reject("an index beyond the axis", scatter, {2, 2}, DType::f32, 3, {"scatter", "is 3", "3 elements"});
  reject("a negative index", scatter_add, {2, 2}, DType::f32, -2, {"scatter_add", "is -2"});
  reject("another dtype", scatter, {2, 2}, DType::f16, 0, {"scatter", "f32", "f16"});
  reject("other rows", scatter, {3, 2}, DType::f32, 0, {"scatter", "{3, 2}", "{2, 3}"});
  reject("sums of labels", scatter_add, {2, 2}, DType::u8, 0, {"scatter_add", "floating", "u8"});
}
