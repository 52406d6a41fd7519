#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/dropout/dropout_kernels.h"
#include "kernels/dropout/dropout_variants.h"
#include "kernels/reduce/column_sums.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 13, kBlocks = 256;

// keep[k] = 1 or 0, for k in [4 first, 4 (first + blocks)).
void keep_of(const DropoutProblem& p, int64_t first, int64_t blocks, float* keep) {
  const auto draw = VOXGRAD_BY_ISA(dropout_kernels, philox_keep);
  draw(p.key, p.stream, uint32_t(p.threshold - 1), uint64_t(first), blocks, keep);
}

// A product with 0 would leave NaN where x is not finite.
template <class T>
void select(int64_t n, accum_t<T> scale, const float* keep, const T* x, T* y) {
  for (int64_t j = 0; j < n; ++j) {
    const T v = T(accum_t<T>(x[j]) * scale);
    y[j] = keep[j] != 0 ? v : T(0.f);
  }
}

template <class T>
void per_element(const DropoutProblem& p, const T* x, T* y) {
  parallel_ranges((p.count + 3) / 4, kGrain / 4, [&](int64_t begin, int64_t end) {
    float keep[4 * kBlocks];
    for (int64_t b = begin; b < end; b += kBlocks) {
      keep_of(p, b, std::min(kBlocks, end - b), keep);
      const int64_t first = 4 * b, width = std::min(p.count, 4 * std::min(end, b + kBlocks)) - first;
      select(width, accum_t<T>(p.scale), keep, x + first, y + first);
    }
  });
}

template <class T>
void per_channel(const DropoutProblem& p, const T* x, T* y) {
  const int64_t size = p.inner * p.channels, samples = size > 0 ? p.count / size : 0, blocks = (samples * p.channels + 3) / 4;
  std::vector<float> keep(static_cast<size_t>(4 * blocks + 32));
  keep_of(p, 0, blocks, keep.data());
  for (int64_t n = 0; n < samples; ++n) {
    const std::vector<float> row = repeated<float>(keep.data() + n * p.channels, p.channels);
    const int64_t period = int64_t(row.size());
    parallel_for(chunk_count(size, period), std::max<int64_t>(1, kGrain / period), [&](int64_t r) {
      const int64_t begin = n * size + r * period;
      select(std::min(period, size - r * period), accum_t<T>(p.scale), row.data(), x + begin, y + begin);
    });
  }
}

}  // namespace

void dropout(Cpu, const DropoutProblem& p, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() { p.per_channel ? per_channel(p, x.as<T>(), y.as<T>()) : per_element(p, x.as<T>(), y.as<T>()); });
}

}  // namespace voxgrad
