#include "kernels/flip/flip.h"
#include "tests/op_case.h"

using namespace voxgrad;

HUGE_CASES(flip) {
  cases.push_back({"flip", "rows of u8", 2, [](Device d, int64_t n) {
                     const int64_t width = 3, rows = n / width + 1;
                     const Tensor y = flip(pattern({rows, width}, DType::u8, d), {0});
                     return sampled_fault(
                         y, [=](int64_t i) { return pattern_at(DType::u8, (rows - 1 - i / width) * width + i % width); }, 0);
                   }});
}
