#include "data/resample/resample_nnunet.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/autograd.h"
#include "core/error.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"
#include "kernels/spline_coefficients/spline_coefficients.h"

namespace voxgrad {
namespace {

constexpr double kAnisotropic = 3;

// The coarsest axis; -1 where there are several.
int coarse_axis(const Vec3& spacing) {
  const auto most = std::max_element(spacing.begin(), spacing.end());
  return std::count(spacing.begin(), spacing.end(), *most) == 1 ? int(most - spacing.begin()) : -1;
}

bool is_anisotropic(const Vec3& spacing) {
  return *std::max_element(spacing.begin(), spacing.end()) / *std::min_element(spacing.begin(), spacing.end()) > kAnisotropic;
}

// The axis that is sampled by itself; -1: none.
int separate_axis(const NnunetResampling& how) {
  return is_anisotropic(how.from) ? coarse_axis(how.from) : is_anisotropic(how.to) ? coarse_axis(how.to) : -1;
}

// order 0: the nearest voxel; 1: the two around; 3: four of the n + 4 coefficients of the B-spline.
std::vector<Tap> taps_at(double at, int n, int order) {
  const auto inside = [n](double i) { return int(std::clamp(i, 0.0, double(n - 1))); };
  if (order == 0) return {{inside(std::floor(at + 0.5)), 1}};
  const double base = std::floor(at), t = at - base, u = 1 - t;
  if (order == 1) {
    const int low = inside(base), high = inside(base + 1);
    return low == high || t == 0 ? std::vector<Tap>{{low, 1}} : std::vector<Tap>{{low, u}, {high, t}};
  }
  const int first = int(base) + 1;  // coefficient k belongs to sample k - 2
  return {{first, u * u * u / 6}, {first + 1, (4 - 6 * t * t + 3 * t * t * t) / 6}, {first + 2, (4 - 6 * u * u + 3 * u * u * u) / 6},
          {first + 3, t * t * t / 6}};
}

AxisMatrix axis_of_order(int from, int to, int order) {
  if (from == to) order = 0;
  return axis_matrix(order == 3 ? from + 4 : from, to,
                     [&](int i) { return taps_at(double(from) / double(to) * (double(i) + 0.5) - 0.5, from, order); });
}

Int3 size_of(const Tensor& x) { return {int(x.dim(0)), int(x.dim(1)), int(x.dim(2))}; }

}  // namespace

SeparableMap nnunet_map(Int3 from, Int3 to, const NnunetResampling& how) {
  const int separate = separate_axis(how);
  SeparableMap m;
  for (int a = 0; a < 3; ++a) m.axis[a] = axis_of_order(from[a], to[a], a == separate ? 0 : 1);
  return m;
}

Tensor resample_nnunet(const Tensor& x, Int3 size, const NnunetResampling& how) {
  check(x.shape().rank == 4 && x.dtype() == DType::f32, "resample_nnunet: ", x, ", wanted f32 {D, H, W, C}");
  check(how.order == 1 || how.order == 3, "resample_nnunet: the order ", how.order, ", 1 and 3 are possible");
  if (size_of(x) == size) return x;
  const Unrecorded quiet;
  if (how.order == 1) return apply_to_volume(nnunet_map(size_of(x), size, how), x);
  const int separate = separate_axis(how);
  Tensor coefficients = x;
  SeparableMap smooth, nearest;
  std::vector<int> axes;  // over which a range of values is taken
  for (int a = 0; a < 3; ++a) {
    const int from = int(x.dim(a));
    smooth.axis[a] = axis_of_order(from, a == separate ? from : size[a], 3);
    nearest.axis[a] = axis_of_order(a == separate ? from : size[a], size[a], 0);
    if (a == separate) continue;
    axes.push_back(a);
    if (size[a] != from) coefficients = spline_coefficients(coefficients, a);
  }
  Tensor y = apply_to_volume(smooth, coefficients);
  y = maximum(minimum(y, max(x, axes, {.keep = true})), min(x, axes, {.keep = true}));
  return separate < 0 || x.dim(separate) == size[separate] ? y : apply_to_volume(nearest, y);
}

}  // namespace voxgrad
