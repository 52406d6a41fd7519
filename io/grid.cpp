#include "io/grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// Corner k of the field of view, half a voxel outside of the outermost centres.
Vec3 corner(const Grid& g, int k) {
  Vec3 out;
  for (int a = 0; a < 3; ++a) out[size_t(a)] = (k >> a & 1) ? double(g.size[a]) - 0.5 : -0.5;
  return out;
}

// `a` after b: the index in a's grid of an index in b's.
Affine between(const Affine& a, const Affine& b) { return a.inverse() * b; }

Grid moved(const Grid& g, const Orientation& o) {
  Grid out = g;
  for (int a = 0; a < 3; ++a) {
    const int from = o.axis[size_t(a)];
    out.size[a] = g.size[from];
    for (int r = 0; r < 3; ++r) out.affine(r, a) = g.affine(r, from) * (o.flip[size_t(a)] ? -1 : 1);
  }
  for (int r = 0; r < 3; ++r)
    for (int a = 0; a < 3; ++a)
      if (o.flip[size_t(a)]) out.affine(r, 3) -= out.affine(r, a) * double(out.size[a] - 1);
  return out;
}

std::string extents_of(const Grid& g) {
  return std::to_string(g.size[0]) + " x " + std::to_string(g.size[1]) + " x " + std::to_string(g.size[2]);
}

// out[d, h, w, c] = the value of v where index (d, h, w) of `to` lies; outside of its field of view 0.
template <class T, class Out>
void resample(const Tensor& v, const Affine& index, bool linear, const Tensor& out) {
  const int64_t D = out.dim(0), H = out.dim(1), W = out.dim(2), C = out.dim(3);
  const int64_t size[3] = {v.dim(0), v.dim(1), v.dim(2)}, stride[3] = {size[1] * size[2] * C, size[2] * C, C};
  const T* from = v.view().as<T>();
  Out* all = out.view().as<Out>();
  parallel_for(D * H, std::max<int64_t>(1, (1 << 14) / (W * C)), [&](int64_t row) {
    for (int64_t w = 0; w < W; ++w) {
      const Vec3 p = index.apply({double(row / H), double(row % H), double(w)});
      Out* to = all + (row * W + w) * C;
      int64_t low[3], step[3];
      double weight[3];
      bool inside = true;
      for (int a = 0; a < 3; ++a) {
        const double at = p[size_t(a)];
        inside = inside && at >= -0.5 && at <= double(size[a]) - 0.5;
        const double kept = std::clamp(at, 0.0, double(size[a] - 1)), base = linear ? std::floor(kept) : std::floor(kept + 0.5);
        low[a] = inside ? int64_t(base) : 0;
        weight[a] = kept - base;
        step[a] = low[a] + 1 < size[a] ? stride[a] : 0;
      }
      const T* start = from + low[0] * stride[0] + low[1] * stride[1] + low[2] * stride[2];
      for (int64_t c = 0; c < C; ++c) {
        if (!inside || !linear) {
          to[c] = inside ? Out(start[c]) : Out(0);
          continue;
        }
        double sum = 0;
        for (int k = 0; k < 8; ++k) {
          double share = 1;
          int64_t offset = c;
          for (int a = 0; a < 3; ++a) {
            share *= (k >> a & 1) ? weight[a] : 1 - weight[a];
            offset += (k >> a & 1) ? step[a] : 0;
          }
          if (share > 0) sum += share * double(start[offset]);
        }
        to[c] = Out(float(sum));
      }
    }
  });
}

Volume resampled(const Volume& v, const Grid& to, bool linear) {
  const Tensor data = v.data.reshape({v.data.dim(0), v.data.dim(1), v.data.dim(2), v.data.shape().rank == 4 ? v.data.dim(3) : 1});
  const Tensor out = Tensor::empty({to.size[0], to.size[1], to.size[2], data.dim(3)}, linear ? DType::f32 : data.dtype());
  const Affine index = between(v.affine, to.affine);
  on_any_dtype(data.dtype(), [&]<class T>() {
    if (linear) resample<T, float>(data, index, true, out);
    else resample<T, T>(data, index, false, out);
  });
  return {out, to.affine, v.unit};
}

}  // namespace

Grid grid_of(const Shape& s, const Affine& affine) { return {{s[0], s[1], s[2]}, affine}; }
Grid grid_of(const Volume& v) { return grid_of(v.data.shape(), v.affine); }

GridComparison compare_grids(const Grid& grid, const Grid& other) {
  GridComparison out;
  // The axes of the other in those of the first, in mm along them, as a world whose canonical axes these are.
  const Affine index = between(grid.affine, other.affine);
  const Vec3 spacing = grid.affine.spacing();
  Affine world;
  for (int a = 0; a < 3; ++a)
    for (int c = 0; c < 3; ++c) world(2 - a, c) = index(a, c) * spacing[size_t(a)];
  out.onto = orientation_of(world);
  const Grid b = moved(other, out.onto);
  const Affine into = between(grid.affine, b.affine);
  for (int a = 0; a < 3; ++a) out.extents = out.extents && grid.size[a] == b.size[a];
  for (int k = 0; k < 8; ++k) {
    const Vec3 here = corner(grid, k), there = into.apply(corner(b, k));
    const Vec3 p = grid.affine.apply(here), q = b.affine.apply(corner(b, k));
    for (size_t a = 0; a < 3; ++a) out.voxels = std::max(out.voxels, std::abs(here[a] - there[a]));
    out.mm = std::max(out.mm, std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
  }
  return out;
}

std::string grid_difference(const GridComparison& c, const Grid& grid, const std::string& name, const Grid& other,
                            const std::string& other_name) {
  std::ostringstream o;
  o << other_name << ": lies on another grid than " << name << ": ";
  const Grid b = moved(other, c.onto);
  if (!c.extents) o << "its extents are " << extents_of(b) << ", wanted " << extents_of(grid) << " (depth x height x width); ";
  o << "its corners are up to " << c.voxels << " voxels (" << c.mm << " mm) away, " << kSameGridVoxels << " voxels are allowed";
  return o.str();
}

Volume on_grid(const Volume& v, const std::string& name, const Grid& to, const std::string& to_name, OtherGrid otherwise) {
  const Grid from = grid_of(v);
  if (from.affine == to.affine && std::equal(from.size, from.size + 3, to.size)) return v;
  const GridComparison c = compare_grids(to, from);
  if (c.same()) return {to_canonical(v.data, c.onto), to.affine, v.unit};
  check(otherwise != OtherGrid::refuse, grid_difference(c, to, to_name, from, name), "; with --resample it is brought to that grid");
  return resampled(v, to, otherwise == OtherGrid::resample_linear);
}

}  // namespace voxgrad
