#include "kernels/cumsum/cumsum_kernels.h"
#include "kernels/reduce/run_tiles.h"

namespace voxgrad {

void cumulative_sum(Cpu, const ReduceRuns& p, bool reverse, View x, View y) {
  constexpr int64_t kColumns = 256;
  on_dtype(x.dtype, [&]<class T>() {
    over_run_tiles(p, kColumns, [&](int64_t begin, int64_t, int64_t width, int64_t row, auto column) {
      double sum[kColumns] = {};
      for (int64_t i = 0; i < p.reduced; ++i) {
        const int64_t at = begin + (reverse ? p.reduced - 1 - i : i) * row;
        const T* const from = x.as<T>() + at;
        T* const into = y.as<T>() + at;
        for (int64_t j = 0; j < width; ++j) {
          sum[j] += double(accum_t<T>(from[j * column]));
          into[j * column] = T(accum_t<T>(sum[j]));
        }
      }
    });
  });
}

}  // namespace voxgrad
