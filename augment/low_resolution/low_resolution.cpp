#include "augment/low_resolution/low_resolution.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "augment/channel.h"
#include "augment/intensity/intensity_kernels.h"
#include "augment/low_resolution/low_resolution_formulas.h"
#include "core/device/parallel.h"

namespace voxgrad {

int64_t coarse_extent(int64_t full, double scale) { return std::max<int64_t>(1, std::llrint(double(full) * scale)); }

namespace {

// One axis: extent full of the image, extent low of its coarse version.
struct Axis {
  std::vector<int64_t> source;        // of each coarse voxel: the voxel it is a copy of
  std::vector<int64_t> lower, upper;  // of each voxel: the coarse voxels around it
  std::vector<float> f;               // weight of the upper one
};

Axis axis_of(int64_t full, double scale) {
  Axis a;
  const int64_t low = coarse_extent(full, scale);
  for (int64_t i = 0; i < low; ++i) a.source.push_back(coarse_source(i, full, low));
  for (int64_t i = 0; i < full; ++i) {
    const CoarsePlace place = coarse_place(i, full, low);
    a.lower.push_back(place.lower);
    a.upper.push_back(place.upper);
    a.f.push_back(place.f);
  }
  return a;
}

}  // namespace

void simulate_low_resolution(const Tensor& image, int channel, const Double3& scale) {
  for (int a = 0; a < 3; ++a)
    check(scale[a] > 0 && scale[a] <= 1, "simulate_low_resolution: scale ", scale[a], " on axis ", a, " is not in (0, 1]");
  Channel x("simulate_low_resolution", image, channel);
  const Int3 size = x.size();
  const Axis axes[3] = {axis_of(size.d, scale[0]), axis_of(size.h, scale[1]), axis_of(size.w, scale[2])};
  const int64_t coarse_depth = int64_t(axes[0].source.size()), coarse_height = int64_t(axes[1].source.size());
  const int64_t height = size.h, width = size.w, plane = height * width;
  const Tensor slices = Tensor::empty({coarse_depth, height, width});
  float *from = x.data(), *to = slices.view().as<float>();
  const auto mix = [&](const float* a, const float* b, float f, float* out, int64_t n) {
    const float* rows[2] = {a, b};
    const float weights[2] = {1 - f, f};
    intensity_kernels().weighted_rows(rows, weights, 2, out, n);
  };

  // Coarse slices, brought back to full rows and columns.
  parallel_ranges(coarse_depth, 1, [&](int64_t begin, int64_t end) {
    const Axis& w = axes[2];
    std::vector<float> rows(size_t(coarse_height * width)), coarse(w.source.size());
    for (int64_t d = begin; d < end; ++d) {
      for (int64_t h = 0; h < coarse_height; ++h) {
        const float* row = from + (axes[0].source[size_t(d)] * height + axes[1].source[size_t(h)]) * width;
        for (size_t i = 0; i < coarse.size(); ++i) coarse[i] = row[w.source[i]];
        float* out = rows.data() + h * width;
        for (int64_t i = 0; i < width; ++i) {
          const float a = coarse[size_t(w.lower[size_t(i)])], b = coarse[size_t(w.upper[size_t(i)])];
          out[i] = a + w.f[size_t(i)] * (b - a);
        }
      }
      for (int64_t h = 0; h < height; ++h)
        mix(rows.data() + axes[1].lower[size_t(h)] * width, rows.data() + axes[1].upper[size_t(h)] * width, axes[1].f[size_t(h)],
            to + d * plane + h * width, width);
    }
  });
  parallel_for(size.d, 1, [&](int64_t d) {
    mix(to + axes[0].lower[size_t(d)] * plane, to + axes[0].upper[size_t(d)] * plane, axes[0].f[size_t(d)], from + d * plane, plane);
  });
}

}  // namespace voxgrad
