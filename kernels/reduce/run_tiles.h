#pragma once
#include <algorithm>
#include <type_traits>

#include "core/device/parallel.h"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {

// f(x's offset, y's offset, width, row, column) for tiles of width <= `columns` runs of x {outer, reduced, inner}: element r of run j of a
// tile is x[offset + r row + j column], its result y[offset + j]. Runs side by side (inner > 1) have 1 for `column`, at compile time. Short
// runs behind one another are taken together, so that they do not wait for themselves.
template <class F>
void over_run_tiles(const ReduceRuns& p, int64_t columns, F&& f) {
  constexpr int64_t kGrain = 1 << 14, kTogether = 64, kLongest = 1024;
  if (p.inner == 1 && p.reduced <= kLongest) {
    const int64_t most = std::min(columns, kTogether), grain = std::max<int64_t>(1, kGrain / (most * std::max<int64_t>(1, p.reduced)));
    return parallel_for(chunk_count(p.outer, most), grain, [&](int64_t tile) {
      const int64_t first = tile * most;
      f(first * p.reduced, first, std::min(most, p.outer - first), int64_t(1), p.reduced);
    });
  }
  const int64_t tiles = chunk_count(p.inner, columns), most = std::max<int64_t>(1, std::min(p.inner, columns) * p.reduced);
  parallel_for(p.outer * tiles, std::max<int64_t>(1, kGrain / most), [&](int64_t task) {
    const int64_t o = task / tiles, j = task % tiles * columns;
    f(o * p.reduced * p.inner + j, o * p.inner + j, std::min(columns, p.inner - j), p.inner, std::integral_constant<int64_t, 1>{});
  });
}

}  // namespace voxgrad
