#include "kernels/reduce/column_sums.h"
#include "kernels/reduce/run_tiles.h"
#include "kernels/spans/spans.h"
#include "kernels/statistics/statistics_isa.h"
#include "kernels/statistics/statistics_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14, kSerial = 1 << 16, kBlockRows = 64, kColumns = 1024;

// The loops of a formula, whose parameters f points to, for the instruction set in use.
template <class A>
struct Loops : StatisticLoops<A> {
  const void* f;
  Loops(StatisticFormula formula, const void* of) : StatisticLoops<A>(VOXGRAD_BY_ISA(statistic_kernels, loops<A>(formula))), f(of) {}
};

// y of `width` neighbouring columns from x and pivot on, `stride` elements from row to row: f32 over blocks of 64 rows, f64 over these.
// `fold`: a row of x is several rows of the matrix, one behind the other.
template <class T, class A>
void columns_of(const Loops<A>& f, int64_t count, int64_t stride, int64_t width, int64_t fold, const T* x, const A* pivot, A* y) {
  A block[kColumns], pivots[kColumns], row[kColumns];
  double total[kColumns];
  const int64_t lanes = width * fold, step = stride * fold;
  std::fill_n(total, lanes, 0.0);
  for (int64_t j = 0; j < lanes; ++j) pivots[j] = pivot ? pivot[j % width] : A(0);
  for (int64_t first = 0; first < count; first += step * kBlockRows) {
    std::fill_n(block, lanes, A(0));
    for (int64_t at = first; at < std::min(count, first + step * kBlockRows); at += step) {
      const int64_t here = std::min(lanes, count - at);
      f.add(f.f, span_as(x + at, here, row), pivots, block, here);
    }
    for (int64_t j = 0; j < lanes; ++j) total[j] += double(block[j]);
  }
  fold_sums(fold, width, total);
  for (int64_t j = 0; j < width; ++j) y[j] = f.finish(f.f, total[j], pivot ? pivot[j] : A(0));
}

// Short runs of neighbours: as many at a time as wait for each other.
template <class T, class A>
void short_runs_of(const Loops<A>& f, const ReduceRuns& p, const T* x, const A* pivot, A* y) {
  constexpr int64_t kTogether = 64;
  over_run_tiles(p, kTogether, [&](int64_t begin, int64_t into, int64_t width, int64_t, int64_t column) {
    A pivots[kTogether] = {}, elements[kTogether] = {}, sum[kTogether] = {};
    if (pivot) std::copy_n(pivot + into, width, pivots);
    for (int64_t r = 0; r < p.reduced; ++r) {
      for (int64_t j = 0; j < width; ++j) elements[j] = A(x[begin + r + j * column]);
      f.add(f.f, elements, pivots, sum, width);
    }
    for (int64_t j = 0; j < width; ++j) y[into + j] = f.finish(f.f, double(sum[j]), pivots[j]);
  });
}

template <class T, class A>
void forward_of(const Loops<A> f, const ReduceRuns& p, const T* x, const A* pivot, A* y) {
  const int64_t size = p.reduced * p.inner;
  if (p.inner == 1 && p.reduced <= kBlockRows) return short_runs_of(f, p, x, pivot, y);
  if (size <= kSerial || p.inner >= kColumns) {
    const int64_t tiles = chunk_count(p.inner, kColumns), most = std::max<int64_t>(1, std::min(p.inner, kColumns) * p.reduced);
    const int64_t fold = fold_of(p.inner, p.reduced);
    parallel_for(p.outer * tiles, std::max<int64_t>(1, kGrain / most), [&](int64_t task) {
      const int64_t o = task / tiles, j = task % tiles * kColumns, width = std::min(kColumns, p.inner - j);
      columns_of(f, size - j, p.inner, width, fold, x + o * size + j, pivot ? pivot + o * p.inner + j : nullptr, y + o * p.inner + j);
    });
    return;
  }
  for (int64_t o = 0; o < p.outer; ++o) {
    const T* const from = x + o * size;
    A* const into = y + o * p.inner;
    const A* const middle = pivot ? pivot + o * p.inner : nullptr;
    const std::vector<A> pivots = middle ? repeated<A>(middle, p.inner) : std::vector<A>(size_t(period_of(p.inner)), A(0));
    const A* const row = pivots.data();
    column_sums<A>(size, p.inner, into, [=](int64_t begin, int64_t width, A* acc) {
      for_spans(0, width, [&](int64_t j, int64_t n) {
        A buffer[kSpan];
        f.add(f.f, span_as(from + begin + j, n, buffer), row + j, acc + j, n);
      });
    });
    for (int64_t j = 0; j < p.inner; ++j) into[j] = f.finish(f.f, double(into[j]), middle ? middle[j] : A(0));
  }
}

template <class T, class A>
void backward_of(const Loops<A> f, const ReduceRuns& p, const T* x, const A* pivot, const A* y, const A* gy, T* gx) {
  // write(x, gx) for the n elements at `at`.
  const auto span = [x, gx](int64_t at, int64_t n, auto&& write) {
    A in[kSpan], out[kSpan];
    span_into(gx + at, n, out, [&](A* to) { write(span_as(x + at, n, in), to); });
  };
  if (p.inner == 1 && p.reduced > 0 && p.reduced <= kBlockRows) {
    // Each element beside the numbers of its run.
    const int64_t runs = kSpan / p.reduced;
    return parallel_for(chunk_count(p.outer, runs), std::max<int64_t>(1, kGrain / kSpan), [&](int64_t tile) {
      const int64_t first = tile * runs, last = std::min(p.outer, first + runs), n = (last - first) * p.reduced;
      A middle[kSpan], result[kSpan], g[kSpan];
      const auto repeat = [&](const A* from, A* to) {
        for (int64_t o = first; o < last; ++o)
          for (int64_t r = 0; r < p.reduced; ++r) *to++ = from[o];
      };
      if (f.reads_pivot) repeat(pivot, middle);
      if (f.reads_result) repeat(y, result);
      repeat(gy, g);
      span(first * p.reduced, n, [&](const A* from, A* to) { f.columns(f.f, from, middle, result, g, to, n); });
    });
  }
  if (p.inner == 1) {
    const int64_t pieces = chunk_count(p.reduced, kGrain);
    const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, std::min(p.reduced, kGrain)));
    parallel_for(p.outer * pieces, grain, [&](int64_t task) {
      const int64_t o = task / pieces, begin = task % pieces * kGrain, end = std::min(p.reduced, begin + kGrain);
      const A middle = f.reads_pivot ? pivot[o] : A(0), result = f.reads_result ? y[o] : A(0), g = gy[o];
      for_spans(begin, end, [&](int64_t at, int64_t n) {
        span(o * p.reduced + at, n, [&](const A* from, A* to) { f.row(f.f, from, middle, result, g, to, n); });
      });
    });
    return;
  }
  if (p.inner > 0 && p.inner < 64) {
    // Few columns: several rows at a time, beside what is repeated for them.
    const int64_t period = period_of(p.inner), size = p.reduced * p.inner, chunk = kGrain / period * period,
                  chunks = chunk_count(size, chunk);
    return parallel_for(p.outer * chunks, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, std::min(size, chunk))), [&](int64_t task) {
      const int64_t o = task / chunks, begin = task % chunks * chunk, end = std::min(size, begin + chunk);
      A middle[128], result[128], g[128];
      const auto repeat = [&](const A* from, A* to) {
        for (int64_t j = 0; j < std::min(period, end - begin); ++j) to[j] = from[o * p.inner + j % p.inner];
      };
      if (f.reads_pivot) repeat(pivot, middle);
      if (f.reads_result) repeat(y, result);
      repeat(gy, g);
      for (int64_t at = begin; at < end; at += period) {
        const int64_t n = std::min(period, end - at);
        span(o * size + at, n, [&](const A* from, A* to) { f.columns(f.f, from, middle, result, g, to, n); });
      }
    });
  }
  parallel_for(p.outer * p.reduced, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, p.inner)), [&](int64_t row) {
    for_spans(0, p.inner, [&](int64_t j, int64_t n) {
      const int64_t k = row / p.reduced * p.inner + j;
      span(row * p.inner + j, n, [&](const A* from, A* to) {
        f.columns(f.f, from, f.reads_pivot ? pivot + k : nullptr, f.reads_result ? y + k : nullptr, gy + k, to, n);
      });
    });
  });
}

}  // namespace

#define X(F)                                                                                                                       \
  void statistic_forward(Cpu, const statistic_formula::F& f, const ReduceRuns& p, View x, View pivot, View y) {                    \
    on_dtype(x.dtype, [&]<class T>() {                                                                                             \
      using A = accum_t<T>;                                                                                                        \
      forward_of(Loops<A>(StatisticFormula::F, &f), p, x.as<T>(), pivot.as<A>(), y.as<A>());                                       \
    });                                                                                                                            \
  }                                                                                                                                \
  void statistic_backward(Cpu, const statistic_formula::F& f, const ReduceRuns& p, View x, View pivot, View y, View gy, View gx) { \
    on_dtype(x.dtype, [&]<class T>() {                                                                                             \
      using A = accum_t<T>;                                                                                                        \
      backward_of(Loops<A>(StatisticFormula::F, &f), p, x.as<T>(), pivot.as<A>(), y.as<A>(), gy.as<A>(), gx.as<T>());              \
    });                                                                                                                            \
  }
VOXGRAD_STATISTIC_FORMULAS(X)
#undef X

namespace {

// Few columns, many rows: rows are laid side by side as lanes, in chunks that threads share.
template <class T>
void product_of_long(const ReduceRuns& p, const T* x, accum_t<T>* y) {
  const int64_t lanes = period_of(p.inner), size = p.reduced * p.inner, chunk = lanes * 256, chunks = chunk_count(size, chunk);
  std::vector<double> all(size_t(p.outer * chunks * p.inner));
  parallel_for(p.outer * chunks, 1, [&](int64_t task) {
    const int64_t begin = task % chunks * chunk, end = std::min(size, begin + chunk);
    const T* const from = x + task / chunks * size;
    double product[128];
    std::fill_n(product, lanes, 1.0);
    for (int64_t at = begin; at < end; at += lanes)
      for (int64_t j = 0; j < std::min(lanes, end - at); ++j) product[j] *= double(accum_t<T>(from[at + j]));
    fold_rows(lanes / p.inner, p.inner, [&product](int64_t other, int64_t width) {
      for (int64_t j = 0; j < width; ++j) product[j] *= product[other + j];
    });
    std::copy_n(product, p.inner, all.data() + task * p.inner);
  });
  for (int64_t o = 0; o < p.outer; ++o)
    for (int64_t j = 0; j < p.inner; ++j) {
      double product = 1;
      for (int64_t c = 0; c < chunks; ++c) product *= all[size_t((o * chunks + c) * p.inner + j)];
      y[o * p.inner + j] = accum_t<T>(product);
    }
}

}  // namespace

void product_forward(Cpu, const ReduceRuns& p, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    if (p.inner > 0 && p.inner < 64 && p.reduced * p.inner > kGrain) return product_of_long(p, x.as<T>(), y.as<accum_t<T>>());
    over_run_tiles(p, kColumns, [&](int64_t from, int64_t to, int64_t width, int64_t row, auto column) {
      double product[kColumns];
      std::fill_n(product, width, 1.0);
      for (int64_t r = 0; r < p.reduced; ++r)
        for (int64_t j = 0; j < width; ++j) product[j] *= double(accum_t<T>(x.as<T>()[from + r * row + j * column]));
      for (int64_t j = 0; j < width; ++j) y.as<accum_t<T>>()[to + j] = accum_t<T>(product[j]);
    });
  });
}

void product_backward(Cpu, const ReduceRuns& p, View x, View gy, View gx) {
  on_dtype(x.dtype, [&]<class T>() {
    over_run_tiles(p, kColumns, [&](int64_t from, int64_t to, int64_t width, int64_t row, auto column) {
      double others[kColumns];  // the product of those that are not 0
      int64_t zeros[kColumns] = {};
      std::fill_n(others, width, 1.0);
      for (int64_t r = 0; r < p.reduced; ++r)
        for (int64_t j = 0; j < width; ++j) {
          const double v = double(accum_t<T>(x.as<T>()[from + r * row + j * column]));
          others[j] *= v == 0 ? 1 : v;
          zeros[j] += v == 0;
        }
      for (int64_t r = 0; r < p.reduced; ++r)
        for (int64_t j = 0; j < width; ++j) {
          const int64_t at = from + r * row + j * column;
          const double v = double(accum_t<T>(x.as<T>()[at])), g = double(gy.as<accum_t<T>>()[to + j]);
          const double without = zeros[j] == 0 ? others[j] / v : zeros[j] == 1 && v == 0 ? others[j] : 0;
          gx.as<T>()[at] = T(accum_t<T>(g * without));
        }
    });
  });
}

}  // namespace voxgrad
