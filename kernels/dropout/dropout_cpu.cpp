#include <vector>

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/dropout/dropout_kernels.h"
#include "kernels/dropout/dropout_variants.h"
#include "kernels/reduce/column_sums.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 13, kBlocks = 256;

// factor[k] = scale or 0, for k in [4 first, 4 (first + blocks)).
template <class A>
void factors_of(const Dropout& p, int64_t first, int64_t blocks, A* factor) {
  uint32_t words[4 * kBlocks];
  const auto draw = isa() >= Isa::avx512 ? dropout_avx512::philox_words : isa() >= Isa::avx2 ? dropout_avx2::philox_words : dropout_baseline::philox_words;
  draw(p.key, p.stream, uint64_t(first), blocks, words);
  const A scale = A(p.scale);
  for (int64_t k = 0; k < 4 * blocks; ++k) factor[k] = words[k] >= p.threshold ? scale : A(0);
}

template <class T>
void per_element(const Dropout& p, const T* x, T* y) {
  using A = accum_t<T>;
  parallel_ranges((p.count + 3) / 4, kGrain / 4, [&](int64_t begin, int64_t end) {
    A factor[4 * kBlocks];
    for (int64_t b = begin; b < end; b += kBlocks) {
      factors_of(p, b, std::min(kBlocks, end - b), factor);
      const int64_t first = 4 * b, width = std::min(p.count, 4 * std::min(end, b + kBlocks)) - first;
      for (int64_t j = 0; j < width; ++j) y[first + j] = factor[j] != 0 ? T(A(x[first + j]) * factor[j]) : T(0);
    }
  });
}

template <class T>
void per_channel(const Dropout& p, const T* x, T* y) {
  using A = accum_t<T>;
  const int64_t size = p.inner * p.channels, samples = size > 0 ? p.count / size : 0, blocks = (samples * p.channels + 3) / 4;
  std::vector<A> factor(static_cast<size_t>(4 * blocks));
  for (int64_t b = 0; b < blocks; b += kBlocks) factors_of(p, b, std::min(kBlocks, blocks - b), factor.data() + 4 * b);
  for (int64_t n = 0; n < samples; ++n) {
    const std::vector<A> row = repeated<A>(factor.data() + n * p.channels, p.channels);
    const int64_t period = int64_t(row.size());
    parallel_for(chunk_count(size, period), std::max<int64_t>(1, kGrain / period), [&](int64_t r) {
      const int64_t begin = n * size + r * period, width = std::min(period, size - r * period);
      for (int64_t j = 0; j < width; ++j) y[begin + j] = row[size_t(j)] != 0 ? T(A(x[begin + j]) * row[size_t(j)]) : T(0);
    });
  }
}

}  // namespace

void dropout(Cpu, const Dropout& p, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() { p.per_channel ? per_channel(p, x.as<T>(), y.as<T>()) : per_element(p, x.as<T>(), y.as<T>()); });
}

}  // namespace voxgrad
