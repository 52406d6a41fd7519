#include "kernels/reduce/column_sums.h"
#include "kernels/statistics/statistics_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14, kSerial = 1 << 16, kBlockRows = 64, kColumns = 1024;

// y of `width` neighbouring columns from x and pivot on, `stride` elements from row to row: f32 over blocks of 64 rows, f64 over these.
// `fold`: a row of x is several rows of the matrix, one behind the other.
template <class F, class T>
void columns_of(const F& f, int64_t count, int64_t stride, int64_t width, int64_t fold, const T* x, const accum_t<T>* pivot,
                accum_t<T>* y) {
  using A = accum_t<T>;
  A block[kColumns], pivots[kColumns];
  double total[kColumns] = {};
  const int64_t lanes = width * fold, step = stride * fold;
  for (int64_t j = 0; j < lanes; ++j) pivots[j] = pivot ? pivot[j % width] : A(0);
  for (int64_t first = 0; first < count; first += step * kBlockRows) {
    std::fill_n(block, lanes, A(0));
    for (int64_t at = first; at < std::min(count, first + step * kBlockRows); at += step) {
      const int64_t here = std::min(lanes, count - at);
      for (int64_t j = 0; j < here; ++j) block[j] += f.term(A(x[at + j]), pivots[j]);
    }
    for (int64_t j = 0; j < lanes; ++j) total[j] += double(block[j]);
  }
  for (int64_t j = width; j < lanes; ++j) total[j % width] += total[j];
  for (int64_t j = 0; j < width; ++j) y[j] = f.finish(total[j], pivot ? pivot[j] : A(0));
}

template <class F, class T>
void forward_of(const F& shared, const ReduceRuns& p, const T* x, const accum_t<T>* pivot, accum_t<T>* y) {
  using A = accum_t<T>;
  const int64_t size = p.reduced * p.inner;
  if (size <= kSerial || p.inner >= kColumns) {
    const int64_t tiles = chunk_count(p.inner, kColumns), most = std::max<int64_t>(1, std::min(p.inner, kColumns) * p.reduced);
    const int64_t fold = p.inner < 64 ? std::max<int64_t>(1, std::min(period_of(p.inner) / p.inner, p.reduced)) : 1;
    parallel_for(p.outer * tiles, std::max<int64_t>(1, kGrain / most), [&](int64_t task) {
      const F f = shared;
      const int64_t o = task / tiles, j = task % tiles * kColumns, width = std::min(kColumns, p.inner - j);
      columns_of(f, size - j, p.inner, width, fold, x + o * size + j, pivot ? pivot + o * p.inner + j : nullptr, y + o * p.inner + j);
    });
    return;
  }
  for (int64_t o = 0; o < p.outer; ++o) {
    const F f = shared;
    const T* const from = x + o * size;
    A* const into = y + o * p.inner;
    const A* const middle = pivot ? pivot + o * p.inner : nullptr;
    const std::vector<A> pivots = middle ? repeated<A>(middle, p.inner) : std::vector<A>(size_t(period_of(p.inner)), A(0));
    const A* const row = pivots.data();
    column_sums<A>(size, p.inner, into, [=](int64_t begin, int64_t width, A* acc) {
      for (int64_t j = 0; j < width; ++j) acc[j] += f.term(A(from[begin + j]), row[j]);
    });
    for (int64_t j = 0; j < p.inner; ++j) into[j] = f.finish(double(into[j]), middle ? middle[j] : A(0));
  }
}

template <class F, class T>
void backward_of(const F& shared, const ReduceRuns& p, const T* x, const accum_t<T>* pivot, const accum_t<T>* y, const accum_t<T>* gy,
                 T* gx) {
  using A = accum_t<T>;
  const int64_t rows = p.outer * p.reduced;
  if (p.inner == 1) {
    const int64_t pieces = chunk_count(p.reduced, kGrain);
    const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, std::min(p.reduced, kGrain)));
    parallel_for(p.outer * pieces, grain, [&](int64_t task) {
      const F f = shared;
      const int64_t o = task / pieces, begin = task % pieces * kGrain, end = std::min(p.reduced, begin + kGrain);
      const A middle = F::kPivot ? pivot[o] : A(0), result = F::kResult ? y[o] : A(0), g = gy[o];
      const T* const from = x + o * p.reduced;
      T* const into = gx + o * p.reduced;
      for (int64_t r = begin; r < end; ++r) into[r] = T(g * f.derivative(A(from[r]), middle, result));
    });
    return;
  }
  parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, p.inner)), [&](int64_t row) {
    const F f = shared;
    const int64_t k = row / p.reduced * p.inner;
    const T* const from = x + row * p.inner;
    T* const into = gx + row * p.inner;
    for (int64_t j = 0; j < p.inner; ++j) {
      const A middle = F::kPivot ? pivot[k + j] : A(0), result = F::kResult ? y[k + j] : A(0);
      into[j] = T(gy[k + j] * f.derivative(A(from[j]), middle, result));
    }
  });
}

template <class F>
void over_tiles(const ReduceRuns& p, F&& f) {
  const int64_t tiles = chunk_count(p.inner, kColumns);
  parallel_for(p.outer * tiles, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, std::min(p.inner, kColumns) * p.reduced)),
               [&](int64_t task) {
    const int64_t o = task / tiles, j = task % tiles * kColumns;
    f(o * p.reduced * p.inner + j, o * p.inner + j, std::min(kColumns, p.inner - j));
  });
}

}  // namespace

#define X(F)                                                                                                                    \
  void statistic_forward(Cpu, const statistic_formula::F& f, const ReduceRuns& p, View x, View pivot, View y) {                 \
    on_dtype(x.dtype, [&]<class T>() { forward_of(f, p, x.as<T>(), pivot.as<accum_t<T>>(), y.as<accum_t<T>>()); });             \
  }                                                                                                                             \
  void statistic_backward(Cpu, const statistic_formula::F& f, const ReduceRuns& p, View x, View pivot, View y, View gy, View gx) { \
    on_dtype(x.dtype, [&]<class T>() {                                                                                          \
      using A = accum_t<T>;                                                                                                     \
      backward_of(f, p, x.as<T>(), pivot.as<A>(), y.as<A>(), gy.as<A>(), gx.as<T>());                                           \
    });                                                                                                                         \
  }
VOXGRAD_STATISTIC_FORMULAS(X)
#undef X

void product_forward(Cpu, const ReduceRuns& p, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    over_tiles(p, [&](int64_t from, int64_t to, int64_t width) {
      double product[kColumns];
      std::fill_n(product, width, 1.0);
      for (int64_t r = 0; r < p.reduced; ++r)
        for (int64_t j = 0; j < width; ++j) product[j] *= double(accum_t<T>(x.as<T>()[from + r * p.inner + j]));
      for (int64_t j = 0; j < width; ++j) y.as<accum_t<T>>()[to + j] = accum_t<T>(product[j]);
    });
  });
}

void product_backward(Cpu, const ReduceRuns& p, View x, View gy, View gx) {
  on_dtype(x.dtype, [&]<class T>() {
    over_tiles(p, [&](int64_t from, int64_t to, int64_t width) {
      double others[kColumns];  // the product of those that are not 0
      int64_t zeros[kColumns] = {};
      std::fill_n(others, width, 1.0);
      for (int64_t r = 0; r < p.reduced; ++r)
        for (int64_t j = 0; j < width; ++j) {
          const double v = double(accum_t<T>(x.as<T>()[from + r * p.inner + j]));
          others[j] *= v == 0 ? 1 : v;
          zeros[j] += v == 0;
        }
      for (int64_t r = 0; r < p.reduced; ++r)
        for (int64_t j = 0; j < width; ++j) {
          const int64_t at = from + r * p.inner + j;
          const double v = double(accum_t<T>(x.as<T>()[at])), g = double(gy.as<accum_t<T>>()[to + j]);
          const double without = zeros[j] == 0 ? others[j] / v : zeros[j] == 1 && v == 0 ? others[j] : 0;
          gx.as<T>()[at] = T(accum_t<T>(g * without));
        }
    });
  });
}

}  // namespace voxgrad
