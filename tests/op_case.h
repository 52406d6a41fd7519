#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/autograd.h"
#include "core/tensor.h"

namespace voxgrad {

using Tensors = std::vector<Tensor>;

// How an input of a case is made.
enum class Role {
  activation,  // of the dtype under test, differentiable
  parameter,   // of accum_of(dtype under test), differentiable: weights, scales, biases
  constant,    // of the dtype under test, not differentiated
  label,       // u8 integers uniform in [low, high], both included; not differentiated
};

struct OpInput {
  Shape shape;
  Role role = Role::activation;
  double low = -1, high = 1;  // uniform in [low, high)
};

// One use of one op. tests/op_case_test.cpp runs it through: output finite, written everywhere and nowhere else; gradient check in f64;
// every dtype against f64, forward and gradients; repeatability, also over thread counts; frozen inputs; bytes saved. Benchmarks time it.
struct OpCase {
  std::string op, name;
  std::vector<OpInput> inputs;
  std::function<Tensor(const Tensors&)> run;
  int64_t terms = 1;           // products summed per output element: sets the tolerance, and with it that of the gradients
  int64_t saved_bytes = -1;    // bytes that the graph keeps alive for backward in f32, inputs and output included; -1: not stated
  bool differentiable = true;
  std::vector<DType> dtypes = {DType::f32, DType::bf16, DType::f16};
  double slack = 1;            // factor on the tolerances, for ops that cancel (say why where it is set)
  double step = 1e-6;          // of the finite differences
  bool bench = false;          // real sizes: timed, not tested
};

// A use that must throw Error with all these words in its message.
struct OpReject {
  std::string op, name;
  std::function<void()> run;
  std::vector<std::string> words;
};

std::vector<OpCase>& op_cases();
std::vector<OpReject>& op_rejects();

struct AddCases {
  using Fill = void (*)(std::vector<OpCase>&, std::vector<OpReject>&);
  explicit AddCases(Fill fill) { fill(op_cases(), op_rejects()); }
};

// OP_CASES(name) { cases.push_back({...}); rejects.push_back({...}); }
#define OP_CASES(id)                                                                                    \
  static void id##_cases(std::vector<::voxgrad::OpCase>&, std::vector<::voxgrad::OpReject>&);           \
  static const ::voxgrad::AddCases id##_add{id##_cases};                                                \
  static void id##_cases([[maybe_unused]] std::vector<::voxgrad::OpCase>& cases,                        \
                         [[maybe_unused]] std::vector<::voxgrad::OpReject>& rejects)

// Inputs of a case for a dtype, from a seed. The same seed gives the same values, rounded to the dtype.
Tensors make_inputs(const OpCase&, DType, uint64_t seed);

}  // namespace voxgrad
