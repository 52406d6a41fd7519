#include "augment/batch_channels.cuh"
#include "augment/low_resolution/low_resolution_formulas.h"
#include "augment/low_resolution/low_resolution_kernels.h"
#include "kernels/max_pool3d/volume_rows.cuh"

namespace voxgrad {
namespace {

// to {channels, voxels}: copies of the nearest voxels of the coarse ones, mixed along W, then H, then D.
__global__ void batch_low_resolution_kernel(VolumeRows rows, BatchImage image, const BatchChannel* places, const BatchCoarse* coarse,
                                            float* to) {
  for_volume(rows, [&](const VolumePlace& o) {
    const BatchCoarse& low = coarse[o.n];
    const int64_t place[3] = {o.d, o.h, o.w};
    int64_t source[3][2];
    float f[3];
    for (int a = 0; a < 3; ++a) {
      const CoarsePlace at = coarse_place(place[a], image.size[a], low.size[a]);
      source[a][0] = coarse_source(at.lower, image.size[a], low.size[a]);
      source[a][1] = coarse_source(at.upper, image.size[a], low.size[a]);
      f[a] = at.f;
    }
    const float* const x = channel_of(image, places[o.n]);
    float slices[2];
    for (int d = 0; d < 2; ++d) {
      float row[2];
      for (int h = 0; h < 2; ++h) {
        const int64_t line = (source[0][d] * image.size[1] + source[1][h]) * image.size[2];
        const float lower = x[(line + source[2][0]) * image.channels], upper = x[(line + source[2][1]) * image.channels];
        row[h] = lower + f[2] * (upper - lower);
      }
      slices[d] = (1 - f[1]) * row[0] + f[1] * row[1];
    }
    to[o.row * image.size[2] + o.w] = (1 - f[0]) * slices[0] + f[0] * slices[1];
  });
}

__global__ void batch_put_kernel(BatchImage image, const BatchChannel* places, const float* from) {
  float* const x = own_channel(image, places);
  const int64_t voxels = voxels_of(image);
  for (int64_t v : grid_stride(voxels)) x[v * image.channels] = from[int64_t(blockIdx.y) * voxels + v];
}

}  // namespace

void batch_low_resolution(Cuda on, const BatchImage& image, const BatchChannel* host, const BatchCoarse* host_coarse, int64_t count) {
  const ChannelTable c(on, image, host, count);
  const Scratch coarse(on, host_coarse, count * int64_t(sizeof(BatchCoarse))), changed(on, c.bytes());
  const VolumeRows rows = volume_rows(count, image.size, 1);
  launch<batch_low_resolution_kernel>(on, rows.grid, rows, image, c.places, coarse.as<const BatchCoarse>(), changed.as<float>());
  launch<batch_put_kernel>(on, c.grid(), image, c.places, changed.as<const float>());
}

}  // namespace voxgrad
