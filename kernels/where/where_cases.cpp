#include "kernels/where/where.h"

#include "kernels/binary/binary.h"
#include "kernels/compare/compare.h"
#include "tests/op_case.h"

using namespace voxgrad;

namespace {
// Place of element i of a result of rank `rank` in an operand of shape s: what repeats stays at 0.
Index place_in(const Shape& s, const Index& i, int rank) {
  Index at{};
  for (int k = 0; k < s.rank; ++k) at[size_t(k)] = s[k] == 1 ? 0 : i[size_t(k + rank - s.rank)];
  return at;
}
}  // namespace

OP_CASES(where) {
  const auto reference = [](const Shape& s) {
    return [s](const HostArrays& in) {
      return HostArrays{host_array(s, [&](const Index& i) {
        const HostArray& chosen = in[0][place_in(in[0].shape, i, s.rank)] > 0 ? in[1] : in[2];
        return chosen[place_in(chosen.shape, i, s.rank)];
      })};
    };
  };
  const auto add = [&](const char* name, const Shape& condition, OpInput a, OpInput b, const Shape& result, int64_t saved = -1) {
    cases.push_back({.op = "where", .name = name, .inputs = {{.shape = condition, .role = Role::label, .low = 0, .high = 2}, a, b},
                     .run = [](const Tensors& in) { return where(in[0], in[1], in[2]); }, .reference = reference(result),
                     .saved_bytes = saved});
  };
  const Shape s = {2, 3, 5, 4, 3};
  add("same shapes", s, {s}, {s}, s, s.count());
  add("a mask of voxels", {2, 3, 5, 4, 1}, {s}, {s}, s);
  add("a scalar", s, {s}, {.shape = {}}, s);
  add("a parameter per channel", s, {.shape = {3}, .role = Role::parameter}, {s}, s);
  add("all three repeat", {4, 1, 1}, {{6, 1}}, {{1, 1, 7}}, {4, 6, 7});
  add("long rows", {2, 1}, {{2, 2500}}, {{2500}}, {2, 2500});
  add("rank 0", {}, {.shape = {}}, {.shape = {}}, {});
  cases.push_back({.op = "where", .name = "labels",
                   .inputs = {{.shape = {3, 7}, .role = Role::label, .low = 0, .high = 1},
                              {.shape = {3, 7}, .role = Role::label, .low = 0, .high = 9},
                              {.shape = {7}, .role = Role::label, .low = 0, .high = 9}},
                   .run = [](const Tensors& in) { return where(in[0], in[1].to(DType::i64), in[2].to(DType::i64)); },
                   .reference = reference({3, 7}), .differentiable = false});
  cases.push_back({.op = "where", .name = "a number",
                   .inputs = {{.shape = {3, 7}, .role = Role::label, .low = 0, .high = 1}, {{3, 7}}},
                   .run = [](const Tensors& in) { return where(in[0], -0.5, where(in[0], in[1], 0.25)); },
                   .reference = elementwise([](double c, double) { return c > 0 ? -0.5 : 0.25; })});
  // Logarithms of numbers below 0 are NaN, and are left out.
  cases.push_back({.op = "where", .name = "what is left out may be a NaN",
                   .inputs = {{.shape = {3, 70}, .role = Role::constant}, {{3, 70}}},
                   .run = [](const Tensors& in) {
                     const Tensor logarithm = voxgrad::log(in[0].detach());
                     return where(isnan(logarithm), in[1], where(isnan(logarithm), logarithm, in[1] * 2));
                   },
                   .reference = elementwise([](double a, double b) { return a < 0 ? b : 2 * b; })});
  rejects.push_back({"where", "a floating condition",
                     [] { where(Tensor::zeros({2}), Tensor::zeros({2}), Tensor::zeros({2})); }, {"where", "condition", "u8"}});
  rejects.push_back({"where", "a number that labels have not",
                     [] { where(Tensor::zeros({2}, DType::u8), Tensor::zeros({2}, DType::u8), 300); },
                     {"where", "300", "u8"}});
  rejects.push_back({"where", "shapes",
                     [] { where(Tensor::zeros({2}, DType::u8), Tensor::zeros({3}), Tensor::zeros({})); }, {"where: shapes {2} and {3}"}});
  rejects.push_back({"where", "dtypes", [] { where(Tensor::zeros({2}, DType::u8), Tensor::zeros({2}), Tensor::zeros({2}, DType::bf16)); },
                     {"where", "f32", "bf16"}});
}
