#include <cmath>

#include "kernels/reduce/column_sums.h"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14, kBlockRows = 64, kColumns = 1024, kLanes = 64;

// total[j] = the sum of x[r stride + j] for r < rows, and for the first `rest` of j of one row more: in `block` of 64 rows, in f64 of
// these.
template <class A, class T>
void sum_block(const T* x, int64_t stride, int64_t rows, int64_t width, int64_t rest, A* block, double* total) {
  std::fill_n(total, width, 0.0);
  for (int64_t first = 0; first < rows; first += kBlockRows) {
    std::fill_n(block, width, A(0));
    for (int64_t r = first; r < std::min(rows, first + kBlockRows); ++r)
      for (int64_t j = 0; j < width; ++j) block[j] += A(x[r * stride + j]);
    for (int64_t j = 0; j < width; ++j) total[j] += double(block[j]);
  }
  for (int64_t j = 0; j < rest; ++j) total[j] += double(A(x[rows * stride + j]));
}

// Few items per output: a task is a range of outer items.
template <class A, class T>
void sum_small(const ReduceRuns& p, double scale, const T* x, A* y) {
  const int64_t size = p.reduced * p.inner;
  parallel_ranges(p.outer, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, size)), [&](int64_t begin, int64_t end) {
    if (p.inner == 1 && p.reduced <= kBlockRows) {
      for (int64_t o = begin; o < end; ++o) {
        A sum = 0;
        for (int64_t r = 0; r < p.reduced; ++r) sum += A(x[o * size + r]);
        y[o] = A(double(sum) * scale);
      }
      return;
    }
    const int64_t fold = fold_of(p.inner, p.reduced), lanes = fold * p.inner, rows = p.reduced / fold, rest = size - rows * lanes;
    std::vector<A> block(static_cast<size_t>(lanes));
    std::vector<double> total(static_cast<size_t>(lanes));
    for (int64_t o = begin; o < end; ++o) {
      sum_block(x + o * size, lanes, rows, lanes, rest, block.data(), total.data());
      fold_sums(fold, p.inner, total.data());
      for (int64_t j = 0; j < p.inner; ++j) y[o * p.inner + j] = A(total[size_t(j)] * scale);
    }
  });
}

// Wide rows: a task is a tile of columns, all rows of it.
template <class A, class T>
void sum_wide(const ReduceRuns& p, double scale, const T* x, A* y) {
  const int64_t tiles = chunk_count(p.inner, kColumns);
  parallel_for(p.outer * tiles, std::max<int64_t>(1, kGrain / (kColumns * std::max<int64_t>(1, p.reduced))), [&](int64_t task) {
    const int64_t o = task / tiles, first = task % tiles * kColumns, width = std::min(kColumns, p.inner - first);
    A block[kColumns];
    double total[kColumns];
    sum_block(x + o * p.reduced * p.inner + first, p.inner, p.reduced, width, 0, block, total);
    for (int64_t j = 0; j < width; ++j) y[o * p.inner + first + j] = A(total[j] * scale);
  });
}

template <class A, class T>
void sum_of(const ReduceRuns& p, double scale, const T* x, A* y) {
  const int64_t size = p.reduced * p.inner;
  if (size <= 1 << 12) return sum_small(p, scale, x, y);
  if (p.inner >= 2 * kColumns) return sum_wide(p, scale, x, y);
  for (int64_t o = 0; o < p.outer; ++o) {
    const T* row = x + o * size;
    A* out = y + o * p.inner;
    column_sums<A>(size, p.inner, out, [&](int64_t begin, int64_t width, A* acc) {
      for (int64_t j = 0; j < width; ++j) acc[j] += A(row[begin + j]);
    });
    for (int64_t j = 0; j < p.inner; ++j) out[j] = A(double(out[j]) * scale);
  }
}

// The extreme of two; a NaN is more extreme than any number.
template <bool kSmallest, class A>
A more_extreme(A best, A v) {
  return (kSmallest ? v < best : v > best) || v != v ? v : best;
}

// best[j] becomes the extreme of itself and of x[r stride + j] for r < rows.
template <bool kSmallest, class T, class A>
void extreme_rows(int64_t rows, int64_t width, int64_t stride, const T* x, A* best) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t j = 0; j < width; ++j) best[j] = more_extreme<kSmallest>(best[j], A(x[r * stride + j]));
}

// Few columns, many rows: rows are laid side by side as lanes, in chunks that threads share.
template <bool kSmallest, class T>
void extreme_of_long(const ReduceRuns& p, const T* x, T* y) {
  using A = accum_t<T>;
  const int64_t side = std::min(kLanes / p.inner, p.reduced), lanes = side * p.inner, size = p.reduced * p.inner, chunk = lanes * 256;
  const int64_t chunks = chunk_count(size, chunk);
  std::vector<A> all(size_t(p.outer * chunks * p.inner));
  parallel_for(p.outer * chunks, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, std::min(size, chunk))), [&](int64_t task) {
    const int64_t o = task / chunks, begin = task % chunks * chunk, count = std::min(chunk, size - begin), width = std::min(count, lanes);
    const T* from = x + o * size + begin;
    A best[kLanes];
    for (int64_t j = 0; j < width; ++j) best[j] = A(from[j]);
    extreme_rows<kSmallest>(count / lanes - 1, width, lanes, from + lanes, best);
    if (count > lanes) extreme_rows<kSmallest>(1, count % lanes, lanes, from + count / lanes * lanes, best);
    fold_rows(width / p.inner, p.inner,
              [&best](int64_t other, int64_t n) { extreme_rows<kSmallest>(1, n, n, best + other, best); });
    std::copy_n(best, p.inner, all.data() + task * p.inner);
  });
  for (int64_t o = 0; o < p.outer; ++o) {
    A* best = all.data() + o * chunks * p.inner;
    extreme_rows<kSmallest>(chunks - 1, p.inner, p.inner, best + p.inner, best);
    for (int64_t j = 0; j < p.inner; ++j) y[o * p.inner + j] = T(best[j]);
  }
}

// Short runs that lie side by side, such as the channels of voxels: as many at a time as wait for each other.
template <bool kSmallest, class T>
void extreme_of_short(const ReduceRuns& p, const T* x, T* y) {
  using A = accum_t<T>;
  parallel_ranges(p.outer, std::max<int64_t>(1, kGrain / p.reduced), [&](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += kLanes) {
      const int64_t count = std::min(kLanes, end - first);
      A best[kLanes];
      for (int64_t o = 0; o < count; ++o) best[o] = A(x[(first + o) * p.reduced]);
      for (int64_t r = 1; r < p.reduced; ++r)
        for (int64_t o = 0; o < count; ++o) best[o] = more_extreme<kSmallest>(best[o], A(x[(first + o) * p.reduced + r]));
      for (int64_t o = 0; o < count; ++o) y[first + o] = T(best[o]);
    }
  });
}

template <bool kSmallest, class T>
void extreme_of(const ReduceRuns& p, const T* x, T* y) {
  using A = accum_t<T>;
  if (p.inner == 1 && p.reduced <= kLanes) return extreme_of_short<kSmallest>(p, x, y);
  if (p.inner <= kLanes / 2 && p.inner * p.reduced > kLanes) return extreme_of_long<kSmallest>(p, x, y);
  const int64_t tiles = chunk_count(p.inner, kColumns);
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, std::min(p.inner, kColumns) * p.reduced));
  parallel_for(p.outer * tiles, grain, [&](int64_t task) {
    const int64_t o = task / tiles, first = task % tiles * kColumns, width = std::min(kColumns, p.inner - first);
    const T* from = x + o * p.reduced * p.inner + first;
    A best[kColumns];
    for (int64_t j = 0; j < width; ++j) best[j] = A(from[j]);
    extreme_rows<kSmallest>(p.reduced - 1, width, p.inner, from + p.inner, best);
    for (int64_t j = 0; j < width; ++j) y[o * p.inner + first + j] = T(best[j]);
  });
}

// Rows are turned into columns of a tile first, so that lanes are rows.
template <class T, class I>
void argmax_of(int64_t rows, int64_t columns, const T* x, I* y) {
  using A = accum_t<T>;
  if (columns == 1) return std::fill_n(y, rows, I(0)), void();
  constexpr int64_t kRows = 32, kTile = 32;
  parallel_chunks(rows, kRows, [&](int64_t, int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    A tile[kTile][kRows] = {}, best[kRows];
    int32_t at[kRows] = {};
    for (int64_t r = 0; r < count; ++r) best[r] = A(x[(begin + r) * columns]);
    for (int64_t r = count; r < kRows; ++r) best[r] = 0;
    for (int64_t first = 0; first < columns; first += kTile) {
      const int64_t width = std::min(kTile, columns - first);
      for (int64_t r = 0; r < count; ++r)
        for (int64_t c = 0; c < width; ++c) tile[c][r] = A(x[(begin + r) * columns + first + c]);
      for (int64_t c = 0; c < width; ++c)
        for (int64_t r = 0; r < kRows; ++r) {
          const A v = tile[c][r];
          const bool better = bool((v > best[r]) | ((v != v) & (best[r] == best[r])));
          best[r] = better ? v : best[r];
          at[r] = better ? int32_t(first + c) : at[r];
        }
    }
    for (int64_t r = 0; r < count; ++r) y[begin + r] = I(at[r]);
  });
}

}  // namespace

void sum_runs(Cpu, const ReduceRuns& p, double scale, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() { sum_of(p, scale, x.as<T>(), y.as<accum_t<T>>()); });
}
void extreme_runs(Cpu, const ReduceRuns& p, bool smallest, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    smallest ? extreme_of<true>(p, x.as<T>(), y.as<T>()) : extreme_of<false>(p, x.as<T>(), y.as<T>());
  });
}
void argmax_rows(Cpu, int64_t rows, int64_t columns, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    if (y.dtype == DType::u8) argmax_of(rows, columns, x.as<T>(), y.as<uint8_t>());
    else argmax_of(rows, columns, x.as<T>(), y.as<int32_t>());
  });
}

}  // namespace voxgrad
