#include "augment/spatial/resample_kernels.h"
#include "core/cuda/scratch.h"
#include "kernels/max_pool3d/volume_rows.cuh"

namespace voxgrad {
namespace {

#include "augment/spatial/resample_formulas.inl"

// The eight taps of a voxel: where they are in the box, which lie outside of the volume, and their weights.
struct Taps {
  int64_t at[8];
  bool outside[8];
  float weights[8], f[3];

  __device__ Taps(const ResampleProblem& p, const VolumePlace& o) {
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
        at[k] = at[k] * p.held[a] + (v - p.begin[a]);
      }
    }
  }
};

__global__ void batch_resample_kernel(VolumeRows rows, const ResampleProblem* patches) {
  for_volume(rows, [&](const VolumePlace& o) {
    const ResampleProblem& p = patches[o.n];
    const Taps t(p, o);
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

// v becomes matrix v for the `triples` vectors of each voxel; matrices {n, 3, 3}.
__global__ void batch_vectors_kernel(float* vectors, int64_t triples, const float* matrices) {
  float* const x = vectors + int64_t(blockIdx.y) * triples * 3;
  const float* const m = matrices + int64_t(blockIdx.y) * 9;
  for (int64_t i : grid_stride(triples)) {
    const float d = x[3 * i], h = x[3 * i + 1], w = x[3 * i + 2];
    for (int a = 0; a < 3; ++a) x[3 * i + a] = m[3 * a] * d + m[3 * a + 1] * h + m[3 * a + 2] * w;
  }
}

}  // namespace

void batch_resample(Cuda on, const ResampleProblem* patches, int64_t count) {
  const Scratch table(on, patches, count * int64_t(sizeof(ResampleProblem)));
  const VolumeRows rows = volume_rows(count, patches[0].patch, 1);
  launch<batch_resample_kernel>(on, rows.grid, rows, table.as<const ResampleProblem>());
}

void batch_vectors(Cuda on, float* vectors, int64_t n, int64_t triples, const float* matrices) {
  const Scratch table(on, matrices, n * 9 * int64_t(sizeof(float)));
  Grid grid = grid_over(triples);
  grid.y = n;
  launch<batch_vectors_kernel>(on, grid, vectors, triples, table.as<const float>());
}

}  // namespace voxgrad
