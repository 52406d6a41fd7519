#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/cumsum/cumsum_kernels.h"

namespace voxgrad {

void cumulative_sum(Cpu, const ReduceRuns& p, bool reverse, View x, View y) {
  constexpr int64_t kGrain = 1 << 14, kColumns = 256;
  const int64_t tiles = chunk_count(p.inner, kColumns), most = std::max<int64_t>(1, std::min(p.inner, kColumns) * p.reduced);
  on_dtype(x.dtype, [&]<class T>() {
    parallel_for(p.outer * tiles, std::max<int64_t>(1, kGrain / most), [&](int64_t task) {
      const int64_t o = task / tiles, first = task % tiles * kColumns, width = std::min(kColumns, p.inner - first);
      double sum[kColumns] = {};
      for (int64_t i = 0; i < p.reduced; ++i) {
        const int64_t at = (o * p.reduced + (reverse ? p.reduced - 1 - i : i)) * p.inner + first;
        const T* const from = x.as<T>() + at;
        T* const into = y.as<T>() + at;
        for (int64_t j = 0; j < width; ++j) {
          sum[j] += double(accum_t<T>(from[j]));
          into[j] = T(accum_t<T>(sum[j]));
        }
      }
    });
  });
}

}  // namespace voxgrad
