#include <algorithm>
#include <cmath>

#include "augment/sample.h"
#include "data/resample/resample_nnunet.h"
#include "kernels/separable/separable.h"
#include "tasks/restoration/degradation.h"

namespace voxgrad {
namespace {

// Output o is the mean over [o, o + 1) n / m voxels.
AxisMatrix box_means(int n, int m) {
  const double width = double(n) / m;
  return axis_matrix(n, m, [&](int o) {
    std::vector<Tap> taps;
    const double from = o * width, to = (o + 1) * width;
    for (int i = int(from); i < std::min(n, int(std::ceil(to - 1e-9))); ++i) {
      const double part = std::min(to, i + 1.0) - std::max(from, double(i));
      if (part > 1e-9) taps.push_back({i, part / width});
    }
    return taps;
  });
}

Tensor with_low_resolution(const Tensor& image, const Degradation& d, double factor, const Rng&) {
  const Int3 size = volume_size(image);
  Int3 low = size;
  for (const int a : d.axes) low[a] = std::max(1, int(std::lround(size[a] / factor)));
  if (low == size) return image.clone();
  const SeparableMap down = {{box_means(size.d, low.d), box_means(size.h, low.h), box_means(size.w, low.w)}};
  return resample_nnunet(apply_to_volume(down, image), size, {});
}

}  // namespace

DegradationEntry low_resolution_degradation() {
  return {.name = "low_resolution",
          .summary = "means of boxes of s voxels along `axes`, then cubic B-splines back to the voxels there were",
          .least = 1,
          .strength = "a factor, from 1",
          .apply = with_low_resolution};
}

}  // namespace voxgrad
