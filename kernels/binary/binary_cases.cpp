#include "kernels/binary/binary.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(binary) {
  using Run = Tensor (*)(const Tensor&, const Tensor&);
  const Shape s = {2, 3, 5, 4, 3};
  const int64_t bytes = s.count() * 4;
  const auto add_case = [&](const std::string& name, Run f, const OpInput& a, const OpInput& b, int64_t saved) {
    // The gradient of a broadcast b is a sum over as many elements as b is used for, which the harness derives from the counts.
    cases.push_back({.op = "binary", .name = name, .inputs = {a, b}, .run = [f](const Tensors& in) { return f(in[0], in[1]); },
                     .saved_bytes = saved});
  };
  struct Op {
    const char* name;
    Run run;
    double low, high;  // of b
    bool keeps_a, keeps_b;
  };
  for (const Op& op :
       {Op{"add", add, -1, 1, false, false}, Op{"sub", sub, -1, 1, false, false}, Op{"mul", mul, -1, 1, true, true},
        Op{"div", div, 0.5, 2, true, true}, Op{"maximum", maximum, -1, 1, true, true}, Op{"minimum", minimum, -1, 1, true, true}}) {
    const std::string name = op.name;
    const auto saved = [&](int64_t b) { return op.keeps_a * bytes + op.keeps_b * b * 4; };
    add_case(name, op.run, {s}, {.shape = s, .low = op.low, .high = op.high}, saved(s.count()));
    add_case(name + ", scalar", op.run, {s}, {.shape = {}, .role = Role::parameter, .low = op.low, .high = op.high}, saved(1));
    add_case(name + ", per channel", op.run, {s}, {.shape = {3}, .role = Role::parameter, .low = op.low, .high = op.high}, saved(3));
    add_case(name + ", per channel of the dtype of a", op.run, {s}, {.shape = {3}, .low = op.low, .high = op.high}, saved(3));
  }
  add_case("mul, 70 channels", mul, {{3, 70}}, {.shape = {70}, .role = Role::parameter}, (3 * 70 + 70) * 4);
  add_case("mul, one element of rank 5", mul, {s}, {.shape = {1, 1, 1, 1, 1}}, bytes + 4);
  add_case("mul, rank 0", mul, {.shape = {}, .low = 0.5}, {.shape = {}}, 8);
  cases.push_back({.op = "binary", .name = "operators", .inputs = {{s}, {.shape = s, .low = 0.5, .high = 2}},
                   .run = [](const Tensors& in) { return (2 - in[0]) * in[1] + (in[0] - 1) / in[1] - 0.5 * in[0] / 3 + 1 / in[1]; },
                   .slack = 4});  // up to seven roundings, not one
  const auto bench = [&](const char* name, Run f, const Shape& b) {
    cases.push_back({.op = "binary", .name = name, .inputs = {{Shape{1, 64, 64, 64, 32}}, {b}},
                     .run = [f](const Tensors& in) { return f(in[0], in[1]); }, .bench = true});
  };
  bench("add, 32x64^3", add, {1, 64, 64, 64, 32});
  bench("mul per channel, 32x64^3", mul, {32});
  bench("mul scalar, 32x64^3", mul, {});
  rejects.push_back({"binary", "another shape", [] { add(Tensor::zeros({2, 3}), Tensor::zeros({3, 2})); }, {"add", "{3, 2}", "{2, 3}"}});
  rejects.push_back({"binary",
                     "a wrong number of channels",
                     [] {
                       mul(Tensor::zeros({2, 3}), Tensor::zeros({2}));
                     },
                     {"mul", "{2}", "last axis"}});
  rejects.push_back({"binary", "another dtype", [] { sub(Tensor::zeros({2, 3}), Tensor::zeros({2, 3}, DType::bf16)); }, {"sub", "bf16"}});
  rejects.push_back(
      {"binary", "labels", [] { div(Tensor::zeros({2}, DType::u8), Tensor::zeros({2}, DType::u8)); }, {"div", "floating", "u8"}});
}
