#include <algorithm>
#include <cmath>

#include "augment/sample.h"
#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"
#include "tasks/restoration/degradation.h"
#include "tasks/restoration/degradations/sinogram.h"

namespace voxgrad {
namespace {

constexpr double kMetal = 40;        // what it absorbs, in that of a voxel of the value 1
constexpr double kScattered = 5e-3;  // part of the photons that arrives whatever is in the way: rays through metal are saturated by it

// 0, and kMetal within balls of a radius of draw.s mm around random voxels that are brighter than the mean.
Tensor metal_balls(const Tensor& image, const DegradationDraw& draw) {
  Rng rng = draw.rng;
  const auto [mm_z, mm_y, mm_x] = draw.spacing;
  const Int3 size = volume_size(image);
  const int64_t channels = image.dim(3), voxels = int64_t(size.d) * size.h * size.w;
  const double least = mean(image).item();
  const Tensor out = Tensor::zeros(image.shape());
  const auto from = image.data<float>();
  const auto to = out.mutable_data<float>();
  for (int64_t balls = 1 + rng.below(3); balls > 0; --balls) {
    int64_t middle = rng.below(voxels);
    for (int tries = 0; tries < 100 && from[size_t(middle * channels)] <= least; ++tries) middle = rng.below(voxels);
    const int64_t z = middle / size.w / size.h, y = middle / size.w % size.h, x = middle % size.w;
    for (int64_t i = 0; i < voxels; ++i) {
      const double dz = mm_z * double(i / size.w / size.h - z), dy = mm_y * double(i / size.w % size.h - y),
                   dx = mm_x * double(i % size.w - x);
      if (dz * dz + dy * dy + dx * dx > draw.s * draw.s) continue;
      for (int64_t c = 0; c < channels; ++c) to[size_t(i * channels + c)] = kMetal;
    }
  }
  return out;
}

Tensor with_metal(const Tensor& image, const Degradation&, const DegradationDraw& draw) {
  const Unrecorded quiet;
  const Sinogram seen = sinogram_of(image, draw.spacing), metal = sinogram_of(metal_balls(image, draw), draw.spacing);
  const Tensor lines = seen.lines + metal.lines;
  const Tensor arrives = (exp(lines * -kAbsorption) + kScattered) / (1 + kScattered);
  const double low = min(image).item(), high = max(image).item();
  return clamp(with_measured(image, seen, log(arrives) / -kAbsorption), low - (high - low), high + (high - low));
}

}  // namespace

DegradationEntry metal_degradation() {
  return {.name = "metal",
          .summary =
              "one to three balls of a radius of s mm that absorb 40 times as much as voxels of 1 do, seen by rays of which "
              "0.5 % arrives scattered, so that those through metal are saturated: CT, by filtered back-projection, clipped to twice the "
              "range of the image",
          .most = 100000,
          .in_mm = true,
          .apply = with_metal};
}

}  // namespace voxgrad
