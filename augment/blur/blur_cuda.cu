#include "augment/batch_channels.cuh"
#include "augment/blur/blur_formulas.h"
#include "augment/blur/blur_kernels.h"
#include "kernels/max_pool3d/volume_rows.cuh"

namespace voxgrad {
namespace {

// One axis; from and to are {channels, voxels}, or null for the image.
__global__ void batch_blur_kernel(VolumeRows rows, BatchImage image, const BatchChannel* places, const BatchBlur* blurs,
                                  const float* weights, int axis, const float* from, float* to) {
  for_volume(rows, [&](const VolumePlace& o) {
    const BatchBlur& b = blurs[o.n];
    const int64_t place[3] = {o.d, o.h, o.w}, stride[3] = {image.size[1] * image.size[2], image.size[2], 1};
    const int64_t voxels = voxels_of(image), at = place[0] * stride[0] + place[1] * stride[1] + place[2];
    const float* const x = from ? from + o.n * voxels : channel_of(image, places[o.n]);
    const int64_t step = from ? 1 : image.channels, line = at - place[axis] * stride[axis];
    float sum = 0;
    for (int k = -b.half[axis]; k <= b.half[axis]; ++k)
      sum += weights[b.taps[axis] + k + b.half[axis]] *
             x[(line + reflected_index(place[axis] + k, image.size[axis]) * stride[axis]) * step];
    if (to) to[o.n * voxels + at] = sum;
    else channel_of(image, places[o.n])[at * image.channels] = sum;
  });
}

}  // namespace

void batch_blur(Cuda on, const BatchImage& image, const BatchChannel* host, const BatchBlur* host_blurs, int64_t count,
                const float* weights, int64_t weight_count) {
  const ChannelTable c(on, image, host, count);
  const Scratch blurs(on, host_blurs, count * int64_t(sizeof(BatchBlur)));
  const Scratch taps(on, weights, weight_count * int64_t(sizeof(float))), one(on, c.bytes()), two(on, c.bytes());
  const VolumeRows rows = volume_rows(count, image.size, 1);
  const auto pass = [&](int axis, const float* from, float* to) {
    launch<batch_blur_kernel>(on, rows.grid, rows, image, c.places, blurs.as<const BatchBlur>(), taps.as<const float>(), axis, from, to);
  };
  pass(2, nullptr, one.as<float>());
  pass(1, one.as<float>(), two.as<float>());
  pass(0, two.as<float>(), nullptr);
}

}  // namespace voxgrad
