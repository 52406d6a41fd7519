#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/device/parallel.h"
#include "kernels/index/index_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 13, kColumns = 64;

int64_t grain_of(int64_t inner) { return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, inner)); }

// f(o, first column, last column) for the columns of a slab {.., inner} in blocks, each outer one on its own.
template <class F>
void for_columns(const IndexedAxis& p, F&& f) {
  const int64_t blocks = chunk_count(p.inner, kColumns);
  parallel_for(p.outer * blocks, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, p.chosen * kColumns)), [&](int64_t k) {
    const int64_t first = k % blocks * kColumns;
    f(k / blocks, first, std::min(p.inner, first + kColumns));
  });
}

// One index for whole rows: the rows of an element are added one after the other.
template <class T>
void add_rows(const IndexedAxis& p, const int64_t* index, const T* x, const T* src, T* y) {
  using A = accum_t<T>;
  std::vector<int64_t> start(size_t(p.extent + 1)), order(static_cast<size_t>(p.chosen));
  for (int64_t j = 0; j < p.chosen; ++j) ++start[size_t(index[j] + 1)];
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<int64_t> next(start.begin(), start.end() - 1);
  for (int64_t j = 0; j < p.chosen; ++j) order[size_t(next[size_t(index[j])]++)] = j;
  parallel_ranges(p.outer * p.extent, grain_of(p.inner), [&](int64_t begin, int64_t end) {
    std::vector<A> sum(static_cast<size_t>(p.inner));
    for (int64_t row = begin; row < end; ++row) {
      const int64_t o = row / p.extent, v = row % p.extent;
      for (int64_t i = 0; i < p.inner; ++i) sum[size_t(i)] = x ? A(x[row * p.inner + i]) : A(0);
      for (int64_t k = start[size_t(v)]; k < start[size_t(v + 1)]; ++k) {
        const T* from = src + (o * p.chosen + order[size_t(k)]) * p.inner;
        for (int64_t i = 0; i < p.inner; ++i) sum[size_t(i)] += A(from[i]);
      }
      for (int64_t i = 0; i < p.inner; ++i) y[row * p.inner + i] = T(sum[size_t(i)]);
    }
  });
}

template <class T>
void add_elements(const IndexedAxis& p, const int64_t* index, const T* x, const T* src, T* y) {
  using A = accum_t<T>;
  for_columns(p, [&](int64_t o, int64_t first, int64_t last) {
    std::vector<A> sum(size_t(p.extent * kColumns));
    if (x)
      for (int64_t v = 0; v < p.extent; ++v)
        for (int64_t i = first; i < last; ++i) sum[size_t(v * kColumns + i - first)] = A(x[(o * p.extent + v) * p.inner + i]);
    for (int64_t j = 0; j < p.chosen; ++j)
      for (int64_t i = first; i < last; ++i) {
        const int64_t at = (o * p.chosen + j) * p.inner + i;
        sum[size_t(index[at] * kColumns + i - first)] += A(src[at]);
      }
    for (int64_t v = 0; v < p.extent; ++v)
      for (int64_t i = first; i < last; ++i) y[(o * p.extent + v) * p.inner + i] = T(sum[size_t(v * kColumns + i - first)]);
  });
}

// The same along the last axis, where an element is its own row.
template <class T>
void add_to_rows(const IndexedAxis& p, const int64_t* index, const T* x, const T* src, T* y) {
  using A = accum_t<T>;
  parallel_ranges(p.outer, grain_of(p.extent + p.chosen), [&](int64_t begin, int64_t end) {
    std::vector<A> sum(static_cast<size_t>(p.extent));
    for (int64_t o = begin; o < end; ++o) {
      const int64_t *const at = index + (p.shared ? 0 : o * p.chosen);
      for (int64_t v = 0; v < p.extent; ++v) sum[size_t(v)] = x ? A(x[o * p.extent + v]) : A(0);
      for (int64_t j = 0; j < p.chosen; ++j) sum[size_t(at[j])] += A(src[o * p.chosen + j]);
      for (int64_t v = 0; v < p.extent; ++v) y[o * p.extent + v] = T(sum[size_t(v)]);
    }
  });
}

// f(o, row, i, element) for all elements of {outer, rows, inner}.
template <class F>
void for_elements(int64_t outer, int64_t rows, int64_t inner, F&& f) {
  parallel_ranges(outer * rows, grain_of(inner), [&](int64_t begin, int64_t end) {
    int64_t o = begin / rows, j = begin % rows;
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t i = 0; i < inner; ++i) f(o, j, i, row * inner + i);
      if (++j == rows) ++o, j = 0;
    }
  });
}

}  // namespace

int64_t bad_index(Cpu, int64_t n, int64_t extent, View view) {
  constexpr int64_t kChunk = 1 << 16;
  const int64_t* index = view.as<int64_t>();
  std::vector<int64_t> bad(size_t(chunk_count(n, kChunk)), kNoBadIndex);
  parallel_chunks(n, kChunk, [&](int64_t c, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      if (index[i] < 0 || index[i] >= extent) bad[size_t(c)] = std::min(bad[size_t(c)], index[i]);
  });
  return *std::min_element(bad.begin(), bad.end());
}

void gather_axis(Cpu, const IndexedAxis& p, View index, View from, View into) {
  const int64_t* at = index.as<int64_t>();
  on_element_size(into.dtype, [&]<class E>() {
    const E* x = from.as<E>();
    E* y = into.as<E>();
    if (p.inner == 1) {
      parallel_ranges(p.outer, grain_of(p.chosen), [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; ++o)
          for (int64_t j = 0; j < p.chosen; ++j) y[o * p.chosen + j] = x[o * p.extent + at[p.shared ? j : o * p.chosen + j]];
      });
      return;
    }
    if (p.shared) {
      parallel_for(p.outer * p.chosen, grain_of(p.inner), [&](int64_t row) {
        const int64_t source = row / p.chosen * p.extent + at[row % p.chosen];
        if (p.inner > 0) std::memcpy(y + row * p.inner, x + source * p.inner, size_t(p.inner) * sizeof(E));
      });
      return;
    }
    for_elements(p.outer, p.chosen, p.inner,
                 [&](int64_t o, int64_t, int64_t i, int64_t k) { y[k] = x[(o * p.extent + at[k]) * p.inner + i]; });
  });
}

void scatter_add_axis(Cpu, const IndexedAxis& p, View index, View x, View src, View y) {
  on_dtype(y.dtype, [&]<class T>() {
    if (p.inner == 1) add_to_rows(p, index.as<int64_t>(), x.as<T>(), src.as<T>(), y.as<T>());
    else if (p.shared) add_rows(p, index.as<int64_t>(), x.as<T>(), src.as<T>(), y.as<T>());
    else add_elements(p, index.as<int64_t>(), x.as<T>(), src.as<T>(), y.as<T>());
  });
}

void last_writers(Cpu, const IndexedAxis& p, View index, View writer) {
  const int64_t* at = index.as<int64_t>();
  int64_t* last_of = writer.as<int64_t>();
  for_columns(p, [&](int64_t o, int64_t first, int64_t last) {
    for (int64_t v = 0; v < p.extent; ++v) std::fill_n(last_of + (o * p.extent + v) * p.inner + first, last - first, -1);
    for (int64_t j = 0; j < p.chosen; ++j)
      for (int64_t i = first; i < last; ++i) last_of[(o * p.extent + at[(o * p.chosen + j) * p.inner + i]) * p.inner + i] = j;
  });
}

void overwrite(Cpu, const IndexedAxis& p, View writer, View from, View source, View into) {
  const int64_t* last_of = writer.as<int64_t>();
  on_element_size(into.dtype, [&]<class E>() {
    const E *x = from.as<E>(), *src = source.as<E>();
    E* y = into.as<E>();
    for_elements(p.outer, p.extent, p.inner, [&](int64_t o, int64_t, int64_t i, int64_t k) {
      const int64_t j = last_of[k];
      y[k] = j < 0 ? x[k] : src ? src[(o * p.chosen + j) * p.inner + i] : E(0);
    });
  });
}

void gather_written(Cpu, const IndexedAxis& p, View index, View writer, View from, View into) {
  const int64_t *at = index.as<int64_t>(), *last_of = writer.as<int64_t>();
  on_element_size(into.dtype, [&]<class E>() {
    const E* gy = from.as<E>();
    E* g = into.as<E>();
    for_elements(p.outer, p.chosen, p.inner, [&](int64_t o, int64_t j, int64_t i, int64_t k) {
      const int64_t place = (o * p.extent + at[k]) * p.inner + i;
      g[k] = last_of[place] == j ? gy[place] : E(0);
    });
  });
}

}  // namespace voxgrad
