#include <cmath>

#include "core/device/parallel.h"
#include "kernels/reduce/reduce.h"
#include "tests/op_case.h"

using namespace voxgrad;

namespace {
// Sums of the pattern {rows, columns} over the rows.
std::vector<double> column_totals(int64_t rows, int64_t columns) {
  constexpr int64_t kChunk = 1 << 16;
  std::vector<double> partial(size_t(chunk_count(rows, kChunk) * columns), 0.0), total(size_t(columns), 0.0);
  parallel_chunks(rows, kChunk, [&](int64_t chunk, int64_t begin, int64_t end) {
    for (int64_t i = begin * columns; i < end * columns; ++i) partial[size_t(chunk * columns + i % columns)] += pattern_at(DType::bf16, i);
  });
  for (size_t i = 0; i < partial.size(); ++i) total[i % size_t(columns)] += partial[i];
  return total;
}
}  // namespace

HUGE_CASES(reduce) {
  // The limit: 512 values are added in f32 before f64 takes over.
  cases.push_back({"reduce", "mean over the rows of bf16", 2, [](Device d, int64_t n) {
                     const int64_t columns = 24, rows = n / columns + 1;
                     const Tensor y = mean(pattern({rows, columns}, DType::bf16, d), {0});
                     const std::vector<double> wanted = column_totals(rows, columns);
                     return sampled_fault(
                         y, [&](int64_t i) { return wanted[size_t(i)] / double(rows); }, 1e-6);
                   }});
  cases.push_back({"reduce", "mean of all of bf16", 2, [](Device d, int64_t n) {
                     const double wanted = column_totals(n, 1)[0] / double(n);
                     return sampled_fault(
                         mean(pattern({n}, DType::bf16, d)), [=](int64_t) { return wanted; }, 1e-6);
                   }});
  cases.push_back({"reduce", "largest of pairs of bf16, forward and backward", 7, [](Device d, int64_t n) {
                     const int64_t rows = n / 2 + 1;
                     Tensor x = pattern({rows, 2}, DType::bf16, d).require_grad();
                     const Tensor y = max(x, {1});
                     const auto at = [](int64_t i) { return pattern_at(DType::bf16, i); };
                     const std::string fault = sampled_fault(
                         y.detach(), [&](int64_t i) { return std::fmax(at(2 * i), at(2 * i + 1)); }, 0);
                     if (!fault.empty()) return fault;
                     backward(y, Tensor::full({rows}, 1, DType::bf16, d));
                     const auto share = [&](int64_t i) { return at(i) == at(i ^ 1) ? 0.5 : at(i) > at(i ^ 1) ? 1 : 0; };
                     return sampled_fault(x.grad(), share, 0);
                   }});
}
