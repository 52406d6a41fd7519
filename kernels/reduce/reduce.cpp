#include "kernels/reduce/reduce.h"

#include "core/autograd.h"
#include "core/floating.h"
#include "kernels/binary/binary.h"
#include "kernels/copy/copy.h"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {
namespace {

// The axes of a tensor, split into reduced and kept ones.
struct Axes {
  Shape from, kept, dropped;  // kept: reduced axes have extent 1; dropped: they are gone
  Spread spread;
  int64_t reduced_count = 1;
};

Axes axes_of(const char* op, const Tensor& x, const std::vector<int>& axes) {
  check_floating(op, x);
  Axes a{.from = x.shape(), .kept = x.shape()};
  a.spread.rank = a.from.rank;
  for (int axis : axes) {
    const int k = axis_of(op, a.from, axis);
    check(!a.spread.reduced[k], op, ": axis ", axis, " of ", x, " is named twice");
    a.spread.reduced[k] = true;
    a.kept[k] = 1;
    a.reduced_count *= a.from[k];
  }
  for (int k = 0; k < a.from.rank; ++k) {
    a.spread.extent[k] = a.from[k];
    if (!a.spread.reduced[k]) a.dropped.dims[a.dropped.rank++] = a.from[k];
  }
  return a;
}

Axes all_axes(const char* op, const Tensor& x) {
  std::vector<int> axes;
  for (int k = 0; k < x.shape().rank; ++k) axes.push_back(k);
  return axes_of(op, x, axes);
}

// Runs of neighbouring reduced axes, from begin to end, the last run first; one of no axis where none is reduced.
std::vector<std::pair<int, int>> runs_of(const Axes& a) {
  std::vector<std::pair<int, int>> runs;
  for (int end = a.from.rank; end > 0; --end) {
    if (!a.spread.reduced[end - 1]) continue;
    if (!runs.empty() && runs.back().first == end) --runs.back().first;
    else runs.push_back({end - 1, end});
  }
  if (runs.empty()) runs.push_back({0, 0});
  return runs;
}

// Calls reduce(runs, from, shape of the result, is the last) for each run.
template <class F>
Tensor over_runs(const Axes& a, const Tensor& x, F&& reduce) {
  const auto runs = runs_of(a);
  Tensor t = x.detach();
  Shape s = a.from;
  for (const auto& [begin, end] : runs) {
    const ReduceRuns p = {s.count(0, begin), s.count(begin, end), s.count(end, s.rank)};
    for (int k = begin; k < end; ++k) s[k] = 1;
    t = reduce(p, t, s, begin == runs.back().first);
  }
  return t;
}

Tensor sum_over(const Tensor& x, const Axes& a, double scale) {
  return over_runs(a, x, [&](const ReduceRuns& runs, const Tensor& from, const Shape& s, bool last) {
    Tensor y = Tensor::empty(s, accum_of(x.dtype()), x.device());
    on_device(x.device(), [&](auto on) { sum_runs(on, runs, last ? scale : 1, from.view(), y.view()); });
    return y;
  });
}

// g, of the kept shape, to all elements of a tensor of dtype t; with x and y only to those where they are equal.
Tensor spread_over(const Tensor& g, const Axes& a, DType t, double scale, const Tensor& x = {}, const Tensor& y = {}) {
  Tensor gx = Tensor::empty(a.from, t, g.device());
  Spread p = a.spread;
  p.scale = scale;
  on_device(g.device(), [&](auto on) { spread(on, p, g.view(), x.view(), y.view(), gx.view()); });
  return gx;
}

// The op with its axes, as graphs name it.
Op described(const char* op, const Axes& a, bool keep) {
  std::vector<int> axes;
  for (int k = 0; k < a.from.rank; ++k)
    if (a.spread.reduced[k]) axes.push_back(k);
  return {op, {{"axes", axes}, {"keep", keep}}};
}

Tensor sum_of(const char* op, const Tensor& x, const Axes& a, double scale, bool keep) {
  const Tensor y = sum_over(x, a, scale).reshape(keep ? a.kept : a.dropped);
  return record(described(op, a, keep), {x}, y,
                [a, scale, t = x.dtype()](const Tensor& gy, Needs) { return Grads{spread_over(gy, a, t, scale)}; });
}

double mean_scale(const char* op, const Tensor& x, const Axes& a) {
  check(a.reduced_count > 0, op, ": there is no element to take the mean of in ", x);
  return 1 / double(a.reduced_count);
}

Tensor extreme(const char* op, const char* what, const Tensor& x, const Axes& a, bool smallest, bool keep) {
  check(a.reduced_count > 0, op, ": there is no element to take the ", what, " of in ", x);
  const Tensor kept = over_runs(a, x, [&](const ReduceRuns& runs, const Tensor& from, const Shape& s, bool) {
    Tensor y = Tensor::empty(s, x.dtype(), x.device());
    on_device(x.device(), [&](auto on) { extreme_runs(on, runs, smallest, from.view(), y.view()); });
    return y;
  });
  const Tensor y = kept.reshape(keep ? a.kept : a.dropped);
  return record(described(op, a, keep), {x}, y, [a, x = x.detach(), y = y.detach()](const Tensor& gy, Needs) {
    const DType t = x.dtype();
    if (const auto runs = runs_of(a); runs.size() == 1) {
      const auto [begin, end] = runs.front();
      const ReduceRuns p = {a.from.count(0, begin), a.from.count(begin, end), a.from.count(end, a.from.rank)};
      const Tensor gx = Tensor::empty_like(x);
      if (on_device(x.device(), [&](auto on) { return extreme_backward(on, p, x.view(), y.view(), gy.view(), gx.view()); }))
        return Grads{gx};
    }
    const Tensor equal = spread_over(Tensor::full(a.kept, 1, t, x.device()), a, t, 1, x, y);
    const Tensor count = sum_over(equal, a, 1).reshape(gy.shape());
    return Grads{spread_over(div(gy.to(count.dtype()), count), a, t, 1, x, y)};
  });
}

}  // namespace

Tensor sum(const Tensor& x) { return sum_of("sum", x, all_axes("sum", x), 1, false); }
Tensor mean(const Tensor& x) {
  const Axes a = all_axes("mean", x);
  return sum_of("mean", x, a, mean_scale("mean", x, a), false);
}
Tensor sum(const Tensor& x, const std::vector<int>& axes, const ReduceOptions& o) {
  return sum_of("sum", x, axes_of("sum", x, axes), 1, o.keep);
}
Tensor mean(const Tensor& x, const std::vector<int>& axes, const ReduceOptions& o) {
  const Axes a = axes_of("mean", x, axes);
  return sum_of("mean", x, a, mean_scale("mean", x, a), o.keep);
}

Tensor max(const Tensor& x, const std::vector<int>& axes, const ReduceOptions& o) {
  return extreme("max", "maximum", x, axes_of("max", x, axes), false, o.keep);
}
Tensor max(const Tensor& x) { return extreme("max", "maximum", x, all_axes("max", x), false, false); }
Tensor min(const Tensor& x, const std::vector<int>& axes, const ReduceOptions& o) {
  return extreme("min", "minimum", x, axes_of("min", x, axes), true, o.keep);
}
Tensor min(const Tensor& x) { return extreme("min", "minimum", x, all_axes("min", x), true, false); }

Tensor argmax_channels(const Tensor& x) {
  check(x && is_floating(x.dtype()) && x.shape().rank >= 1, "argmax_channels: a floating tensor {.., C} is wanted, not ", x);
  const int64_t channels = x.dim(-1);
  check(channels >= 1 && channels <= INT32_MAX, "argmax_channels: ", x, " has no channel to choose");
  Shape s = x.shape();
  s.dims[--s.rank] = 0;
  Tensor y = Tensor::empty(s, channels <= 256 ? DType::u8 : DType::i32, x.device());
  on_device(x.device(), [&](auto on) { argmax_rows(on, y.count(), channels, x.view(), y.view()); });
  return y;
}

}  // namespace voxgrad
