#pragma once
// Statistics of what a gather writes, per sample and channel, as its outputs leave the kernel: each warp or block gives the moments of its
// part of a sample, as sums of differences from one of its own outputs, so that nothing is lost where the mean is far above the deviation.
// A small kernel adds the parts in their order, in f64, for a batch norm those of all samples. The sums of the backward pass of a norm
// likewise (GatherSums).
#include "core/cuda/elements.h"
#include "kernels/conv3d/cuda/conv3d_gather.cuh"
#include "kernels/norm/norm_formulas.h"

namespace voxgrad {

// v[0] becomes element lane / 4 % kColumns, added over the lanes of one lane % 4 or, if they are all the same, picked.
template <bool kAdd, int kColumns>
__device__ inline void fold_rows(float (&v)[kColumns], int lane) {
#pragma unroll
  for (int half = 4; half > 0; half /= 2) {
    if (half >= kColumns) {
      if constexpr (kAdd)
        for (float& f : v) f += __shfl_xor_sync(0xffffffffu, f, half * 4);
      continue;
    }
    const bool high = lane / 4 & half;
#pragma unroll
    for (int i = 0; i < half; ++i) {
      const float own = high ? v[i + half] : v[i], other = high ? v[i] : v[i + half];
      if constexpr (kAdd) v[i] = own + __shfl_xor_sync(0xffffffffu, other, half * 4);
      else v[i] = own;
    }
  }
}

// Moments of kColumns of the columns 8 i + 2 (lane % 4) + e of a product of warpgroups, 2 i + e below kColumns, over rows of this lane.
template <int kColumns>
struct RowMoments {
  float origin[kColumns] = {}, sum[kColumns] = {}, square[kColumns] = {};
  int rows = 0;

  // Of the first output of the warp, which is inside wherever any other is: before the first row.
  __device__ void begin(const float (&v)[kColumns]) {
#pragma unroll
    for (int k = 0; k < kColumns; ++k) origin[k] = __shfl_sync(0xffffffffu, v[k], int(threadIdx.x) % 4);
  }
  __device__ void add(const float (&v)[kColumns], bool inside) {
    if (!inside) return;
    ++rows;
#pragma unroll
    for (int k = 0; k < kColumns; ++k) {
      const float d = v[k] - origin[k];
      sum[k] += d;
      square[k] = fmaf(d, d, square[k]);
    }
  }

  // origin[0], sum[0], square[0] become those of the warp, of column lane / 4 % kColumns of this lane, and rows all of its rows.
  __device__ void fold(int lane) {
    fold_rows<false>(origin, lane);
    fold_rows<true>(sum, lane);
    fold_rows<true>(square, lane);
#pragma unroll
    for (int step = 4; step < 32; step *= 2) rows += __shfl_xor_sync(0xffffffffu, rows, step);
  }
  // The moments of the warp, into its part, where `columns` are left from first_channel on.
  __device__ void store(const GatherMoments& into, int64_t part, int channels, int first_channel, int columns) {
    const int lane = int(threadIdx.x) % 32;
    fold(lane);
    const int k = lane / 4 % kColumns, column = k / 2 * 8 + lane % 4 * 2 + k % 2;
    if (lane / 4 < kColumns && column < columns)
      into.set(part, channels, first_channel + column, origin[0], sum[0], square[0]);
    if (lane == 0 && first_channel == 0) into.counts[part] = rows;
  }
};

// Moments of the outputs of a block, `count` of which are inside, for a part. They lie in `memory`, kColumns channels of a
// voxel every `pitch` bytes, and are written over. Threads that share a channel take its outputs in turn; the first output is inside.
template <class T, int kVoxels, int kColumns, int kThreads, class F>
__device__ void store_tile_moments(unsigned char* memory, int pitch, F inside, const GatherMoments& into, int64_t part, int count,
                                   int channels, int first_channel, int columns) {
  constexpr int kTurns = kThreads / kColumns;
  static_assert(kThreads % kColumns == 0);
  const int thread = int(threadIdx.x), m = thread % kColumns, turn = thread / kColumns;
  const auto value = [&](int v) { return float(reinterpret_cast<const T*>(memory + v * pitch)[m]); };
  const float origin = value(0);
  float sum = 0, square = 0;
  for (int v = turn; v < kVoxels; v += kTurns) {
    if (!inside(v)) continue;
    const float d = value(v) - origin;
    sum += d;
    square = fmaf(d, d, square);
  }
  __syncthreads();
  float* const turns = reinterpret_cast<float*>(memory);
  turns[thread] = sum, turns[kThreads + thread] = square;
  __syncthreads();
  if (turn > 0 || m >= columns) return;
  for (int i = 1; i < kTurns; ++i) sum += turns[i * kColumns + m], square += turns[kThreads + i * kColumns + m];
  into.set(part, channels, first_channel + m, origin, sum, square);
  if (first_channel + m == 0) into.counts[part] = count;
}

// One voxel of a channel more, with what normalises x.
__device__ inline void add_gradient(float& sum, float& product, float mean, float factor, float offset, float x, float y, float slope) {
  const float d = x - mean, g = activation_gradient(d * factor + offset, y, slope);
  sum += g;
  product = fmaf(g, d, product);
}

// GatherSums of N channels, over voxels of this thread.
template <int N>
struct NormSums {
  float mean[N] = {}, factor[N] = {}, offset[N] = {}, sum[N] = {}, product[N] = {};

  // Which channel number k is.
  template <class T>
  __device__ void begin(int k, const GatherSums<T>& of, int64_t sample, int channels, int channel) {
    const float* const at = of.coefficients + sample * 3 * channels + channel;
    mean[k] = at[0], factor[k] = at[channels], offset[k] = at[2 * channels];
  }
  __device__ void add(int k, float x, float y, float slope) {
    add_gradient(sum[k], product[k], mean[k], factor[k], offset[k], x, y, slope);
  }
  // The channels of piece `piece` of `here` that are left.
  template <class T>
  __device__ void begin_piece(const GatherSums<T>& of, int64_t sample, int channels, int channel, int here) {
#pragma unroll
    for (int k = 0; k < N; ++k)
      if (k < here) begin(k, of, sample, channels, channel + k);
  }
  template <class T>
  __device__ void add_piece(const GatherSums<T>& of, const Pack<T, N>& y, int64_t at, int here, bool whole) {
    const Pack<T, N> x = of.template load<N>(at, here, whole);
#pragma unroll
    for (int k = 0; k < N; ++k) add(k, float(x.v[k]), k < here ? float(y.v[k]) : 0.f, of.slope);
  }
};

// The sums of a block, of which thread t has piece t % kPieces of N channels, for a part. `memory` is written over.
template <int kPieces, int kThreads, int N, class T>
__device__ void store_tile_sums(unsigned char* memory, const NormSums<N>& own, const GatherSums<T>& into, int64_t part, int channels,
                                int first_channel, int columns) {
  constexpr int kPitch = kThreads + 32 / N;  // 32 channels that follow lie in different banks
  static_assert(kThreads % kPieces == 0);
  float* const all = reinterpret_cast<float*>(memory);
  const int thread = int(threadIdx.x);
  __syncthreads();
#pragma unroll
  for (int k = 0; k < N; ++k) all[k * kPitch + thread] = own.sum[k], all[(N + k) * kPitch + thread] = own.product[k];
  __syncthreads();
  for (int m = thread; m < kPieces * N && m < columns; m += kThreads) {
    const float* const from = all + m % N * kPitch + m / N;
    float sum = 0, product = 0;
    for (int turn = 0; turn < kThreads; turn += kPieces) sum += from[turn], product += from[N * kPitch + turn];
    into.set(part, channels, first_channel + m, sum, product);
  }
}

// run(out) writes the outputs of a gather and, in `parts` parts of all samples, their moments or sums where these are wanted.
template <class T, class F>
void with_moments(Cuda on, const ConvGather& g, GatherOutput<T> out, int64_t parts, F&& run) {
  if (out.sums.totals) {
    const Scratch sums(on, parts * 2 * g.outputs * g.groups * int64_t(sizeof(float)));
    out.sums.parts = sums.as<float>();
    run(out);
    return merge_sums(on, g, parts, out.sums.parts, *out.sums.totals);
  }
  if (!out.statistics) return run(out);
  const Scratch sums(on, parts * 3 * g.outputs * g.groups * int64_t(sizeof(float))), counts(on, parts * int64_t(sizeof(int)));
  out.moments = {sums.as<float>(), counts.as<int>()};
  run(out);
  merge_moments(on, g, parts, out.moments, *out.statistics);
}

}  // namespace voxgrad
