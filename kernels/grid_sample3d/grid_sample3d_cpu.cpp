#include <algorithm>
#include <vector>

#include "core/device/parallel.h"
#include "kernels/grid_sample3d/grid_formulas.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 12, kLanes = 64;

// The voxels around a point that are inside, with their weights.
template <class A>
struct Corners {
  int count = 0;
  int64_t voxel[9];  // one more than there can be: the next is written before it is known to count
  A weight[9];
  // Those whose depth is in [d_begin, d_end).
  Corners(const GridPoint<A>& q, const GridSample& p, int d_begin, int d_end) {
    for (int a = 0; a < 2; ++a) {
      const int d = q.axis[0].index[a];
      if (d < d_begin || d >= d_end) continue;
      for (int b = 0; b < 2; ++b)
        for (int e = 0; e < 2; ++e) {
          const int h = q.axis[1].index[b], w = q.axis[2].index[e];
          voxel[count] = (int64_t(d) * p.in[1] + h) * p.in[2] + w;
          weight[count] = q.axis[0].weight[a] * q.axis[1].weight[b] * q.axis[2].weight[e];
          count += (h >= 0) & (w >= 0) & (weight[count] != 0);
        }
    }
  }
};

template <class T>
void forward_of(const GridSample& p, const T* x, const accum_t<T>* grid, T* y) {
  using A = accum_t<T>;
  const int64_t volume = int64_t(p.in[0]) * p.in[1] * p.in[2];
  parallel_for(p.n * p.points, std::max<int64_t>(1, kGrain / (8 * (p.c + 4))), [&](int64_t i) {
    const Corners<A> corners(point_of(grid + 3 * i, p), p, 0, p.in[0]);
    const T* from = x + i / p.points * volume * p.c;
    T* to = y + i * p.c;
    if (p.c == 1) {
      A sum = 0;
      for (int k = 0; k < corners.count; ++k) sum += corners.weight[k] * A(from[corners.voxel[k]]);
      *to = T(sum);
      return;
    }
    for (int64_t c = 0; c < p.c; c += kLanes) {
      const int64_t lanes = std::min(kLanes, p.c - c);
      A sum[kLanes];
      std::fill_n(sum, lanes, A(0));
      for (int k = 0; k < corners.count; ++k) {
        const T* v = from + corners.voxel[k] * p.c + c;
        for (int64_t j = 0; j < lanes; ++j) sum[j] += corners.weight[k] * A(v[j]);
      }
      for (int64_t j = 0; j < lanes; ++j) to[c + j] = T(sum[j]);
    }
  });
}

// The points whose voxels reach into slab s of the depth, for each s, in their order: [begin[s], begin[s + 1]) of `points`.
struct Slabs {
  int depth;  // planes of a slab
  std::vector<int64_t> begin, points;

  template <class A>
  Slabs(const GridSample& p, const A* grid, int planes) : depth(planes) {
    const int count = (p.in[0] + planes - 1) / planes;
    std::vector<int32_t> first(static_cast<size_t>(p.points)), last(static_cast<size_t>(p.points));
    parallel_for(p.points, kGrain, [&](int64_t i) {
      const GridPair<A> d = pair_of(grid[3 * i + 2], p.in[0], p);
      const int low = d.index[0] >= 0 ? d.index[0] : d.index[1], high = d.index[1] >= 0 ? d.index[1] : d.index[0];
      first[size_t(i)] = low < 0 ? 0 : low / planes;
      last[size_t(i)] = low < 0 ? -1 : high / planes;
    });
    begin.assign(size_t(count) + 1, 0);
    for (size_t i = 0; i < first.size(); ++i)
      for (int s = first[i]; s <= last[i]; ++s) ++begin[size_t(s) + 1];
    for (size_t s = 1; s < begin.size(); ++s) begin[s] += begin[s - 1];
    points.resize(size_t(begin.back()));
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (size_t i = 0; i < first.size(); ++i)
      for (int s = first[i]; s <= last[i]; ++s) points[size_t(next[size_t(s)]++)] = int64_t(i);
  }
};

template <class T>
void grad_x_of(const GridSample& p, const accum_t<T>* grid, const T* gy, T* gx) {
  using A = accum_t<T>;
  constexpr int kPlanes = 4;
  const int64_t plane = int64_t(p.in[1]) * p.in[2] * p.c, volume = plane * p.in[0];
  for (int64_t n = 0; n < p.n; ++n) {
    const A* points = grid + n * p.points * 3;
    const Slabs slabs(p, points, kPlanes);
    parallel_for(int64_t(slabs.begin.size()) - 1, 1, [&](int64_t s) {
      const int d_begin = int(s) * kPlanes, d_end = std::min(p.in[0], d_begin + kPlanes);
      std::vector<A> sum(size_t((d_end - d_begin) * plane), A(0));
      for (int64_t k = slabs.begin[size_t(s)]; k < slabs.begin[size_t(s) + 1]; ++k) {
        const int64_t i = slabs.points[size_t(k)];
        const Corners<A> corners(point_of(points + 3 * i, p), p, d_begin, d_end);
        const T* g = gy + (n * p.points + i) * p.c;
        for (int q = 0; q < corners.count; ++q) {
          A* v = sum.data() + (corners.voxel[q] * p.c - d_begin * plane);
          for (int64_t c = 0; c < p.c; ++c) v[c] += corners.weight[q] * A(g[c]);
        }
      }
      T* out = gx + n * volume + d_begin * plane;
      for (size_t j = 0; j < sum.size(); ++j) out[j] = T(sum[j]);
    });
  }
}

template <class T>
void grad_grid_of(const GridSample& p, const T* x, const accum_t<T>* grid, const T* gy, accum_t<T>* ggrid) {
  using A = accum_t<T>;
  const int64_t volume = int64_t(p.in[0]) * p.in[1] * p.in[2];
  parallel_for(p.n * p.points, std::max<int64_t>(1, kGrain / (8 * (p.c + 4))), [&](int64_t i) {
    const GridPoint<A> q = point_of(grid + 3 * i, p);
    const T *from = x + i / p.points * volume * p.c, *g = gy + i * p.c;
    A sum[3] = {};
    for (int k = 0; k < 8; ++k) {
      const int e[3] = {k >> 2 & 1, k >> 1 & 1, k & 1};
      const int d = q.axis[0].index[e[0]], h = q.axis[1].index[e[1]], w = q.axis[2].index[e[2]];
      if (d < 0 || h < 0 || w < 0) continue;
      const T* v = from + ((int64_t(d) * p.in[1] + h) * p.in[2] + w) * p.c;
      constexpr int64_t kParts = 16;
      A part[kParts] = {}, dot = 0;
      int64_t c = 0;
      for (; c + kParts <= p.c; c += kParts)
        for (int64_t j = 0; j < kParts; ++j) part[j] += A(v[c + j]) * A(g[c + j]);
      for (; c < p.c; ++c) dot += A(v[c]) * A(g[c]);
      for (A each : part) dot += each;
      for (int a = 0; a < 3; ++a) {
        A weight = 1;
        for (int b = 0; b < 3; ++b) weight *= a == b ? q.axis[b].slope[e[b]] : q.axis[b].weight[e[b]];
        sum[a] += weight * dot;
      }
    }
    for (int a = 0; a < 3; ++a) ggrid[3 * i + a] = sum[2 - a];
  });
}

}  // namespace

void grid_sample_forward(Cpu, const GridSample& p, View x, View grid, View y) {
  on_dtype(x.dtype, [&]<class T>() { forward_of(p, x.as<T>(), grid.as<accum_t<T>>(), y.as<T>()); });
}
void grid_sample_grad_x(Cpu, const GridSample& p, View grid, View gy, View gx) {
  on_dtype(gy.dtype, [&]<class T>() { grad_x_of(p, grid.as<accum_t<T>>(), gy.as<T>(), gx.as<T>()); });
}
void grid_sample_grad_grid(Cpu, const GridSample& p, View x, View grid, View gy, View ggrid) {
  on_dtype(gy.dtype, [&]<class T>() { grad_grid_of(p, x.as<T>(), grid.as<accum_t<T>>(), gy.as<T>(), ggrid.as<accum_t<T>>()); });
}

}  // namespace voxgrad
