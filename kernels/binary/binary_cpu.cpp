#include "core/device/parallel.h"
#include "kernels/binary/binary_loops.h"
#include "kernels/reduce/column_sums.h"
#include "kernels/spans/spans.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14;

// f(at, n, j) over spans of [0, count), with element at + i beside element j + i of a row of columns that is repeated up to its period;
// j is `at` where there are no columns.
template <class F>
void for_rows(int64_t count, int64_t columns, F&& f) {
  if (columns == 0)
    return parallel_ranges(count, kGrain, [&](int64_t begin, int64_t end) {
      for_spans(begin, end, [&](int64_t at, int64_t n) { f(at, n, at); });
    });
  const int64_t period = period_of(columns), rows = (count + period - 1) / period;
  parallel_for(rows, std::max<int64_t>(1, kGrain / period), [&](int64_t r) {
    for_spans(0, std::min(period, count - r * period), [&](int64_t j, int64_t n) { f(r * period + j, n, j); });
  });
}

// The second operand: as long as the first, or a row of A.
template <class A, class T>
class Other {
 public:
  Other(const Binary& p, View b) : elements_(p.columns == 0 ? b.as<T>() : nullptr) {
    if (b && p.columns > 0) row_ = repeated<A>(b.as<A>(), p.columns);
  }
  const A* span(int64_t j, int64_t n, A* buffer) const {
    if (elements_) return span_as(elements_ + j, n, buffer);
    return row_.empty() ? nullptr : row_.data() + j;
  }

 private:
  const T* elements_;
  std::vector<A> row_;
};

template <class T>
void forward_of(const Binary& p, const T* a, View b, T* y) {
  using A = accum_t<T>;
  const auto loop = binary_loops<A>(p.op).forward;
  const Other<A, T> other(p, b);
  for_rows(p.count, p.columns, [&](int64_t at, int64_t n, int64_t j) {
    A u[kSpan], v[kSpan], w[kSpan];
    const A *const left = span_as(a + at, n, u), *const right = other.span(j, n, v);
    span_into(y + at, n, w, [&](A* to) { loop(left, right, to, n); });
  });
}

template <class T>
void backward_of(const Binary& p, const T* a, View b, const T* gy, T* ga, View gb) {
  using A = accum_t<T>;
  const BinaryLoops<A> loops = binary_loops<A>(p.op);
  const Other<A, T> other(p, b);
  const auto gradient = [&](auto loop, T* out) {
    for_rows(p.count, p.columns, [&](int64_t at, int64_t n, int64_t j) {
      A u[kSpan], v[kSpan], w[kSpan], z[kSpan];
      const A *const left = span_as(a ? a + at : nullptr, n, u), *const right = other.span(j, n, v), *const g = span_as(gy + at, n, w);
      span_into(out + at, n, z, [&](A* to) { loop(left, right, g, to, n); });
    });
  };
  if (ga) gradient(loops.grad_a, ga);
  if (gb && p.columns == 0) gradient(loops.grad_b, gb.as<T>());
  if (gb && p.columns > 0) column_sums<A>(p.count, p.columns, gb.as<A>(), [&](int64_t begin, int64_t width, A* acc) {
    for_spans(0, width, [&](int64_t j, int64_t n) {
      A u[kSpan], w[kSpan], z[kSpan];
      const int64_t at = begin + j;
      loops.grad_b(span_as(a ? a + at : nullptr, n, u), other.span(j, n, nullptr), span_as(gy + at, n, w), z, n);
      for (int64_t i = 0; i < n; ++i) acc[j + i] += z[i];
    });
  });
}

}  // namespace

void binary_forward(Cpu, const Binary& p, View a, View b, View y) {
  on_dtype(a.dtype, [&]<class T>() { forward_of(p, a.as<T>(), b, y.as<T>()); });
}

void binary_backward(Cpu, const Binary& p, View a, View b, View gy, View ga, View gb) {
  on_dtype(gy.dtype, [&]<class T>() { backward_of(p, a.as<T>(), b, gy.as<T>(), ga.as<T>(), gb); });
}

}  // namespace voxgrad
