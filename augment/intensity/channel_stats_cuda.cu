#include "augment/batch_channels.cuh"
#include "augment/intensity/channel_stats_kernels.h"
#include "core/cuda/reduce.h"

namespace voxgrad {
namespace {

constexpr int64_t kMostBlocks = 256;

// Sums are of x and x^2 less the first voxel.
struct BatchMoments {
  double sum, squares;
  float low, high;
};
struct Least {
  __device__ float operator()(float a, float b) const { return b < a ? b : a; }
};
struct Most {
  __device__ float operator()(float a, float b) const { return b > a ? b : a; }
};
__device__ BatchMoments block_moments(BatchMoments m) {
  return {block_sum(m.sum), block_sum(m.squares), block_fold(m.low, Least{}), block_fold(m.high, Most{})};
}

__global__ void batch_moments_kernel(BatchImage image, const BatchChannel* places, BatchMoments* partial) {
  const float* const x = own_channel(image, places);
  BatchMoments m{0, 0, x[0], x[0]};
  for (int64_t v : grid_stride(voxels_of(image))) {
    const float value = x[v * image.channels];
    const double c = double(value - x[0]);
    m.sum += c;
    m.squares += c * c;
    m.low = Least{}(m.low, value);
    m.high = Most{}(m.high, value);
  }
  m = block_moments(m);
  if (threadIdx.x == 0) partial[int64_t(blockIdx.y) * gridDim.x + blockIdx.x] = m;
}

__global__ void batch_stats_kernel(BatchImage image, const BatchChannel* places, int64_t blocks, const BatchMoments* partial,
                                   BatchStats* stats) {
  const float* const x = own_channel(image, places);
  const BatchMoments* const own = partial + int64_t(blockIdx.y) * blocks;
  BatchMoments m{0, 0, x[0], x[0]};
  for (int64_t b = threadIdx.x; b < blocks; b += blockDim.x) {
    m.sum += own[b].sum;
    m.squares += own[b].squares;
    m.low = Least{}(m.low, own[b].low);
    m.high = Most{}(m.high, own[b].high);
  }
  m = block_moments(m);
  const double n = double(voxels_of(image)), rest = m.squares - m.sum * m.sum / n;
  if (threadIdx.x == 0)
    stats[blockIdx.y] = {double(x[0]) + m.sum / n, n < 2 ? 0 : sqrt((rest > 0 ? rest : 0) / (n - 1)), m.low, m.high};
}

}  // namespace

void batch_stats(Cuda on, const BatchImage& image, const BatchChannel* places, int64_t count, BatchStats* stats) {
  const int64_t voxels = image.size[0] * image.size[1] * image.size[2];
  const int64_t wanted = (voxels + 4095) / 4096, blocks = wanted < kMostBlocks ? wanted : kMostBlocks;
  const Scratch partial(on, count * blocks * int64_t(sizeof(BatchMoments)));
  launch<batch_moments_kernel>(on, {.x = blocks, .y = count}, image, places, partial.as<BatchMoments>());
  launch<batch_stats_kernel>(on, {.y = count, .threads = 64}, image, places, blocks, partial.as<const BatchMoments>(), stats);
}

}  // namespace voxgrad
