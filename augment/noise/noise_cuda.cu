#include "augment/noise/noise_kernels.h"
#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "core/rng.h"

namespace voxgrad {
namespace {

// A Philox block gives the noise of two neighbours, as on the CPU.
__global__ void batch_noise_kernel(float* image, int64_t elements, const BatchNoise* per_sample) {
  const BatchNoise noise = per_sample[blockIdx.y];
  float* const x = image + int64_t(blockIdx.y) * elements;
  if (noise.sigma == 0) return;
  for (int64_t pair : grid_stride((elements + 1) / 2)) {
    const Random128 r = philox(noise.key, uint64_t(pair));
    x[2 * pair] += noise.sigma * normal_of(r.word[0], r.word[1]);
    if (2 * pair + 1 < elements) x[2 * pair + 1] += noise.sigma * normal_of(r.word[2], r.word[3]);
  }
}

}  // namespace

void batch_noise(Cuda on, const BatchImage& image, const BatchNoise* per_sample) {
  const int64_t elements = image.size[0] * image.size[1] * image.size[2] * image.channels;
  const Scratch table(on, per_sample, image.n * int64_t(sizeof(BatchNoise)));
  Grid grid = grid_over((elements + 1) / 2);
  grid.y = image.n;
  launch<batch_noise_kernel>(on, grid, image.data, elements, table.as<const BatchNoise>());
}

}  // namespace voxgrad
