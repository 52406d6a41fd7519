#include "kernels/pointwise/pointwise.h"
#include "tests/op_case.h"

using namespace voxgrad;

HUGE_CASES(pointwise) {
  cases.push_back({"pointwise", "u8 to bf16", 3, [](Device d, int64_t n) {
                     const Tensor y = pattern({n}, DType::u8, d).to(DType::bf16);
                     return sampled_fault(
                         y, [](int64_t i) { return pattern_at(DType::u8, i); }, 0);
                   }});
  // y = x > 0 ? x : x / 4, gx = y > 0 ? 1 : 1 / 4, exact in bf16.
  cases.push_back({"pointwise", "leaky_relu of bf16, forward and backward", 8, [](Device d, int64_t n) {
                     Tensor x = pattern({n}, DType::bf16, d).require_grad();
                     const Tensor y = leaky_relu(x, 0.25);
                     const auto at = [](int64_t i) { return pattern_at(DType::bf16, i); };
                     const auto leaky = [&](int64_t i) { return at(i) > 0 ? at(i) : at(i) / 4; };
                     const auto slope = [&](int64_t i) { return at(i) > 0 ? 1 : 0.25; };
                     const std::string fault = sampled_fault(y.detach(), leaky, 0);
                     if (!fault.empty()) return fault;
                     backward(y, Tensor::full({n}, 1, DType::bf16, d));
                     return sampled_fault(x.grad(), slope, 0);
                   }});
}
