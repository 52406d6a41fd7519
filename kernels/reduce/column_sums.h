#pragma once
#include <algorithm>
#include <vector>

#include "core/device/parallel.h"

namespace voxgrad {

// Few columns make short inner loops, so kernels walk rows of a multiple of the columns. That multiple.
inline int64_t period_of(int64_t columns) {
  constexpr int64_t kShort = 64;
  return columns >= kShort ? columns : columns * ((kShort + columns - 1) / columns);
}

// The columns of one row, repeated up to their period.
template <class A, class T>
std::vector<A> repeated(const T* row, int64_t columns) {
  std::vector<A> out(size_t(period_of(columns)));
  for (size_t j = 0; j < out.size(); ++j) out[j] = A(row[int64_t(j) % columns]);
  return out;
}

// Of runs too short for column_sums: how many rows of `columns` lie side by side as lanes, so that a lane has about four rows of them.
inline int64_t fold_of(int64_t columns, int64_t rows) {
  constexpr int64_t kLanes = 64, kRows = 4;
  return std::max<int64_t>(1, std::min(columns > 0 ? kLanes / columns : 1, rows / kRows));
}
// The `fold` rows of `columns` values become one, the first: add(from, width) adds the values from .. from + width to those at 0 .. width.
template <class F>
void fold_rows(int64_t fold, int64_t columns, F&& add) {
  for (int64_t half; fold > 1; fold = half) {
    half = (fold + 1) / 2;
    add(half * columns, (fold - half) * columns);
  }
}
inline void fold_sums(int64_t fold, int64_t columns, double* sums) {
  fold_rows(fold, columns, [sums](int64_t from, int64_t width) {
    for (int64_t j = 0; j < width; ++j) sums[j] += sums[from + j];
  });
}

// out[c] = sum of the values i < count with i mod columns = c. add(begin, width, acc) adds the value begin + j to acc[j] for j < width;
// begin is a multiple of period_of(columns), width is that or, at the end, less. A (f32) holds blocks of 64 rows, f64 the sum of blocks.
template <class A, class F>
void column_sums(int64_t count, int64_t columns, A* out, F&& add) {
  constexpr int64_t kBlockRows = 64, kChunkElements = 1 << 16;
  const int64_t period = period_of(columns), rows = (count + period - 1) / period;
  const int64_t chunk = std::max<int64_t>(1, kChunkElements / (period * kBlockRows)) * kBlockRows;
  std::vector<double> partial(size_t(chunk_count(rows, chunk) * period), 0.0);
  parallel_chunks(rows, chunk, [&](int64_t c, int64_t begin, int64_t end) {
    double* total = partial.data() + c * period;
    std::vector<A> acc(static_cast<size_t>(period));
    for (int64_t block = begin; block < end; block += kBlockRows) {
      std::fill(acc.begin(), acc.end(), A(0));
      for (int64_t r = block; r < std::min(end, block + kBlockRows); ++r) add(r * period, std::min(period, count - r * period), acc.data());
      for (int64_t j = 0; j < period; ++j) total[j] += double(acc[size_t(j)]);
    }
  });
  std::vector<double> sums(size_t(columns), 0.0);
  for (size_t i = 0; i < partial.size(); ++i) sums[size_t(int64_t(i) % columns)] += partial[i];
  for (int64_t j = 0; j < columns; ++j) out[j] = A(sums[size_t(j)]);
}

}  // namespace voxgrad
