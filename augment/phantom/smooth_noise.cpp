#include "augment/phantom/smooth_noise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// Four grid points and their B-spline weights for each voxel of one axis.
struct Spline {
  int64_t points;
  std::vector<int64_t> first;
  std::vector<std::array<float, 4>> weights;

  Spline(int64_t extent, double cells) : points(int64_t(std::ceil(cells)) + 3) {
    for (int64_t i = 0; i < extent; ++i) {
      const double at = (double(i) + 0.5) * cells / double(extent), t = at - std::floor(at), u = 1 - t;
      first.push_back(int64_t(at));
      weights.push_back({float(u * u * u / 6), float((3 * t * t * t - 6 * t * t + 4) / 6), float((3 * u * u * u - 6 * u * u + 4) / 6),
                         float(t * t * t / 6)});
    }
  }
};

// out[i] = sum of weights[k] from[k stride + i], i in [0, n).
void mix_rows(const float* from, int64_t stride, const std::array<float, 4>& weights, float* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = weights[0] * from[i] + weights[1] * from[stride + i] + weights[2] * from[2 * stride + i] + weights[3] * from[3 * stride + i];
}

}  // namespace

Tensor smooth_noise(Int3 size, const Double3& cells, Rng rng) {
  for (int a = 0; a < 3; ++a)
    check(size[a] >= 1 && cells[size_t(a)] > 0 && cells[size_t(a)] <= 4096, "smooth_noise: ", cells[size_t(a)], " cells on axis ", a,
          " of ", size, " voxels");
  const Spline axes[3] = {{size.d, cells[0]}, {size.h, cells[1]}, {size.w, cells[2]}};
  const int64_t rows = axes[1].points, columns = axes[2].points, grid_plane = rows * columns;
  // The squared weights of one axis sum to 151/315 on average over the position.
  const float scale = float(std::pow(315.0 / 151.0, 1.5));
  std::vector<float> grid(size_t(axes[0].points * grid_plane));
  for (auto& v : grid) v = scale * float(rng.normal());

  const Tensor noise = Tensor::empty({size.d, size.h, size.w});
  float* out = noise.view().as<float>();
  parallel_ranges(size.d, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> plane(static_cast<size_t>(grid_plane)), row(static_cast<size_t>(columns));
    for (int64_t d = begin; d < end; ++d) {
      mix_rows(grid.data() + axes[0].first[size_t(d)] * grid_plane, grid_plane, axes[0].weights[size_t(d)], plane.data(), grid_plane);
      for (int64_t h = 0; h < size.h; ++h) {
        mix_rows(plane.data() + axes[1].first[size_t(h)] * columns, columns, axes[1].weights[size_t(h)], row.data(), columns);
        float* y = out + (d * size.h + h) * size.w;
        for (int64_t w = 0; w < size.w; ++w) {
          const float* x = row.data() + axes[2].first[size_t(w)];
          const auto& k = axes[2].weights[size_t(w)];
          y[w] = k[0] * x[0] + k[1] * x[1] + k[2] * x[2] + k[3] * x[3];
        }
      }
    }
  });
  return noise;
}

}  // namespace voxgrad
