#include "kernels/statistics/statistics.h"

#include <limits>
#include <numeric>

#include "core/autograd.h"
#include "core/floating.h"
#include "kernels/compare/compare.h"
#include "kernels/copy/copy.h"
#include "kernels/permute/permute.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/reduce/reduce.h"
#include "kernels/statistics/statistics_kernels.h"
#include "kernels/where/where.h"

namespace voxgrad {
namespace {

std::vector<int> all_axes(const Tensor& x) {
  std::vector<int> axes(size_t(x.shape().rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// x with the reduced axes side by side, as {outer, reduced, inner}.
struct Sides {
  Tensor x;
  ReduceRuns runs;
  Shape result;
  Op op;
};

Sides sides_of(const char* op, const Tensor& x, const std::vector<int>& axes, bool keep) {
  check_floating(op, x);
  const Shape& s = x.shape();
  std::vector<int> reduced, kept;
  bool chosen[Shape::kMaxRank] = {};
  for (int axis : axes) {
    const int k = axis_of(op, s, axis);
    check(!chosen[k], op, ": axis ", axis, " of ", x, " is named twice");
    chosen[k] = true;
  }
  Sides r{.x = x, .runs = {}, .result = {}, .op = op};
  for (int k = 0; k < s.rank; ++k) {
    (chosen[k] ? reduced : kept).push_back(k);
    if (keep || !chosen[k]) r.result.dims[r.result.rank++] = chosen[k] ? 1 : s[k];
  }
  r.op.attributes = {{"axes", reduced}, {"keep", keep}};
  const int first = reduced.empty() ? 0 : reduced.front(), count = int(reduced.size());
  if (count > 0 && reduced.back() - first + 1 != count) {
    std::vector<int> order = kept;
    order.insert(order.end(), reduced.begin(), reduced.end());
    r.x = permute(x, order);
    const int rest = s.rank - count;
    r.runs = {r.x.shape().count(0, rest), r.x.shape().count(rest, s.rank), 1};
    return r;
  }
  r.runs = {s.count(0, first), s.count(first, first + count), s.count(first + count, s.rank)};
  return r;
}

template <class F>
Tensor statistic(const Sides& s, const F& f, const Tensor& pivot) {
  const DType wide = accum_of(s.x.dtype());
  const ReduceRuns runs = s.runs;
  Tensor y = Tensor::empty(s.result, wide, s.x.device());
  on_device(y.device(), [&](auto on) { statistic_forward(on, f, runs, s.x.view(), pivot.view(), y.view()); });
  return record(s.op, {s.x}, y,
                [f, runs, x = s.x.detach(), pivot = F::kPivot ? pivot : Tensor{}, y = F::kResult ? y.detach() : Tensor{}](const Tensor& gy,
                                                                                                                          Needs) {
    Tensor gx = Tensor::empty_like(x);
    on_device(gx.device(), [&](auto on) { statistic_backward(on, f, runs, x.view(), pivot.view(), y.view(), gy.view(), gx.view()); });
    return Grads{gx};
  });
}

template <class F>
Tensor deviation(const char* op, const Tensor& x, const std::vector<int>& axes, const VarianceOptions& o) {
  Sides s = sides_of(op, x, axes, o.keep);
  const int64_t n = s.runs.reduced;
  check(o.correction == 0 || o.correction == 1, op, ": the correction is ", o.correction, ", 0 or 1 is wanted");
  check(n > o.correction, op, ": ", n, " elements of ", x, " with a correction of ", o.correction, "; more are wanted");
  const Attribute correction{"correction", o.correction};
  s.op.attributes.push_back(correction);
  Tensor mean = Tensor::empty({s.runs.outer, s.runs.inner}, accum_of(x.dtype()), x.device());
  on_device(x.device(), [&](auto on) { sum_runs(on, s.runs, 1 / double(n), s.x.view(), mean.view()); });
  return statistic(s, F{1 / double(n - o.correction)}, mean);
}

}  // namespace

Tensor var(const Tensor& x, const std::vector<int>& axes, const VarianceOptions& o) {
  return deviation<statistic_formula::Variance>("var", x, axes, o);
}
Tensor var(const Tensor& x) { return var(x, all_axes(x)); }
Tensor stddev(const Tensor& x, const std::vector<int>& axes, const VarianceOptions& o) {
  return deviation<statistic_formula::Deviation>("stddev", x, axes, o);
}
Tensor stddev(const Tensor& x) { return stddev(x, all_axes(x)); }

Tensor vector_norm(const Tensor& x, const std::vector<int>& axes, VectorNorm kind, const StatisticOptions& o) {
  Sides s = sides_of("vector_norm", x, axes, o.keep);
  if (kind == VectorNorm::inf) {
    check(s.runs.reduced > 0, "vector_norm: there is no element to take the maximum of in ", x);
    return max(abs(x.to(accum_of(x.dtype()))), axes, {.keep = o.keep});
  }
  s.op.attributes.push_back({"kind", kind == VectorNorm::l1 ? "l1" : "l2"});
  return kind == VectorNorm::l1 ? statistic(s, statistic_formula::L1{}, {}) : statistic(s, statistic_formula::L2{}, {});
}
Tensor vector_norm(const Tensor& x, VectorNorm kind) { return vector_norm(x, all_axes(x), kind); }

Tensor logsumexp(const Tensor& x, const std::vector<int>& axes, const StatisticOptions& o) {
  const Sides s = sides_of("logsumexp", x, axes, o.keep);
  if (s.runs.reduced == 0) {
    const Tensor y = Tensor::full(s.result, -std::numeric_limits<double>::infinity(), accum_of(x.dtype()), x.device());
    return record(s.op, {s.x}, y, [x = s.x.detach()](const Tensor&, Needs) { return Grads{Tensor::empty_like(x)}; });
  }
  const Tensor largest = Tensor::empty({s.runs.outer, s.runs.inner}, x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { extreme_runs(on, s.runs, false, s.x.view(), largest.view()); });
  return statistic(s, statistic_formula::LogSumExp{}, where(isfinite(largest), largest, 0).to(accum_of(x.dtype())));
}

Tensor prod(const Tensor& x, const std::vector<int>& axes, const StatisticOptions& o) {
  const Sides s = sides_of("prod", x, axes, o.keep);
  const ReduceRuns runs = s.runs;
  Tensor y = Tensor::empty(s.result, accum_of(x.dtype()), x.device());
  on_device(y.device(), [&](auto on) { product_forward(on, runs, s.x.view(), y.view()); });
  return record(s.op, {s.x}, y, [runs, x = s.x.detach()](const Tensor& gy, Needs) {
    Tensor gx = Tensor::empty_like(x);
    on_device(gx.device(), [&](auto on) { product_backward(on, runs, x.view(), gy.view(), gx.view()); });
    return Grads{gx};
  });
}
Tensor prod(const Tensor& x) { return prod(x, all_axes(x)); }

}  // namespace voxgrad
