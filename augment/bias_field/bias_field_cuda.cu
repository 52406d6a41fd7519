#include "augment/batch_channels.cuh"
#include "augment/bias_field/bias_field_formulas.h"
#include "augment/bias_field/bias_field_kernels.h"
#include "augment/intensity/channel_stats_kernels.h"
#include "kernels/max_pool3d/volume_rows.cuh"

namespace voxgrad {
namespace {

__global__ void batch_bias_field_kernel(VolumeRows rows, BatchImage image, const BatchChannel* places, const float* coefficients,
                                        int64_t powers, const BatchStats* stats) {
  for_volume(rows, [&](const VolumePlace& o) {
    const float low = stats[o.n].low;
    const float field = expf(bias_polynomial(coefficients + o.n * powers, bias_place(o.d, image.size[0]), bias_place(o.h, image.size[1]),
                                             bias_place(o.w, image.size[2])));
    float& x = channel_of(image, places[o.n])[((o.d * image.size[1] + o.h) * image.size[2] + o.w) * image.channels];
    x = low + (x - low) * field;
  });
}

}  // namespace

void batch_bias_field(Cuda on, const BatchImage& image, const BatchChannel* host, const float* coefficients, int64_t count,
                      int64_t powers) {
  const ChannelTable c(on, image, host, count);
  const Scratch table(on, coefficients, count * powers * int64_t(sizeof(float))), stats(on, count * int64_t(sizeof(BatchStats)));
  batch_stats(on, image, c.places, count, stats.as<BatchStats>());
  const VolumeRows rows = volume_rows(count, image.size, 1);
  launch<batch_bias_field_kernel>(on, rows.grid, rows, image, c.places, table.as<const float>(), powers, stats.as<const BatchStats>());
}

}  // namespace voxgrad
