#include "augment/batch_kernels.h"
#include "augment/voxel_formulas.h"
#include "core/cuda/reduce.h"
#include "kernels/max_pool3d/volume_rows.cuh"

namespace voxgrad {
namespace {

#include "augment/intensity_formulas.h"

constexpr double kLeast = 1e-7;  // range and deviation are taken to be at least this
constexpr int64_t kMostBlocks = 256;

__device__ int64_t voxels_of(const BatchImage& image) { return image.size[0] * image.size[1] * image.size[2]; }
// Voxel v of the channel is [v channels].
__device__ float* channel_of(const BatchImage& image, const BatchChannel& c) {
  return image.data + c.sample * voxels_of(image) * image.channels + c.channel;
}

// f(channel, its first voxel): the channel of this block.
template <class F>
__device__ void for_entry(const BatchImage& image, const BatchChannel* entries, F f) {
  const BatchChannel& c = entries[blockIdx.y];
  f(c, channel_of(image, c));
}

// One axis of a blur; from and to are {entries, voxels}, or null for the image.
__global__ void batch_blur_kernel(VolumeRows rows, BatchImage image, const BatchChannel* entries, const float* weights, int axis,
                                  const float* from, float* to) {
  for_volume(rows, [&](const VolumePlace& o) {
    const BatchChannel& c = entries[o.n];
    const int64_t place[3] = {o.d, o.h, o.w}, stride[3] = {image.size[1] * image.size[2], image.size[2], 1};
    const int64_t voxels = voxels_of(image), at = place[0] * stride[0] + place[1] * stride[1] + place[2];
    const float* const x = from ? from + o.n * voxels : channel_of(image, c);
    const int64_t step = from ? 1 : image.channels, line = at - place[axis] * stride[axis];
    float sum = 0;
    for (int k = -c.half[axis]; k <= c.half[axis]; ++k)
      sum += weights[c.taps[axis] + k + c.half[axis]] *
             x[(line + reflected_index(place[axis] + k, image.size[axis]) * stride[axis]) * step];
    if (to) to[o.n * voxels + at] = sum;
    else channel_of(image, c)[at * image.channels] = sum;
  });
}

__global__ void batch_brightness_kernel(BatchImage image, const BatchChannel* entries) {
  for_entry(image, entries, [&](const BatchChannel& c, float* x) {
    for (int64_t v : grid_stride(voxels_of(image))) x[v * image.channels] *= float(c.factor);
  });
}

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

__global__ void batch_moments_kernel(BatchImage image, const BatchChannel* entries, BatchMoments* partial) {
  for_entry(image, entries, [&](const BatchChannel&, const float* x) {
    BatchMoments m{0, 0, x[0], x[0]};
    for (int64_t v : grid_stride(voxels_of(image))) {
      const float value = x[v * image.channels];
      const double c = double(value - x[0]);
      m.sum += c, m.squares += c * c;
      m.low = Least{}(m.low, value), m.high = Most{}(m.high, value);
    }
    m = block_moments(m);
    if (threadIdx.x == 0) partial[int64_t(blockIdx.y) * gridDim.x + blockIdx.x] = m;
  });
}

struct BatchStats {
  double mean, standard_deviation;  // the latter with n - 1
  float low, high;
};
__global__ void batch_stats_kernel(BatchImage image, const BatchChannel* entries, int64_t blocks, const BatchMoments* partial,
                                   BatchStats* stats) {
  for_entry(image, entries, [&](const BatchChannel&, const float* x) {
    const BatchMoments* const own = partial + int64_t(blockIdx.y) * blocks;
    BatchMoments m{0, 0, x[0], x[0]};
    for (int64_t b = threadIdx.x; b < blocks; b += blockDim.x) {
      m.sum += own[b].sum, m.squares += own[b].squares;
      m.low = Least{}(m.low, own[b].low), m.high = Most{}(m.high, own[b].high);
    }
    m = block_moments(m);
    const double n = double(voxels_of(image)), rest = m.squares - m.sum * m.sum / n;
    if (threadIdx.x == 0)
      stats[blockIdx.y] = {double(x[0]) + m.sum / n, n < 2 ? 0 : sqrt((rest > 0 ? rest : 0) / (n - 1)), m.low, m.high};
  });
}

__global__ void batch_contrast_kernel(BatchImage image, const BatchChannel* entries, const BatchStats* stats) {
  for_entry(image, entries, [&](const BatchChannel& c, float* x) {
    const BatchStats s = stats[blockIdx.y];
    const float mean = float(s.mean), factor = float(c.factor);
    for (int64_t i : grid_stride(voxels_of(image))) {
      const float v = (x[i * image.channels] - mean) * factor + mean;
      x[i * image.channels] = v < s.low ? s.low : v > s.high ? s.high : v;
    }
  });
}

__global__ void batch_gamma_kernel(BatchImage image, const BatchChannel* entries, const BatchStats* stats) {
  for_entry(image, entries, [&](const BatchChannel& c, float* x) {
    const BatchStats s = stats[blockIdx.y];
    const double range = double(s.high) - double(s.low);
    const float sign = c.invert ? -1.f : 1.f, low = c.invert ? -s.high : s.low, width = float(range > kLeast ? range : kLeast);
    for (int64_t i : grid_stride(voxels_of(image)))
      x[i * image.channels] = gamma_of(x[i * image.channels], sign, low, width, float(c.factor));
  });
}

// To the mean and the standard deviation from before.
__global__ void batch_restore_kernel(BatchImage image, const BatchChannel* entries, const BatchStats* before, const BatchStats* after) {
  for_entry(image, entries, [&](const BatchChannel& c, float* x) {
    const BatchStats was = before[blockIdx.y], is = after[blockIdx.y];
    const double scale = was.standard_deviation / (is.standard_deviation > kLeast ? is.standard_deviation : kLeast);
    const float centre = float(is.mean), factor = float(c.invert ? -scale : scale), shift = float(was.mean);
    for (int64_t i : grid_stride(voxels_of(image))) x[i * image.channels] = (x[i * image.channels] - centre) * factor + shift;
  });
}

// to {entries, voxels}: copies of the nearest voxels of the coarse ones, mixed along W, then H, then D.
__global__ void batch_low_resolution_kernel(VolumeRows rows, BatchImage image, const BatchChannel* entries, float* to) {
  for_volume(rows, [&](const VolumePlace& o) {
    const BatchChannel& c = entries[o.n];
    const int64_t place[3] = {o.d, o.h, o.w};
    int64_t source[3][2];
    float f[3];
    for (int a = 0; a < 3; ++a) {
      const CoarsePlace at = coarse_place(place[a], image.size[a], c.coarse[a]);
      source[a][0] = coarse_source(at.lower, image.size[a], c.coarse[a]);
      source[a][1] = coarse_source(at.upper, image.size[a], c.coarse[a]);
      f[a] = at.f;
    }
    const float* const x = channel_of(image, c);
    float slices[2];
    for (int d = 0; d < 2; ++d) {
      float row[2];
      for (int h = 0; h < 2; ++h) {
        const int64_t line = (source[0][d] * image.size[1] + source[1][h]) * image.size[2];
        const float low = x[(line + source[2][0]) * image.channels], high = x[(line + source[2][1]) * image.channels];
        row[h] = low + f[2] * (high - low);
      }
      slices[d] = (1 - f[1]) * row[0] + f[1] * row[1];
    }
    to[o.row * image.size[2] + o.w] = (1 - f[0]) * slices[0] + f[0] * slices[1];
  });
}

__global__ void batch_put_kernel(BatchImage image, const BatchChannel* entries, const float* from) {
  for_entry(image, entries, [&](const BatchChannel&, float* x) {
    const int64_t voxels = voxels_of(image);
    for (int64_t v : grid_stride(voxels)) x[v * image.channels] = from[int64_t(blockIdx.y) * voxels + v];
  });
}

// The entries on the device, and the grids over them.
struct EntryTable {
  const Scratch table;
  const BatchChannel* entries;
  int64_t count, voxels;
  EntryTable(Cuda on, const BatchImage& image, const BatchChannel* host, int64_t n)
      : table(on, host, n * int64_t(sizeof(BatchChannel))), entries(table.as<const BatchChannel>()), count(n),
        voxels(image.size[0] * image.size[1] * image.size[2]) {}
  Grid grid() const {
    Grid g = grid_over(voxels);
    g.y = count;
    return g;
  }
  int64_t bytes() const { return count * voxels * int64_t(sizeof(float)); }
};

// stats {entries}
void stats_of(Cuda on, const BatchImage& image, const EntryTable& e, BatchStats* stats) {
  const int64_t wanted = (e.voxels + 4095) / 4096, blocks = wanted < kMostBlocks ? wanted : kMostBlocks;
  const Scratch partial(on, e.count * blocks * int64_t(sizeof(BatchMoments)));
  launch<batch_moments_kernel>(on, {.x = blocks, .y = e.count}, image, e.entries, partial.as<BatchMoments>());
  launch<batch_stats_kernel>(on, {.y = e.count, .threads = 64}, image, e.entries, blocks, partial.as<const BatchMoments>(), stats);
}

}  // namespace

void batch_blur(Cuda on, const BatchImage& image, const BatchChannel* host, int64_t count, const float* weights, int64_t weight_count) {
  const EntryTable e(on, image, host, count);
  const Scratch taps(on, weights, weight_count * int64_t(sizeof(float))), one(on, e.bytes()), two(on, e.bytes());
  const VolumeRows rows = volume_rows(count, image.size, 1);
  const auto pass = [&](int axis, const float* from, float* to) {
    launch<batch_blur_kernel>(on, rows.grid, rows, image, e.entries, taps.as<const float>(), axis, from, to);
  };
  pass(2, nullptr, one.as<float>());
  pass(1, one.as<float>(), two.as<float>());
  pass(0, two.as<float>(), nullptr);
}

void batch_brightness(Cuda on, const BatchImage& image, const BatchChannel* host, int64_t count) {
  const EntryTable e(on, image, host, count);
  launch<batch_brightness_kernel>(on, e.grid(), image, e.entries);
}

void batch_contrast(Cuda on, const BatchImage& image, const BatchChannel* host, int64_t count) {
  const EntryTable e(on, image, host, count);
  const Scratch stats(on, count * int64_t(sizeof(BatchStats)));
  stats_of(on, image, e, stats.as<BatchStats>());
  launch<batch_contrast_kernel>(on, e.grid(), image, e.entries, stats.as<const BatchStats>());
}

void batch_low_resolution(Cuda on, const BatchImage& image, const BatchChannel* host, int64_t count) {
  const EntryTable e(on, image, host, count);
  const Scratch changed(on, e.bytes());
  const VolumeRows rows = volume_rows(count, image.size, 1);
  launch<batch_low_resolution_kernel>(on, rows.grid, rows, image, e.entries, changed.as<float>());
  launch<batch_put_kernel>(on, e.grid(), image, e.entries, changed.as<const float>());
}

void batch_gamma(Cuda on, const BatchImage& image, const BatchChannel* host, int64_t count) {
  const EntryTable e(on, image, host, count);
  const Scratch before(on, count * int64_t(sizeof(BatchStats))), after(on, count * int64_t(sizeof(BatchStats)));
  stats_of(on, image, e, before.as<BatchStats>());
  launch<batch_gamma_kernel>(on, e.grid(), image, e.entries, before.as<const BatchStats>());
  stats_of(on, image, e, after.as<BatchStats>());
  launch<batch_restore_kernel>(on, e.grid(), image, e.entries, before.as<const BatchStats>(), after.as<const BatchStats>());
}

}  // namespace voxgrad
