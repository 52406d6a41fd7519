#include "kernels/binary/binary.h"

#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(binary) {
  using Formula = double (*)(double, double);
  using Run = Tensor (*)(const Tensor&, const Tensor&);
  const Shape s = {2, 3, 5, 4, 3};
  const int64_t bytes = s.count() * 4;
  const auto add_case = [&](const std::string& name, Run f, Formula formula, const OpInput& a, const OpInput& b, int64_t saved) {
    // The gradient of a broadcast b is a sum over as many elements as b is used for, which the harness derives from the counts.
    cases.push_back({.op = "binary", .name = name, .inputs = {a, b}, .run = [f](const Tensors& in) { return f(in[0], in[1]); },
                     .reference = elementwise(formula), .saved_bytes = saved});
  };
  struct Op {
    const char* name;
    Run run;
    Formula formula;
    double low, high;  // of b
    bool keeps_a, keeps_b;
  };
  const Formula times = [](double a, double b) { return a * b; };
  const Op ops[] = {{"add", add, [](double a, double b) { return a + b; }, -1, 1, false, false},
                    {"sub", sub, [](double a, double b) { return a - b; }, -1, 1, false, false},
                    {"mul", mul, times, -1, 1, true, true},
                    {"div", div, [](double a, double b) { return a / b; }, 0.5, 2, true, true},
                    {"maximum", maximum, [](double a, double b) { return a > b ? a : b; }, -1, 1, true, true},
                    {"minimum", minimum, [](double a, double b) { return a > b ? b : a; }, -1, 1, true, true}};
  // Shapes and dtypes that meet in every way a walk knows: one axis repeats, several, on both sides, short and long rows, rank 8.
  const Shape volume = {2, 3, 5, 4, 3}, wide = {2, 40, 12, 20, 3};
  const Formula raised = [](double a, double b) { return std::exp(b * std::log(a)); };
  const auto broadcast = [&](const char* name, Run f, Formula formula, OpInput a, OpInput b, double low = -1, double high = 1) {
    a.low = b.low = low;
    a.high = b.high = high;
    add_case(name, f, formula, a, b, -1);
  };
  const Formula plus = ops[0].formula, minus = ops[1].formula, over = ops[3].formula;
  broadcast("add, a column", add, plus, {{2, 3}}, {{2, 1}});
  broadcast("add, a row and a column", add, plus, {{1, 30}}, {{40, 1}});
  broadcast("add, first operand {C}", add, plus, {{3}}, {volume});
  broadcast("sub, first operand {C}", sub, minus, {{3}}, {volume});
  broadcast("sub, first operand a scalar", sub, minus, {.shape = {}, .role = Role::parameter}, {volume});
  broadcast("sub, a row and a column of another dtype", sub, minus, {.shape = {7, 1}, .role = Role::parameter}, {{1, 5}});
  broadcast("mul, excitation", mul, times, {volume}, {{2, 1, 1, 1, 3}});
  broadcast("mul, excitation of many voxels", mul, times, {wide}, {{2, 1, 1, 1, 3}});
  broadcast("mul, excitation of the dtype of parameters", mul, times, {wide}, {.shape = {2, 1, 1, 1, 3}, .role = Role::parameter});
  broadcast("mul, excitation first", mul, times, {{2, 1, 1, 1, 3}}, {wide});
  broadcast("mul, a factor per sample", mul, times, {wide}, {{2, 1, 1, 1, 1}});
  broadcast("mul, a mask of voxels", mul, times, {volume}, {{2, 3, 5, 4, 1}});
  broadcast("mul, a row of one rank more", mul, times, {{4, 6}}, {{1, 6}});
  broadcast("mul, new leading axes", mul, times, {{4, 1}}, {{3, 1, 5}});
  broadcast("mul, long rows", mul, times, {{2, 1, 2500}}, {{1, 3, 2500}});
  broadcast("mul, rank 8", mul, times, {{2, 1, 2, 1, 2, 1, 2, 1}}, {{1, 3, 1, 2, 1, 3, 1, 2}});
  broadcast("mul, nothing", mul, times, {{0, 3}}, {{2, 1, 3}});
  broadcast("div, a column first", div, over, {{3, 1}}, {{3, 70}}, 0.5, 2);
  broadcast("div, excitation", div, over, {wide}, {{2, 1, 1, 1, 3}}, 0.5, 2);
  broadcast("maximum, a row and a column", maximum, ops[4].formula, {{6, 1}}, {{9}});
  broadcast("minimum, excitation", minimum, ops[5].formula, {volume}, {{2, 1, 1, 1, 3}});
  broadcast("power", power, raised, {volume}, {volume}, 0.5, 2);
  broadcast("power, exponents per channel", power, raised, {volume}, {.shape = {3}, .role = Role::parameter}, 0.5, 2);
  broadcast("power, bases per row", power, raised, {{4, 1}}, {{4, 9}}, 0.5, 2);
  for (const Op& op : ops) {
    const std::string name = op.name;
    const auto add_with = [&](const char* how, const OpInput& b) {
      add_case(name + how, op.run, op.formula, {s}, b, op.keeps_a * bytes + op.keeps_b * b.shape.count() * 4);
    };
    add_with("", {.shape = s, .low = op.low, .high = op.high});
    add_with(", scalar", {.shape = {}, .role = Role::parameter, .low = op.low, .high = op.high});
    add_with(", per channel", {.shape = {3}, .role = Role::parameter, .low = op.low, .high = op.high});
    add_with(", per channel of the dtype of a", {.shape = {3}, .low = op.low, .high = op.high});
  }
  add_case("mul, 70 channels", mul, times, {{3, 70}}, {.shape = {70}, .role = Role::parameter}, (3 * 70 + 70) * 4);
  add_case("mul, one element of rank 5", mul, times, {s}, {.shape = {1, 1, 1, 1, 1}}, bytes + 4);
  add_case("mul, rank 0", mul, times, {.shape = {}, .low = 0.5}, {.shape = {}}, 8);
  cases.push_back({.op = "binary", .name = "operators", .inputs = {{s}, {.shape = s, .low = 0.5, .high = 2}},
                   .run = [](const Tensors& in) { return (2 - in[0]) * in[1] + (in[0] - 1) / in[1] - 0.5 * in[0] / 3 + 1 / in[1]; },
                   .reference = elementwise([](double a, double b) { return 2 * b - a * b + a / b - a / 6; }),
                   .slack = 4});  // up to seven roundings, not one
  const auto bench = [&](const char* name, Run f, const Shape& b) {
    cases.push_back({.op = "binary", .name = name, .inputs = {{Shape{1, 64, 64, 64, 32}}, {b}},
                     .run = [f](const Tensors& in) { return f(in[0], in[1]); }, .bench = true});
  };
  bench("add, 32x64^3", add, {1, 64, 64, 64, 32});
  bench("mul per channel, 32x64^3", mul, {32});
  bench("mul scalar, 32x64^3", mul, {});
  bench("mul excitation, 32x64^3", mul, {1, 1, 1, 1, 32});
  bench("mul mask of voxels, 32x64^3", mul, {1, 64, 64, 64, 1});
  rejects.push_back({"binary", "another shape", [] { add(Tensor::zeros({2, 3}), Tensor::zeros({3, 2})); }, {"add", "{3, 2}", "{2, 3}"}});
  rejects.push_back({"binary",
                     "a wrong number of channels",
                     [] {
                       mul(Tensor::zeros({2, 3}), Tensor::zeros({2}));
                     },
                     {"mul", "{2, 3} and {2}", "cannot be broadcast"}});
  rejects.push_back({"binary",
                     "{N, C} beside a volume",
                     [] {
                       add(Tensor::zeros({2, 3}), Tensor::zeros({2, 4, 5, 6, 3}));
                     },
                     {"add: shapes {2, 3} and {2, 4, 5, 6, 3} cannot be broadcast"}});
  rejects.push_back({"binary", "parameters in half precision",
                     [] {
                       mul(Tensor::zeros({2, 3}), Tensor::zeros({2, 1}, DType::bf16));
                     },
                     {"mul", "bf16", "f32"}});
  rejects.push_back({"binary", "another dtype", [] { sub(Tensor::zeros({2, 3}), Tensor::zeros({2, 3}, DType::bf16)); }, {"sub", "bf16"}});
  rejects.push_back(
      {"binary", "labels", [] { div(Tensor::zeros({2}, DType::u8), Tensor::zeros({2}, DType::u8)); }, {"div", "floating", "u8", ".to("}});
}
