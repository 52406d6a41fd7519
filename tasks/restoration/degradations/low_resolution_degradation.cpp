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

// Voxels before the image and up to a whole number of boxes, which repeat its border.
struct Extended {
  int before = 0, size = 0, boxes = 0;
};
Extended extended(int n, double factor, Rng& rng) {
  const int before = int(rng.below(int64_t(std::ceil(factor)))), boxes = int(std::ceil((before + n) / factor - 1e-9));
  return {before, std::max(before + n, int(std::lround(boxes * factor))), boxes};
}

// Where boxes begin is drawn, since patches and tiles begin anywhere in an image of low resolution.
Tensor with_low_resolution(const Tensor& image, const Degradation& d, const DegradationDraw& draw) {
  const double factor = draw.s;
  if (factor == 1) return image.clone();
  const Int3 size = volume_size(image);
  Rng rng = draw.rng;
  SeparableMap larger, down, crop;
  Int3 whole = size;
  for (int a = 0; a < 3; ++a) {
    const bool worse = std::find(d.axes.begin(), d.axes.end(), a) != d.axes.end() && size[a] > 1;
    const Extended e = worse ? extended(size[a], factor, rng) : Extended{0, size[a], size[a]};
    whole[a] = e.size;
    down.axis[a] = box_means(e.size, e.boxes);
    std::vector<int> repeated, kept;
    for (int i = 0; i < e.size; ++i) repeated.push_back(std::clamp(i - e.before, 0, size[a] - 1));
    for (int i = 0; i < size[a]; ++i) kept.push_back(i + e.before);
    larger.axis[a] = axis_gather(size[a], repeated);
    crop.axis[a] = axis_gather(e.size, kept);
  }
  return apply_to_volume(crop, resample_nnunet(apply_to_volume(down, apply_to_volume(larger, image)), whole, {}));
}

}  // namespace

DegradationEntry low_resolution_degradation() {
  return {.name = "low_resolution",
          .summary = "means of boxes of s voxels along `axes`, the first of which begins anywhere, then cubic B-splines back to the voxels "
                     "there were",
          .least = 1,
          .most = 1000,
          .strength = "a factor, from 1",
          .apply = with_low_resolution};
}

}  // namespace voxgrad
