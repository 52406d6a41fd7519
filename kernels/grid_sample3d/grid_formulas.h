#pragma once
#include <cstdint>

#include "kernels/grid_sample3d/grid_sample3d_kernels.h"
#ifdef __CUDACC__
#define VOXGRAD_GRID_MATH ::
#else
#include <cmath>
#define VOXGRAD_GRID_MATH std::
#endif

// From grid values to voxels, for both devices. After PyTorch's ATen/native/GridSamplerUtils.h.
namespace voxgrad {

// A coordinate in voxels and its derivative by the grid value.
template <class A>
struct GridCoordinate {
  A at, slope;
};

// Mirrors `at` at low / 2 and high / 2 until it lies between them.
template <class A>
VOXGRAD_HD inline GridCoordinate<A> reflected(GridCoordinate<A> v, int64_t low, int64_t high) {
  if (low == high) return {A(0), A(0)};
  const A begin = A(low) / 2, span = A(high - low) / 2, distance = VOXGRAD_GRID_MATH fabs(v.at - begin);
  const A sign = v.at < begin ? A(-1) : A(1), turns = VOXGRAD_GRID_MATH floor(distance / span), rest = distance - turns * span;
  const bool even = turns - 2 * VOXGRAD_GRID_MATH floor(turns / 2) == 0;
  return {even ? begin + rest : begin + (span - rest), v.slope * (even ? sign : -sign)};
}

template <class A>
VOXGRAD_HD inline GridCoordinate<A> coordinate_of(A value, int extent, const GridSample& p) {
  value = !(value > A(-1e6)) ? A(-1e6) : value > A(1e6) ? A(1e6) : value;  // infinities and NaN have no voxel
  GridCoordinate<A> v = p.align_corners ? GridCoordinate<A>{(value + 1) / 2 * A(extent - 1), A(extent - 1) / 2}
                                        : GridCoordinate<A>{((value + 1) * A(extent) - 1) / 2, A(extent) / 2};
  if (p.reflection) v = p.align_corners ? reflected(v, 0, 2 * (int64_t(extent) - 1)) : reflected(v, -1, 2 * int64_t(extent) - 1);
  if (p.border || p.reflection) {
    if (v.at <= 0) v = {A(0), A(0)};
    else if (v.at >= A(extent - 1)) v = {A(extent - 1), A(0)};
  }
  // Outside by more than a voxel nothing is met; this keeps the integers small.
  if (v.at < A(-2)) v.at = A(-2);
  if (v.at > A(extent) + 1) v.at = A(extent) + 1;
  return v;
}

// The two voxels around a coordinate, with their weights and the derivatives of these by the grid value. A voxel outside has index -1
// and weight 0.
template <class A>
struct GridPair {
  int index[2];
  A weight[2], slope[2];
};

template <class A>
VOXGRAD_HD inline GridPair<A> pair_of(A value, int extent, const GridSample& p) {
  const GridCoordinate<A> v = coordinate_of(value, extent, p);
  GridPair<A> out;
  if (p.nearest) {
    const int i = int(VOXGRAD_GRID_MATH nearbyint(v.at));
    const bool inside = i >= 0 && i < extent;
    out.index[0] = inside ? i : -1, out.weight[0] = A(inside);
    out.index[1] = -1, out.weight[1] = 0;
    out.slope[0] = out.slope[1] = 0;
    return out;
  }
  int i = int(v.at);
  i -= v.at < A(i);  // the floor
  const A fraction = v.at - A(i);
  const bool first = i >= 0 && i < extent, second = i + 1 >= 0 && i + 1 < extent;
  out.index[0] = first ? i : -1, out.weight[0] = first ? 1 - fraction : A(0), out.slope[0] = first ? -v.slope : A(0);
  out.index[1] = second ? i + 1 : -1, out.weight[1] = second ? fraction : A(0), out.slope[1] = second ? v.slope : A(0);
  return out;
}

// Offsets of the voxels around a point in {in, 1}; the grid holds (w, h, d).
template <class A>
struct GridPoint {
  GridPair<A> axis[3];  // d, h, w
};
template <class A>
VOXGRAD_HD inline GridPoint<A> point_of(const A* grid, const GridSample& p) {
  return {{pair_of(grid[2], p.in[0], p), pair_of(grid[1], p.in[1], p), pair_of(grid[0], p.in[2], p)}};
}

}  // namespace voxgrad
#undef VOXGRAD_GRID_MATH
