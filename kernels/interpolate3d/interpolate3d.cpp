#include "kernels/interpolate3d/interpolate3d.h"

#include <algorithm>
#include <cmath>

#include "kernels/separable/separable.h"

namespace voxgrad {
namespace {

// The two inputs around the source coordinate of output o, with their weights.
std::vector<Tap> linear_taps(int o, int in, int out, bool align_corners) {
  const double scale = align_corners ? (out > 1 ? double(in - 1) / (out - 1) : 0) : double(in) / out;
  const double at = align_corners ? o * scale : std::max(0.0, (o + 0.5) * scale - 0.5);
  const int low = std::min(int(at), in - 1);
  const double fraction = std::min(at - low, 1.0);
  if (low == in - 1 || fraction == 0) return {{low, 1}};
  return {{low, 1 - fraction}, {low + 1, fraction}};
}

// floor(o in / out), or floor((o + 1/2) in / out), in integers.
int nearest_index(int o, int in, int out, bool exact) {
  const int64_t twice = exact ? 2 * int64_t(o) + 1 : 2 * int64_t(o);
  return int(std::min<int64_t>(twice * in / (2 * int64_t(out)), in - 1));
}

}  // namespace

SeparableMap trilinear_map(const Int3& in, const Int3& size, bool align_corners) {
  SeparableMap map;
  for (int k = 0; k < 3; ++k)
    map.axis[k] = axis_matrix(in[k], size[k], [&](int i) { return linear_taps(i, in[k], size[k], align_corners); });
  return map;
}

Tensor interpolate3d(const Tensor& x, const Int3& size, const Interpolate3dOptions& o) {
  check(x && x.shape().rank == 5, "interpolate3d: {N, D, H, W, C} is wanted, not ", x);
  check(size.d > 0 && size.h > 0 && size.w > 0, "interpolate3d: the size ", size, " is not positive");
  check(x.dim(1) > 0 && x.dim(2) > 0 && x.dim(3) > 0, "interpolate3d: ", x, " has no voxel to take values from");
  const Int3 in = x.shape().spatial();
  const char* const modes[] = {"nearest", "nearest_exact", "trilinear"};
  const Op op = {"interpolate3d", {{"size", size}, {"mode", modes[int(o.mode)]}, {"align_corners", o.align_corners}}};
  if (o.mode == Interpolation::trilinear) {
    check(is_floating(x.dtype()), "interpolate3d: trilinear interpolation of a floating tensor is wanted, not of ", x);
    return apply_recorded(op, trilinear_map(in, size, o.align_corners), x);
  }
  check(!o.align_corners, "interpolate3d: align_corners goes with trilinear interpolation alone");
  std::vector<int> map[3];
  for (int k = 0; k < 3; ++k)
    for (int i = 0; i < size[k]; ++i) map[k].push_back(nearest_index(i, in[k], size[k], o.mode == Interpolation::nearest_exact));
  return gather_recorded(op, x, map);
}

}  // namespace voxgrad
