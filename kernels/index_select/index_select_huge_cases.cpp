#include "kernels/index_select/index_select.h"
#include "tests/op_case.h"

using namespace voxgrad;

HUGE_CASES(index_select) {
  // x and y of one byte, an index of 8 for 33 of them, on the host too.
  cases.push_back({"index_select", "rows of u8 in reverse", 3, [](Device d, int64_t n) {
                     const int64_t width = 33, rows = n / width + 1;
                     std::vector<int64_t> order(static_cast<size_t>(rows));
                     for (int64_t r = 0; r < rows; ++r) order[size_t(r)] = rows - 1 - r;
                     const Tensor y = index_select(pattern({rows, width}, DType::u8, d), 0, Tensor::from(order, {rows}, d));
                     return sampled_fault(
                         y, [=](int64_t i) { return pattern_at(DType::u8, (rows - 1 - i / width) * width + i % width); }, 0);
                   }});
}
