#pragma once
// Walks over x {samples, voxels, channels}: a thread keeps kWidth neighbouring channels and takes every step-th voxel of a chunk of one
// sample, so that a warp reads whole lines and what belongs to a channel stays in registers.
#include "core/cuda/elements.h"
#include "kernels/norm/norm_formulas.h"
#include "kernels/norm/norm_kernels.h"

namespace voxgrad {

inline constexpr int kNormThreads = 256;

// A function of the extents, the width and the fewest voxels of a thread alone.
struct NormTiles {
  int64_t voxels, channels, chunk, chunks;  // chunk: voxels of a block; chunks of a sample
  int lanes, step;                          // threads along the channels; voxels that a block takes at once
  Grid grid;
};

inline NormTiles norm_tiles(int64_t samples, int64_t voxels, int64_t channels, int width, int64_t few = 8) {
  constexpr int64_t kBlocks = 1024, kMostChunks = 2048, kManyVoxels = 64;  // voxels of a thread
  NormTiles t{.voxels = voxels, .channels = channels};
  const int64_t packs = channels / width, slabs = (packs + kNormThreads - 1) / kNormThreads;
  t.lanes = packs < kNormThreads ? int(packs) : kNormThreads;
  t.step = kNormThreads / t.lanes;
  for (int64_t each = few;; each *= 2) {
    t.chunk = each * t.step;
    t.chunks = (voxels + t.chunk - 1) / t.chunk;
    if (t.chunks == 1 || (t.chunks <= kMostChunks && (each >= kManyVoxels || t.chunks * samples * slabs <= kBlocks))) break;
  }
  t.grid = {.x = samples * t.chunks, .y = slabs, .threads = kNormThreads};
  return t;
}

// What one thread does: voxels begin + first, begin + first + step, .. below end.
struct NormPlace {
  int64_t sample, chunk, channel, begin, end;
  int first;
  bool inside;
};
template <int kWidth>
__device__ NormPlace norm_place(const NormTiles& t) {
  const int thread = int(threadIdx.x);
  NormPlace p;
  p.sample = int64_t(blockIdx.x) / t.chunks;
  p.chunk = int64_t(blockIdx.x) - p.sample * t.chunks;
  p.channel = (int64_t(blockIdx.y) * kNormThreads + thread % t.lanes) * kWidth;
  p.first = thread / t.lanes;
  p.begin = p.chunk * t.chunk;
  p.end = p.begin + t.chunk < t.voxels ? p.begin + t.chunk : t.voxels;
  p.inside = p.first < t.step && p.channel < t.channels;
  return p;
}

// f(index in x of the thread's channels) for its voxels.
template <class F>
__device__ void for_voxels(const NormTiles& t, const NormPlace& p, F f) {
  if (!p.inside) return;
  const int64_t from = p.sample * t.voxels * t.channels + p.channel;
#pragma unroll 4
  for (int64_t v = p.begin + p.first; v < p.end; v += t.step) f(from + v * t.channels);
}

// a and b summed over the threads of the block that share channels: in those whose `first` is 0. All threads call it.
template <int kWidth>
__device__ void fold_voxels(const NormTiles& t, const NormPlace& p, float (&a)[kWidth], float (&b)[kWidth]) {
  VOXGRAD_SHARED(float, sums, [2 * kWidth][kNormThreads]);
  const int thread = int(threadIdx.x);
  for (int k = 0; k < kWidth; ++k) sums[k][thread] = a[k], sums[kWidth + k][thread] = b[k];
  for (int left = t.step; left > 1;) {
    const int half = (left + 1) / 2;
    __syncthreads();
    if (p.first + half < left)
      for (int k = 0; k < 2 * kWidth; ++k) sums[k][thread] += sums[k][thread + half * t.lanes];
    left = half;
  }
  for (int k = 0; k < kWidth; ++k) a[k] = sums[k][thread], b[k] = sums[kWidth + k][thread];
}

// stats {3, samples, groups}.
struct NormStats {
  float *mean, *rest, *rstd;
  NormStats(const NormProblem& p, View v) : mean(v.as<float>()), rest(mean + p.samples * p.groups), rstd(rest + p.samples * p.groups) {}
  __device__ NormStatistic<float> operator[](int64_t i) const { return {mean[i], rest[i], rstd[i]}; }
  __device__ void set(int64_t i, const NormStatistic<float>& s) const { mean[i] = s.mean, rest[i] = s.rest, rstd[i] = s.rstd; }
};

// Whether each row of channels has a statistic of its own.
inline bool norm_by_rows(const NormProblem& p) { return p.voxels == 1 && p.groups == 1 && !p.constant_statistics; }

// kernels/norm/norm_rows_cuda.cu: those.
void norm_row_statistics(Cuda, const NormProblem&, View x, View stats);
void norm_row_apply(Cuda, const NormProblem&, View x, View stats, View scale, View shift, View y);
void norm_row_backward(Cuda, const NormProblem&, View x, View gy, View stats, View scale, const NormGradients&);

// scale and shift gradients {channels} from sums {samples, channels, 2} of g and g xhat; either may be null.
void norm_finish_parameters(Cuda, int64_t samples, int64_t channels, const double* sums, View gscale, View gshift);

}  // namespace voxgrad
