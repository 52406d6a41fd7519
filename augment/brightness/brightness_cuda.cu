#include "augment/batch_channels.cuh"
#include "augment/brightness/brightness_kernels.h"

namespace voxgrad {
namespace {

__global__ void batch_brightness_kernel(BatchImage image, const BatchChannel* places, const double* factors) {
  float* const x = own_channel(image, places);
  const float factor = float(factors[blockIdx.y]);
  for (int64_t v : grid_stride(voxels_of(image))) x[v * image.channels] *= factor;
}

}  // namespace

void batch_brightness(Cuda on, const BatchImage& image, const BatchChannel* host, const double* factors, int64_t count) {
  const ChannelTable c(on, image, host, count);
  const Scratch table(on, factors, count * int64_t(sizeof(double)));
  launch<batch_brightness_kernel>(on, c.grid(), image, c.places, table.as<const double>());
}

}  // namespace voxgrad
