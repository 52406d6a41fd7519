// Ops forward and forward with backward: those of op_list.cpp and the cases that op folders mark as benchmarks.
#include "benchmarks/op_list.h"
#include "core/autograd.h"
#include "kernels/pointwise/pointwise.h"

namespace voxgrad::bench {
namespace {

const char* name_of(Role r) {
  return r == Role::activation ? "activation" : r == Role::parameter ? "parameter" : r == Role::constant ? "constant" : "label";
}

Tensors inputs_of(const Op& op, const Setting& s) {
  Tensors in;
  for (const OpInput& input : op.inputs) {
    const uint64_t seed = in.size() + 1;
    if (input.role == Role::label) in.push_back(random_label(input.shape, int(input.high) + 1, seed, s.device));
    else {
      const Tensor x = random_tensor(input.shape, input.role == Role::parameter ? accum_of(s.dtype) : s.dtype, seed, s.device);
      in.push_back(affine(x, (input.high - input.low) / 2, (input.high + input.low) / 2));
    }
  }
  return in;
}

int64_t bytes_of(const Tensors& tensors) {
  int64_t n = 0;
  for (const Tensor& t : tensors) n += int64_t(t.bytes());
  return n;
}

Job forward_job(const Op& op, const Setting& s) {
  const Tensors in = inputs_of(op, s);
  const auto run = [f = op.run, in] { f(in); };
  return {.contenders = {{"voxgrad", run}}, .bytes = double(bytes_of(in) + bytes_of({op.run(in)}))};
}

// Backward reads the gradient of the output and writes those of the inputs.
Job backward_job(const Op& op, const Setting& s) {
  const Tensors in = inputs_of(op, s);
  const Tensor y = op.run(in), seed = random_tensor(y.shape(), y.dtype(), 9, s.device);
  Tensors leaves = in, wanted;
  for (size_t i = 0; i < in.size(); ++i) {
    const Role role = op.inputs[i].role;
    if (role == Role::activation || role == Role::parameter) wanted.push_back(leaves[i].require_grad());
  }
  const auto run = [f = op.run, leaves, wanted, seed] {
    const Tensor y = f(leaves);
    if (y.requires_grad()) backward(y, seed);  // cases that detach their inputs have no backward
    for (const Tensor& t : wanted) t.clear_grad();
  };
  return {.contenders = {{"voxgrad", run}}, .bytes = double(bytes_of(in) + bytes_of(wanted) + 2 * bytes_of({y}))};
}

void add(const Op& op, std::vector<Case>& cases, const std::vector<DType>& dtypes) {
  Json work{{"op", op.op}, {"shapes", Json::array()}, {"roles", Json::array()}};
  for (const OpInput& in : op.inputs) {
    Json shape = Json::array();
    for (int a = 0; a < in.shape.rank; ++a) shape.push_back(in.shape[a]);
    work["shapes"].push_back(shape);
    work["roles"].push_back(name_of(in.role));
    if (in.role == Role::label) work["classes"] = int(in.high) + 1;
  }
  work.update(op.options);
  work["pass"] = "forward";
  cases.push_back({.group = "ops", .name = op.name + "/forward", .work = work, .dtypes = dtypes, .prepare = [op](const Setting& s) {
                     return forward_job(op, s);
                   }});
  if (!op.differentiable) return;
  work["pass"] = "forward+backward";
  cases.push_back(
      {.group = "ops", .name = op.name + "/forward+backward", .work = work, .dtypes = dtypes, .prepare = [op](const Setting& s) {
         return backward_job(op, s);
       }});
}

}  // namespace

void add_op_cases(const Sizes& sizes, std::vector<Case>& cases) {
  for (const Op& op : listed_ops(sizes)) add(op, cases, {DType::f32, DType::bf16});
  if (sizes.tiny) return;
  for (const OpCase& c : op_cases())
    if (c.bench)
      add({.name = c.op + ": " + c.name, .op = "case of " + c.op, .inputs = c.inputs, .run = c.run, .differentiable = c.differentiable},
          cases, {DType::f32});
}

}  // namespace voxgrad::bench
