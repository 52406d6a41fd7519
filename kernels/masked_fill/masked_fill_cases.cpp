#include "kernels/masked_fill/masked_fill.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(masked_fill) {
  const auto add = [&](const char* name, const Shape& s, const Shape& of_mask, double value) {
    cases.push_back({.op = "masked_fill", .name = name,
                     .inputs = {{s}, {.shape = of_mask, .role = Role::label, .low = 0, .high = 2}},
                     .run = [=](const Tensors& in) { return masked_fill(in[0], in[1], value); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(s, [&](const Index& i) {
                             Index at{};
                             for (int k = 0; k < s.rank; ++k) at[size_t(k)] = of_mask[k] == 1 ? 0 : i[size_t(k)];
                             return in[1][at] != 0 ? value : in[0][i];
                           })};
                         },
                     .saved_bytes = s.count()});
  };
  add("elements", {2, 3, 4, 5, 3}, {2, 3, 4, 5, 3}, -2);
  add("keys of attention", {2, 3, 5, 7}, {2, 1, 1, 7}, -4);
  add("many", {20011}, {20011}, 0.5);
  rejects.push_back(
      {"masked_fill", "a floating mask", [] { masked_fill(Tensor::zeros({2}), Tensor::zeros({2}), 0); }, {"masked_fill", "f32"}});
  rejects.push_back({"masked_fill", "another shape", [] { masked_fill(Tensor::zeros({2}), Tensor::zeros({3}, DType::u8), 0); },
                     {"masked_fill", "{3}", "{2}"}});
  rejects.push_back({"masked_fill", "a value that labels have not",
                     [] { masked_fill(Tensor::zeros({2}, DType::u8), Tensor::zeros({2}, DType::u8), 0.5); }, {"masked_fill", "0.5", "u8"}});
  rejects.push_back({"masked_fill", "no mask", [] { masked_fill(Tensor::zeros({2}), {}, 0); }, {"masked_fill", "absent"}});
}
