#include "augment/batch_kernels.h"
#include "core/rng.h"
#include "kernels/max_pool3d/volume_rows.cuh"

namespace voxgrad {
namespace {

#include "augment/resample_formulas.inl"

// The eight taps of a voxel: where they are in the box, which lie outside of the volume, and their weights.
struct Taps {
  int64_t at[8];
  bool outside[8];
  float weights[8], f[3];

  __device__ Taps(const BatchPatch& b, const VolumePlace& o) {
    const ResampleProblem& p = b.problem;
    double first[3];
    for (int a = 0; a < 3; ++a) first[a] = p.origin[a] + double(o.d) * p.step[0][a] + double(o.h) * p.step[1][a];
    const Row row = row_of(p, first);
    int64_t lower[3];
    for (int a = 0; a < 3; ++a) {
      const float x = row.start[a] + float(o.w) * row.step[a];
      lower[a] = row.corner[a] + int(x);
      f[a] = x - float(int(x));
    }
    weights_of(f[0], f[1], f[2], weights);
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      at[k] = 0;
      outside[k] = false;
      for (int a = 0; a < 3; ++a) {
        int64_t v = lower[a] + (k >> (2 - a) & 1);
        if (v < 0) v = 0, outside[k] = true;
        if (v >= p.size[a]) v = p.size[a] - 1, outside[k] = true;
        at[k] = at[k] * b.size[a] + (v - b.begin[a]);
      }
    }
  }
};

__global__ void batch_resample_kernel(VolumeRows rows, const BatchPatch* patches) {
  for_volume(rows, [&](const VolumePlace& o) {
    const BatchPatch& b = patches[o.n];
    const ResampleProblem& p = b.problem;
    const Taps t(b, o);
    const int64_t to = (int64_t(o.d) * p.patch[1] + o.h) * p.patch[2] + o.w;
    for (int64_t c = 0; c < p.channels; ++c) {
      float sum = 0;
#pragma unroll
      for (int k = 0; k < 8; ++k)
        if (t.weights[k] != 0 && (p.edge || !t.outside[k])) sum += t.weights[k] * p.image[t.at[k] * p.channels + c];
      p.out_image[to * p.channels + c] = sum;
    }
    if (!p.label) return;
    uint8_t labels[8];
    for (int k = 0; k < 8; ++k) labels[k] = t.outside[k] ? p.outside : p.label[t.at[k]];
    p.out_label[to] =
        p.nearest ? labels[(t.f[0] > 0.5f ? 4 : 0) + (t.f[1] > 0.5f ? 2 : 0) + (t.f[2] > 0.5f ? 1 : 0)] : vote(labels, t.weights);
  });
}

// A Philox block gives the noise of two neighbours, as in augment/noise_cpu.cpp.
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

void batch_resample(Cuda on, const BatchPatch* patches, int64_t count) {
  const Scratch table(on, patches, count * int64_t(sizeof(BatchPatch)));
  const VolumeRows rows = volume_rows(count, patches[0].problem.patch, 1);
  launch<batch_resample_kernel>(on, rows.grid, rows, table.as<const BatchPatch>());
}

void batch_noise(Cuda on, const BatchImage& image, const BatchNoise* per_sample) {
  const int64_t elements = image.size[0] * image.size[1] * image.size[2] * image.channels;
  const Scratch table(on, per_sample, image.n * int64_t(sizeof(BatchNoise)));
  Grid grid = grid_over((elements + 1) / 2);
  grid.y = image.n;
  launch<batch_noise_kernel>(on, grid, image.data, elements, table.as<const BatchNoise>());
}

}  // namespace voxgrad
