#include "augment/batch_channels.cuh"
#include "augment/gamma/gamma_kernels.h"
#include "augment/intensity/channel_stats_kernels.h"

namespace voxgrad {
namespace {

#include "augment/gamma/gamma_formulas.h"

constexpr double kLeast = 1e-7;  // range and deviation are taken to be at least this

__global__ void batch_gamma_kernel(BatchImage image, const BatchChannel* places, const BatchGamma* curves, const BatchStats* stats) {
  float* const x = own_channel(image, places);
  const BatchGamma c = curves[blockIdx.y];
  const BatchStats s = stats[blockIdx.y];
  const double range = double(s.high) - double(s.low);
  const float sign = c.invert ? -1.f : 1.f, low = c.invert ? -s.high : s.low, width = float(range > kLeast ? range : kLeast);
  for (int64_t i : grid_stride(voxels_of(image)))
    x[i * image.channels] = gamma_of(x[i * image.channels], sign, low, width, float(c.gamma));
}

// To the mean and the standard deviation from before.
__global__ void batch_restore_kernel(BatchImage image, const BatchChannel* places, const BatchGamma* curves, const BatchStats* before,
                                     const BatchStats* after) {
  float* const x = own_channel(image, places);
  const BatchStats was = before[blockIdx.y], is = after[blockIdx.y];
  const double scale = was.standard_deviation / (is.standard_deviation > kLeast ? is.standard_deviation : kLeast);
  const float centre = float(is.mean), factor = float(curves[blockIdx.y].invert ? -scale : scale), shift = float(was.mean);
  for (int64_t i : grid_stride(voxels_of(image))) x[i * image.channels] = (x[i * image.channels] - centre) * factor + shift;
}

}  // namespace

void batch_gamma(Cuda on, const BatchImage& image, const BatchChannel* host, const BatchGamma* host_curves, int64_t count) {
  const ChannelTable c(on, image, host, count);
  const Scratch curves(on, host_curves, count * int64_t(sizeof(BatchGamma)));
  const Scratch before(on, count * int64_t(sizeof(BatchStats))), after(on, count * int64_t(sizeof(BatchStats)));
  batch_stats(on, image, c.places, count, before.as<BatchStats>());
  launch<batch_gamma_kernel>(on, c.grid(), image, c.places, curves.as<const BatchGamma>(), before.as<const BatchStats>());
  batch_stats(on, image, c.places, count, after.as<BatchStats>());
  launch<batch_restore_kernel>(on, c.grid(), image, c.places, curves.as<const BatchGamma>(), before.as<const BatchStats>(),
                               after.as<const BatchStats>());
}

}  // namespace voxgrad
