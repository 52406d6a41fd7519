#include "kernels/permute/permute.h"
#include "tests/op_case.h"

using namespace voxgrad;

HUGE_CASES(permute) {
  cases.push_back({"permute", "channels of u8 to the front", 2, [](Device d, int64_t n) {
                     const int64_t channels = 33, voxels = n / channels + 1;
                     const Tensor y = permute(pattern({voxels, channels}, DType::u8, d), {1, 0});
                     return sampled_fault(
                         y, [=](int64_t i) { return pattern_at(DType::u8, i % voxels * channels + i / voxels); }, 0);
                   }});
  cases.push_back({"permute", "outer axes of bf16", 4, [](Device d, int64_t n) {
                     const int64_t a = 5, c = 7, b = n / (a * c) + 1;
                     const Tensor y = permute(pattern({a, b, c}, DType::bf16, d), {1, 0, 2});
                     return sampled_fault(
                         y, [=](int64_t i) { return pattern_at(DType::bf16, (i / c % a * b + i / (a * c)) * c + i % c); }, 0);
                   }});
}
