#include "kernels/one_hot/one_hot.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(one_hot) {
  const auto add = [&](const char* name, const Shape& s, int64_t classes, DType of_label, DType t) {
    Shape to = s;
    to.dims[to.rank++] = classes;
    cases.push_back({.op = "one_hot", .name = name,
                     .inputs = {{.shape = s, .role = Role::label, .low = 0, .high = double(classes - 1)}},
                     .run =
                         [=](const Tensors& in) {
                           const Tensor y = one_hot(in[0].to(of_label), classes, t);
                           check(y.dtype() == t, "one_hot: the result is ", y);
                           return y.to(DType::f32);
                         },
                     .reference =
                         [=](const HostArrays& in) {
                           HostArray y = host_zeros(to);
                           for_each_index(s, [&](Index i) {
                             const double label = in[0][i];
                             i[size_t(s.rank)] = int64_t(label);
                             y[i] = 1;
                           });
                           return HostArrays{y};
                         },
                     .differentiable = false, .dtypes = {DType::f32}});
  };
  add("labels of a volume", {2, 3, 4, 5}, 4, DType::u8, DType::f32);
  add("i64 to bf16", {7}, 11, DType::i64, DType::bf16);
  add("i32 to u8", {3, 5}, 3, DType::i32, DType::u8);
  add("one class", {3}, 1, DType::u8, DType::f32);
  add("a scalar", {}, 5, DType::u8, DType::i64);
  rejects.push_back(
      {"one_hot", "beyond the classes", [] { one_hot(Tensor::full({2}, 3, DType::u8), 3); }, {"one_hot", "a label is 3", "3 classes"}});
  rejects.push_back({"one_hot", "negative", [] { one_hot(Tensor::full({2}, -1, DType::i32), 3); }, {"one_hot", "is -1"}});
  rejects.push_back({"one_hot", "no class", [] { one_hot(Tensor::zeros({2}, DType::u8), 0); }, {"one_hot", "0 classes"}});
  rejects.push_back({"one_hot", "floating labels", [] { one_hot(Tensor::zeros({2}), 3); }, {"one_hot", "integer", "f32"}});
}
