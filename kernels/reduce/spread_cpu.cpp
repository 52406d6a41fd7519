#include "kernels/reduce/column_sums.h"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14, kColumns = 1024, kShort = 64;

// f(length), small ones as compile-time constants.
template <class F>
void on_length(int64_t length, F&& f) {
  switch (length) {
    case 1: return f(std::integral_constant<int64_t, 1>{});
    case 2: return f(std::integral_constant<int64_t, 2>{});
    case 3: return f(std::integral_constant<int64_t, 3>{});
    case 4: return f(std::integral_constant<int64_t, 4>{});
    case 5: return f(std::integral_constant<int64_t, 5>{});
    default: return f(length);
  }
}

// Whether v is the extreme m, as NaNs are.
template <class A>
bool is_extreme(A v, A m) {
  return bool(int(v == m) | (int(v != v) & int(m != m)));
}

// A stretch of gx with one row of g: f(g's offset, begin in gx, count). columns: the extent of that row.
struct Stretches {
  int64_t outer = 1, length = 1, columns = 1;
  int64_t extent[Spread::kRank] = {}, stride[Spread::kRank] = {};
  int rank = 0;  // of the outer axes

  explicit Stretches(Spread p) {
    int n = 0;
    for (int k = 0; k < p.rank; ++k) {
      if (p.extent[k] == 1) continue;
      const bool joined = n > 0 && p.reduced[n - 1] == p.reduced[k];
      if (joined) p.extent[n - 1] *= p.extent[k];
      else p.extent[n] = p.extent[k], p.reduced[n] = p.reduced[k], ++n;
    }
    if (n > 0 && !p.reduced[n - 1]) length = columns = p.extent[--n];
    if (n > 0 && p.reduced[n - 1]) length *= p.extent[--n];
    int64_t step = columns;
    for (int k = n - 1; k >= 0; --k) {
      extent[k] = p.extent[k], stride[k] = p.reduced[k] ? 0 : step;
      outer *= extent[k], step *= p.reduced[k] ? 1 : extent[k];
    }
    rank = n;
  }
  int64_t offset_of(int64_t o) const {
    int64_t offset = 0;
    for (int k = rank - 1; k >= 0; --k) offset += o % extent[k] * stride[k], o /= extent[k];
    return offset;
  }
};

// Short runs that lie side by side, with one element of g each.
template <class T, class G, class A>
void spread_short(int64_t outer, int64_t length, A scale, const G* g, T* gx) {
  parallel_ranges(outer, std::max<int64_t>(1, kGrain / length), [=](int64_t begin, int64_t end) {
    on_length(length, [&](auto count) {
      for (int64_t o = begin; o < end; ++o) {
        const T v = T(A(g[o]) * scale);
        for (int64_t r = 0; r < count; ++r) gx[o * count + r] = v;
      }
    });
  });
}

// Long rows of g: a piece of a row is a task.
template <class T, class G>
void spread_wide(const Stretches& s, accum_t<T> scale, const G* g, const T* x, const T* y, T* gx) {
  using A = accum_t<T>;
  const int64_t rows = s.length / s.columns, pieces = chunk_count(s.columns, kGrain);
  parallel_for(s.outer * rows * pieces, std::max<int64_t>(1, kGrain / s.columns), [&](int64_t task) {
    const int64_t row = task / pieces, first = task % pieces * kGrain, last = std::min(s.columns, first + kGrain);
    const int64_t offset = s.offset_of(row / rows);
    T* const out = gx + row * s.columns;
    const G* const from = g + offset;
    for (int64_t j = first; j < last && !x; ++j) out[j] = T(A(from[j]) * scale);
    for (int64_t j = first; j < last && x; ++j)
      out[j] = is_extreme(A(x[row * s.columns + j]), A(y[offset + j])) ? T(A(from[j]) * scale) : T(0.f);
  });
}

template <class T, class G>
void spread_of(const Spread& p, const G* g, const T* x, const T* y, T* gx) {
  using A = accum_t<T>;
  const Stretches s(p);
  if (s.length == 0) return;
  if (!x && s.columns == 1 && s.rank == 1 && s.length < kShort) return spread_short(s.outer, s.length, A(p.scale), g, gx);
  if (s.columns >= kColumns) return spread_wide(s, A(p.scale), g, x, y, gx);
  const int64_t period = period_of(s.columns), chunk = std::max<int64_t>(1, kGrain / period) * period;
  const int64_t chunks = chunk_count(s.length, chunk),
                grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, std::min(s.length, chunk)));
  const A scale = A(p.scale);
  parallel_ranges(s.outer * chunks, grain, [&](int64_t from, int64_t to) {
    for (int64_t task = from; task < to; ++task) {
      const int64_t o = task / chunks, first = task % chunks * chunk, last = std::min(s.length, first + chunk), offset = s.offset_of(o);
      T* out = gx + o * s.length;
      if (!x && s.columns == 1) {
        std::fill(out + first, out + last, T(A(g[offset]) * scale));
        continue;
      }
      std::vector<A> row = repeated<A>(g + offset, s.columns), largest;
      for (A& v : row) v *= scale;
      if (x) largest = repeated<A>(y + offset, s.columns);
      for (int64_t i = first; i < last; i += period) {
        const int64_t width = std::min(period, last - i);
        for (int64_t j = 0; j < width && !x; ++j) out[i + j] = T(row[size_t(j)]);
        for (int64_t j = 0; j < width && x; ++j) {
          const A v = A(x[o * s.length + i + j]), m = largest[size_t(j)];
          out[i + j] = T(is_extreme(v, m) ? row[size_t(j)] : A(0));
        }
      }
    }
  });
}

// Runs of neighbours.
template <class T>
void share_rows(const ReduceRuns& p, const T* x, const T* y, const T* gy, T* gx) {
  using A = accum_t<T>;
  parallel_ranges(p.outer, std::max<int64_t>(1, kGrain / p.reduced), [=](int64_t begin, int64_t end) {
    on_length(p.reduced, [&](auto length) {
      for (int64_t o = begin; o < end; ++o) {
        const T* const from = x + o * length;
        T* const to = gx + o * length;
        const A m = A(y[o]);
        int32_t count = 0;
        for (int64_t r = 0; r < length; ++r) count += is_extreme(A(from[r]), m);
        const T share = T(A(gy[o]) / A(count));
        for (int64_t r = 0; r < length; ++r) to[r] = is_extreme(A(from[r]), m) ? share : T(0.f);
      }
    });
  });
}

template <class T>
void share_columns(const ReduceRuns& p, const T* x, const T* y, const T* gy, T* gx) {
  using A = accum_t<T>;
  const int64_t tiles = chunk_count(p.inner, kColumns);
  parallel_for(p.outer * tiles, std::max<int64_t>(1, kGrain / (std::min(p.inner, kColumns) * p.reduced)), [&](int64_t task) {
    const int64_t o = task / tiles, first = task % tiles * kColumns, width = std::min(kColumns, p.inner - first);
    const int64_t at = o * p.reduced * p.inner + first, row = o * p.inner + first;
    A m[kColumns];
    T share[kColumns];
    int32_t count[kColumns] = {};
    for (int64_t j = 0; j < width; ++j) m[j] = A(y[row + j]);
    for (int64_t r = 0; r < p.reduced; ++r)
      for (int64_t j = 0; j < width; ++j) count[j] += is_extreme(A(x[at + r * p.inner + j]), m[j]);
    for (int64_t j = 0; j < width; ++j) share[j] = T(A(gy[row + j]) / A(count[j]));
    for (int64_t r = 0; r < p.reduced; ++r)
      for (int64_t j = 0; j < width; ++j) {
        const int64_t i = at + r * p.inner + j;
        gx[i] = is_extreme(A(x[i]), m[j]) ? share[j] : T(0.f);
      }
  });
}

}  // namespace

void spread(Cpu, Spread p, View g, View x, View y, View gx) {
  on_dtype(gx.dtype, [&]<class T>() {
    if (g.dtype == gx.dtype) spread_of(p, g.as<T>(), x.as<T>(), y.as<T>(), gx.as<T>());
    else spread_of(p, g.as<accum_t<T>>(), x.as<T>(), y.as<T>(), gx.as<T>());
  });
}
bool extreme_backward(Cpu, const ReduceRuns& p, View x, View y, View gy, View gx) {
  constexpr int64_t kOneThread = 1 << 16;
  if (p.reduced == 0 || p.inner == 0 || (p.reduced * p.inner > kOneThread && p.inner < 2 * kColumns)) return false;
  on_dtype(x.dtype, [&]<class T>() {
    if (p.inner == 1) share_rows(p, x.as<T>(), y.as<T>(), gy.as<T>(), gx.as<T>());
    else share_columns(p, x.as<T>(), y.as<T>(), gy.as<T>(), gx.as<T>());
  });
  return true;
}

}  // namespace voxgrad
