#include "core/cuda/elements.h"
#include "kernels/grid_sample3d/grid_formulas.h"
#include "kernels/softmax/voxel_groups.cuh"

namespace voxgrad {
namespace {

// f(offset of the voxel in {in, 1}, weight) for the voxels around a point that are inside and count.
template <class F>
__device__ void for_corners(const GridPoint<float>& q, const GridSample& p, F f) {
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    const int a = k >> 2, b = k >> 1 & 1, e = k & 1;
    const int d = q.axis[0].index[a], h = q.axis[1].index[b], w = q.axis[2].index[e];
    const float weight = q.axis[0].weight[a] * q.axis[1].weight[b] * q.axis[2].weight[e];
    if (d >= 0 && h >= 0 && w >= 0 && weight != 0) f((int64_t(d) * p.in[1] + h) * p.in[2] + w, weight);
  }
}
__device__ int64_t volume_of(const GridSample& p) { return int64_t(p.in[0]) * p.in[1] * p.in[2]; }

// `across` threads share a point, and take its packs of channels in turn.
struct PointLoop {
  int64_t points, packs;
  int across;
  Grid grid;
};
PointLoop point_loop(int64_t points, int64_t packs) {
  PointLoop l{.points = points, .packs = packs, .across = 1};
  while (l.across < 128 && l.across < packs) l.across *= 2;
  const int64_t per_block = 128 / l.across, blocks = (points + per_block - 1) / per_block;
  l.grid = {.x = blocks < int64_t(1) << 30 ? blocks : int64_t(1) << 30, .threads = 128};
  return l;
}
// f(point, pack)
template <class F>
__device__ void for_points(const PointLoop& l, F f) {
  const int64_t per_block = blockDim.x / l.across;
  for (int64_t i = int64_t(blockIdx.x) * per_block + threadIdx.x / l.across; i < l.points; i += int64_t(gridDim.x) * per_block)
    for (int64_t pack = threadIdx.x % l.across; pack < l.packs; pack += l.across) f(i, pack);
}

template <class T, int kWidth>
__global__ void grid_sample3d_forward_kernel(PointLoop loop, GridSample p, const T* x, const float* grid, T* y) {
  for_points(loop, [&](int64_t i, int64_t pack) {
    const T* const from = x + i / p.points * volume_of(p) * p.c + pack * kWidth;
    float sum[kWidth] = {};
    for_corners(point_of(grid + 3 * i, p), p, [&](int64_t voxel, float weight) {
      const auto v = load_pack<kWidth>(from + voxel * p.c);
      for (int k = 0; k < kWidth; ++k) sum[k] += weight * float(v.v[k]);
    });
    Pack<T, kWidth> out;
    for (int k = 0; k < kWidth; ++k) out.v[k] = T(sum[k]);
    store_pack(y + i * p.c + pack * kWidth, out);
  });
}

// The gradient of x is summed in 64-bit integers, whose sums do not depend on the order: a unit is 2^-bits, chosen such that the sums of
// one sample cannot overflow. Below 2^21 points that is 2^-41 of its largest |gy|, far finer than the rounding of an f32 sum.
struct FixedPoint {
  double to, from;
  // largest: bits of the largest |gy|, 2^points_log2 at least the number of points. A non-finite one makes everything NaN.
  __device__ FixedPoint(uint32_t largest, int points_log2) {
    const float most = __uint_as_float(largest);
    int exponent = 0;
    if (most > 0 && largest < 0x7f800000u) frexp(double(most), &exponent);
    const int bits = 62 - exponent - points_log2;
    to = ldexp(1.0, bits);
    from = largest < 0x7f800000u ? ldexp(1.0, -bits) : double(__uint_as_float(0x7fc00000u));
  }
};

// largest: bits of max |gy|, which are ordered as the numbers are, NaN last.
template <class T>
__global__ void grid_sample3d_largest_kernel(int64_t n, const T* gy, uint32_t* largest) {
  uint32_t most = 0;
  for (int64_t i : grid_stride(n)) {
    const uint32_t bits = __float_as_uint(float(gy[i])) & 0x7fffffffu;
    most = bits > most ? bits : most;
  }
  for (int step = 16; step > 0; step >>= 1) {
    const uint32_t other = __shfl_xor_sync(0xffffffffu, most, step);
    most = other > most ? other : most;
  }
  if (threadIdx.x % 32 == 0) atomicMax(largest, most);
}

__global__ void grid_sample3d_clear_kernel(int64_t n, unsigned long long* sums, uint32_t* largest) {
  for (int64_t i : grid_stride(n)) sums[i] = 0;
  if (blockIdx.x == 0 && threadIdx.x == 0) *largest = 0;
}

template <class T>
__global__ void grid_sample3d_scatter_kernel(PointLoop loop, GridSample p, int points_log2, const float* grid, const T* gy,
                                             const uint32_t* largest, unsigned long long* sums) {
  const FixedPoint fixed(*largest, points_log2);
  for_points(loop, [&](int64_t i, int64_t c) {
    const float g = float(gy[i * p.c + c]);
    for_corners(point_of(grid + 3 * i, p), p, [&](int64_t voxel, float weight) {
      atomicAdd(sums + voxel * p.c + c, static_cast<unsigned long long>(llrint(double(weight * g) * fixed.to)));
    });
  });
}

template <class T>
__global__ void grid_sample3d_collect_kernel(int64_t n, int points_log2, const uint32_t* largest, const unsigned long long* sums, T* gx) {
  const FixedPoint fixed(*largest, points_log2);
  for (int64_t i : grid_stride(n)) gx[i] = T(float(double(static_cast<long long>(sums[i])) * fixed.from));
}

template <class T, int kGroup>
__global__ void grid_sample3d_gradient_kernel(GridSample p, const T* x, const float* grid, const T* gy, float* ggrid) {
  for_voxel_groups<kGroup>(p.n * p.points, p.c, [&](int64_t i, int64_t channels) {
    GridPoint<float> q{};
    if (channels > 0) q = point_of(grid + 3 * i, p);
    const T *const from = x + (channels > 0 ? i / p.points * volume_of(p) * p.c : 0), *const g = gy + i * p.c;
    float sum[3] = {};
    for (int k = 0; k < 8; ++k) {
      const int e[3] = {k >> 2 & 1, k >> 1 & 1, k & 1};
      const int d = q.axis[0].index[e[0]], h = q.axis[1].index[e[1]], w = q.axis[2].index[e[2]];
      const bool inside = channels > 0 && d >= 0 && h >= 0 && w >= 0;
      float dot = 0;
      if (inside) {
        const T* const v = from + ((int64_t(d) * p.in[1] + h) * p.in[2] + w) * p.c;
        for_lane_channels<kGroup>(channels, [&](int64_t c) { dot += float(v[c]) * float(g[c]); });
      }
      dot = group_sum<kGroup>(dot);
      for (int a = 0; a < 3 && inside; ++a) {
        float weight = 1;
        for (int b = 0; b < 3; ++b) weight *= a == b ? q.axis[b].slope[e[b]] : q.axis[b].weight[e[b]];
        sum[a] += weight * dot;
      }
    }
    if (channels > 0 && threadIdx.x % kGroup == 0)
      for (int a = 0; a < 3; ++a) ggrid[3 * i + a] = sum[2 - a];
  });
}

}  // namespace

void grid_sample_forward(Cuda on, const GridSample& p, View x, View grid, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    on_channel_width<T>(p.c, [&](auto width) {
      constexpr int kWidth = width.value;
      const PointLoop loop = point_loop(p.n * p.points, p.c / kWidth);
      launch<grid_sample3d_forward_kernel<T, kWidth>>(on, loop.grid, loop, p, x.as<T>(), grid.as<float>(), y.as<T>());
    }, x.as<T>(), y.as<T>());
  });
}

void grid_sample_grad_x(Cuda on, const GridSample& p, View grid, View gy, View gx) {
  const int64_t volume = int64_t(p.in[0]) * p.in[1] * p.in[2] * p.c, count = p.points * p.c;
  int points_log2 = 0;
  while (int64_t(1) << points_log2 < p.points) ++points_log2;
  const Scratch sums(on, volume * int64_t(sizeof(unsigned long long))), largest(on, int64_t(sizeof(uint32_t)));
  const PointLoop loop = point_loop(p.points, p.c);
  on_dtype(gy.dtype, [&]<class T>() {
    for (int64_t n = 0; n < p.n; ++n) {
      const T* const g = gy.as<T>() + n * count;
      launch<grid_sample3d_clear_kernel>(on, grid_over(volume), volume, sums.as<unsigned long long>(), largest.as<uint32_t>());
      launch<grid_sample3d_largest_kernel<T>>(on, grid_over(count), count, g, largest.as<uint32_t>());
      launch<grid_sample3d_scatter_kernel<T>>(on, loop.grid, loop, p, points_log2, grid.as<float>() + n * p.points * 3, g,
                                              largest.as<uint32_t>(), sums.as<unsigned long long>());
      launch<grid_sample3d_collect_kernel<T>>(on, grid_over(volume), volume, points_log2, largest.as<uint32_t>(),
                                              sums.as<unsigned long long>(), gx.as<T>() + n * volume);
    }
  });
}

void grid_sample_grad_grid(Cuda on, const GridSample& p, View x, View grid, View gy, View ggrid) {
  on_dtype(gy.dtype, [&]<class T>() {
    on_voxel_group(p.c, [&](auto group) {
      constexpr int kGroup = group.value;
      launch<grid_sample3d_gradient_kernel<T, kGroup>>(on, grid_over_groups(p.n * p.points, kGroup), p, x.as<T>(), grid.as<float>(),
                                                       gy.as<T>(), ggrid.as<float>());
    });
  });
}

}  // namespace voxgrad
