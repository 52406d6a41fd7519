#include "augment/batch_channels.cuh"
#include "augment/contrast/contrast_kernels.h"
#include "augment/intensity/channel_stats_kernels.h"

namespace voxgrad {
namespace {

__global__ void batch_contrast_kernel(BatchImage image, const BatchChannel* places, const double* factors, const BatchStats* stats) {
  float* const x = own_channel(image, places);
  const BatchStats s = stats[blockIdx.y];
  const float mean = float(s.mean), factor = float(factors[blockIdx.y]);
  for (int64_t i : grid_stride(voxels_of(image))) {
    const float v = (x[i * image.channels] - mean) * factor + mean;
    x[i * image.channels] = v < s.low ? s.low : v > s.high ? s.high : v;
  }
}

}  // namespace

void batch_contrast(Cuda on, const BatchImage& image, const BatchChannel* host, const double* factors, int64_t count) {
  const ChannelTable c(on, image, host, count);
  const Scratch table(on, factors, count * int64_t(sizeof(double))), stats(on, count * int64_t(sizeof(BatchStats)));
  batch_stats(on, image, c.places, count, stats.as<BatchStats>());
  launch<batch_contrast_kernel>(on, c.grid(), image, c.places, table.as<const double>(), stats.as<const BatchStats>());
}

}  // namespace voxgrad
