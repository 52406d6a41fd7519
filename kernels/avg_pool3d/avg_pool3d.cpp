#include "kernels/avg_pool3d/avg_pool3d.h"

#include <algorithm>

#include "kernels/max_pool3d/pool_options.h"
#include "kernels/reduce/reduce.h"
#include "kernels/separable/separable.h"

namespace voxgrad {
namespace {

// One row per window; count(axis, output, taps in the input) is what the sum is divided by.
template <class F>
Tensor avg_pool(const Op& op, const Tensor& x, const PoolAxes& axes, F&& count) {
  SeparableMap map;
  for (int k = 0; k < 3; ++k) {
    const PoolAxis& a = axes.axis[k];
    map.axis[k] = axis_matrix(a.in, a.out, [&](int o) {
      const PoolAxis::Range taps = a.taps(o);
      std::vector<Tap> row;
      for (int t = taps.begin; t < taps.end; ++t)
        row.push_back({a.origin(o) + t * a.dilation, 1 / double(count(a, o, taps.end - taps.begin))});
      return row;
    });
  }
  return apply_recorded(op, std::move(map), x);
}

}  // namespace

Tensor avg_pool3d(const Tensor& x, const AvgPool3dOptions& o) {
  const PoolWindows windows = {o.kernel, o.stride, o.padding, {1, 1, 1}, o.ceil_mode};
  const PoolAxes axes = pool_axes("avg_pool3d", x, windows);
  Op op = {"avg_pool3d", attributes_of(windows)};
  op.add("count_include_pad", o.count_include_pad);
  return avg_pool(op, x, axes, [&](const PoolAxis& a, int out, int inside) {
    return o.count_include_pad ? std::min(a.kernel, a.in + a.padding - a.origin(out)) : inside;
  });
}

Tensor adaptive_avg_pool3d(const Tensor& x, const Int3& out) {
  const PoolAxes axes = adaptive_axes("adaptive_avg_pool3d", x, out);
  if (out == Int3{1, 1, 1}) return mean(x, {1, 2, 3}, {.keep = true}).to(x.dtype());
  return avg_pool({"adaptive_avg_pool3d", {{"size", out}}}, x, axes, [](const PoolAxis&, int, int inside) { return inside; });
}

}  // namespace voxgrad
