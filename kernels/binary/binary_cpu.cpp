#include "core/device/parallel.h"
#include "kernels/binary/binary_dispatch.h"
#include "kernels/reduce/column_sums.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14;

// f(i, j) for all i < count with j = i mod columns, where the row that j indexes was repeated up to its period.
template <class F>
void for_rows(int64_t count, int64_t columns, F&& f) {
  const int64_t period = period_of(columns), rows = (count + period - 1) / period;
  parallel_for(rows, std::max<int64_t>(1, kGrain / period), [&](int64_t r) {
    const int64_t begin = r * period, width = std::min(period, count - begin);
    for (int64_t j = 0; j < width; ++j) f(begin + j, j);
  });
}

template <class Formula, class T>
void forward_of(const Binary& p, const T* a, View b, T* y) {
  using A = accum_t<T>;
  if (p.columns == 0) {
    const T* other = b.as<T>();
    return parallel_for(p.count, kGrain, [&](int64_t i) { y[i] = T(Formula::forward(A(a[i]), A(other[i]))); });
  }
  const std::vector<A> row = repeated<A>(b.as<A>(), p.columns);
  const A* other = row.data();
  for_rows(p.count, p.columns, [&](int64_t i, int64_t j) { y[i] = T(Formula::forward(A(a[i]), other[j])); });
}

template <class Formula, class T>
void backward_of(const Binary& p, const T* a, View b, const T* gy, T* ga, View gb) {
  using A = accum_t<T>;
  constexpr bool kA = Formula::kGradAReadsA, kAB = Formula::kGradAReadsB, kBA = Formula::kGradBReadsA, kB = Formula::kGradBReadsB;
  if (p.columns == 0) {
    const T* other = b.as<T>();
    if (ga) parallel_for(p.count, kGrain, [&](int64_t i) {
      ga[i] = T(Formula::grad_a(kA ? A(a[i]) : A(0), kAB ? A(other[i]) : A(0), A(gy[i])));
    });
    if (T* out = gb.as<T>()) parallel_for(p.count, kGrain, [&](int64_t i) {
      out[i] = T(Formula::grad_b(kBA ? A(a[i]) : A(0), kB ? A(other[i]) : A(0), A(gy[i])));
    });
    return;
  }
  const std::vector<A> row = b ? repeated<A>(b.as<A>(), p.columns) : std::vector<A>{};
  const A* other = row.data();
  if (ga) for_rows(p.count, p.columns, [&](int64_t i, int64_t j) {
    ga[i] = T(Formula::grad_a(kA ? A(a[i]) : A(0), kAB ? other[j] : A(0), A(gy[i])));
  });
  if (gb) column_sums<A>(p.count, p.columns, gb.as<A>(), [&](int64_t begin, int64_t width, A* acc) {
    for (int64_t j = 0; j < width; ++j)
      acc[j] += Formula::grad_b(kBA ? A(a[begin + j]) : A(0), kB ? other[j] : A(0), A(gy[begin + j]));
  });
}

}  // namespace

void binary_forward(Cpu, const Binary& p, View a, View b, View y) {
  on_formula(p.op, [&]<class Formula>(Formula) {
    on_dtype(a.dtype, [&]<class T>() { forward_of<Formula>(p, a.as<T>(), b, y.as<T>()); });
  });
}

void binary_backward(Cpu, const Binary& p, View a, View b, View gy, View ga, View gb) {
  on_formula(p.op, [&]<class Formula>(Formula) {
    on_dtype(gy.dtype, [&]<class T>() { backward_of<Formula>(p, a.as<T>(), b, gy.as<T>(), ga.as<T>(), gb); });
  });
}

}  // namespace voxgrad
