#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/autograd.h"
#include "core/tensor.h"
#include "tests/host_array.h"

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

// One use of one op. tests/op_case_test.cpp runs it through: output in f64 as the reference says; finite, written everywhere and nowhere
// else; gradient check in f64; every dtype against f64, forward and gradients; repeatability, also over thread counts; frozen inputs;
// bytes saved. Benchmarks time it.
struct OpCase {
  std::string op, name;
  std::vector<OpInput> inputs;
  std::function<Tensor(const Tensors&)> run;
  Reference reference = {};    // what is right, written from the definition and without the library's ops
  int64_t terms = 1;           // products summed per output element: sets the tolerance, and with it that of the gradients
  int64_t saved_bytes = -1;    // bytes that the graph keeps alive for backward in f32, inputs and output included; -1: not stated
  bool differentiable = true;
  std::vector<DType> dtypes = {DType::f32, DType::bf16, DType::f16};
  double slack = 1;            // factor on the tolerances, for ops that cancel (say why where it is set)
  double step = 1e-6;          // of the finite differences
  bool bench = false;          // real sizes: timed, not tested
  bool for_cpu = false;        // of a size that only an algorithm of the CPU needs: not run on an emulated GPU, where it would take long
};

// A use that must throw Error with all these words in its message, which starts with the first one: the op.
struct OpReject {
  std::string op, name;
  std::function<void()> run;
  std::vector<std::string> words;
};

// A use on tensors of more than 2^31 elements, where indices outgrow 32 bits. `op_case_test --huge` runs it at that size on devices with
// memory enough; every other run of the test does so with few elements.
struct HugeCase {
  std::string op, name;
  double bytes_per_element;  // of device memory at most
  // Computes on a tensor of `elements` elements or somewhat more, compares some of the results with a direct computation, and returns what
  // is wrong, or nothing.
  std::function<std::string(Device, int64_t elements)> fault;
};

std::vector<OpCase>& op_cases();
std::vector<OpReject>& op_rejects();
std::vector<HugeCase>& huge_cases();

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

struct AddHugeCases {
  explicit AddHugeCases(void (*fill)(std::vector<HugeCase>&)) { fill(huge_cases()); }
};
// HUGE_CASES(name) { cases.push_back({...}); }
#define HUGE_CASES(id)                                           \
  static void id##_huge_cases(std::vector<::voxgrad::HugeCase>&); \
  static const ::voxgrad::AddHugeCases id##_huge_add{id##_huge_cases}; \
  static void id##_huge_cases(std::vector<::voxgrad::HugeCase>& cases)

// Element i of a pattern that every dtype holds exactly: multiples of 1/8 in [-1, 1], integers in [0, 255] in u8.
double pattern_at(DType, int64_t i);
Tensor pattern(const Shape&, DType, Device);
// The first and last positions of `count`, those on both sides of the multiples of 2^31, and many between.
std::vector<int64_t> sampled_positions(int64_t count);
// Where y (any device) differs from wanted(i) at a sampled position by more than `limit` (1 + |wanted|), or nothing.
std::string sampled_fault(const Tensor& y, const std::function<double(int64_t)>& wanted, double limit);

// Inputs of a case for a dtype, from a seed. The same seed gives the same values, rounded to the dtype.
Tensors make_inputs(const OpCase&, DType, uint64_t seed);

}  // namespace voxgrad
