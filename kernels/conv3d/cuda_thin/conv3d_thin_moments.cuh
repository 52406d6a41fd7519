#pragma once
// Moments of the outputs of a tile of conv3d_thin_kernel, and sums for the backward pass of a norm (conv3d_moments.cuh): each warp leaves
// its own in shared memory, and once all are there, which is when the next tile begins, 32 threads add them up as those of one part.
#include "kernels/conv3d/cuda_shares/conv3d_moments.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_thin.cuh"

namespace voxgrad {

// The channel of column 2 lane + e of the eight columns j: those of a lane lie side by side, so that it stores up to 16 bytes at once.
template <class T, int kEights>
__device__ int thin_channel(int j, int lane, int e) {
  constexpr int kStored = 2 * kEights < kPackWidth<T> ? 2 * kEights : kPackWidth<T>, kPairs = kStored / 2;
  return j / kPairs * 4 * kStored + lane * kStored + j % kPairs * 2 + e;
}

// What the warps of a block leave: three numbers of each column, and how many outputs they are of.
template <int kColumns>
struct ThinLeft {
  float number[kThinWarps][3][kColumns];
  int rows[kThinWarps];
};

// Line i of the lines of a warp, of the tile with these first outputs, and half of its sixteen: the element of y within its sample, of
// channel 0, of this lane, or -1 where there is none. Elements of a sample are counted in int.
__device__ inline int thin_element(const ConvGather& g, const ThinTile& t, const int (&first)[3], int thread, int i, int half) {
  const int line = thread / 32 * kThinLinesPerWarp + i, w = first[2] + thread % 32 / 4 + 8 * half;
  const int d = first[0] + line / t.extent[1], h = first[1] + line % t.extent[1];
  if (d >= g.axis[0].count || h >= g.axis[1].count || w >= g.axis[2].count) return -1;
  const int row = (g.axis[0].first + d * g.axis[0].step) * g.axis[1].out + g.axis[1].first + h * g.axis[1].step;
  return (row * g.axis[2].out + g.axis[2].first + w * g.axis[2].step) * g.outputs;
}

// The moments of a warp's outputs, of which the first one is there if any is.
template <class T, int kEights>
__device__ void leave_moments(const ConvGather& g, const ThinTile& t, int64_t n, const int (&first)[3],
                              const float (&sum)[kThinLinesPerWarp][kEights][4], int column0, const GatherOutput<T>& out,
                              ThinLeft<8 * kEights>& left) {
  constexpr int kAtOnce = 8 / int(sizeof(T));  // channels that lie side by side: registers are few
  const int thread = thread_read_anew(), warp = thread / 32, lane = thread % 32;
  uint32_t inside = 0;  // a bit for each
#pragma unroll
  for (int i = 0; i < 2 * kThinLinesPerWarp; ++i) inside |= uint32_t(thin_element(g, t, first, thread, i / 2, i % 2) >= 0) << i;
#pragma unroll
  for (int j = 0; j < kEights; j += kAtOnce / 2) {
    const int column = thin_channel<T, kEights>(j, lane % 4, 0), m = column0 + column;
    RowMoments<kAtOnce> own;
#pragma unroll
    for (int i = 0; i < 2 * kThinLinesPerWarp; ++i) {
      float v[kAtOnce];
#pragma unroll
      for (int k = 0; k < kAtOnce; ++k) v[k] = float(T(sum[i / 2][j + k / 2][i % 2 * 2 + k % 2]));
      if (out.ends() && inside >> i & 1 && m < g.outputs) {
        const int64_t at = n * g.out_count() * g.outputs + thin_element(g, t, first, thread, i / 2, i % 2) + m;
        const Pack<T, kAtOnce> y = load_here<kAtOnce>(out.y, at, g.outputs - m, out.whole);  // which this thread has stored
#pragma unroll
        for (int k = 0; k < kAtOnce; ++k) v[k] = float(y.v[k]);
      }
      if (i == 0) own.begin(v);
      own.add(v, inside >> i & 1);
    }
    own.fold(lane);
    const int k = lane / 4 % kAtOnce;
    if (lane / 4 < kAtOnce)
      left.number[warp][0][column + k] = own.origin[0], left.number[warp][1][column + k] = own.sum[0],
      left.number[warp][2][column + k] = own.square[0];
    if (lane == 0) left.rows[warp] = own.rows;
  }
}

// The same, of the sums of GatherSums.
template <class T, int kEights>
__device__ void leave_sums(const ConvGather& g, const ThinTile& t, int64_t n, const int (&first)[3],
                           const float (&sum)[kThinLinesPerWarp][kEights][4], int column0, const GatherOutput<T>& out,
                           ThinLeft<8 * kEights>& left) {
  constexpr int kAtOnce = 4;
  const int thread = thread_read_anew(), warp = thread / 32, lane = thread % 32;
#pragma unroll
  for (int j = 0; j < kEights; j += kAtOnce / 2) {
    const int column = thin_channel<T, kEights>(j, lane % 4, 0), m = column0 + column, here = g.outputs - m;
    NormSums<kAtOnce> own;
    own.begin_piece(out.sums, n, g.outputs, m, here);
#pragma unroll
    for (int i = 0; i < kThinLinesPerWarp; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int at = thin_element(g, t, first, thread, i, half);
        if (at < 0 || here <= 0) continue;
        Pack<T, kAtOnce> y;
#pragma unroll
        for (int k = 0; k < kAtOnce; ++k) y.v[k] = T(sum[i][j + k / 2][half * 2 + k % 2]);
        own.add_piece(out.sums, y, n * g.out_count() * g.outputs + at + m, here, out.whole);
      }
    fold_rows<true>(own.sum, lane);
    fold_rows<true>(own.product, lane);
    const int k = lane / 4 % kAtOnce;
    if (lane / 4 < kAtOnce) left.number[warp][0][column + k] = own.sum[0], left.number[warp][1][column + k] = own.product[0];
  }
}

// By the first threads of the block, of what `warps` warps have left: behind a barrier.
template <class T, int kColumns>
__device__ void add_left(const ThinLeft<kColumns>& left, int warps, int64_t part, int column0, int outputs, const GatherOutput<T>& out) {
  const int c = int(threadIdx.x), m = column0 + c;
  if (c >= kColumns || m >= outputs) return;
  if (out.sums.parts) {
    float sum = 0, product = 0;
    for (int w = 0; w < warps; ++w) sum += left.number[w][0][c], product += left.number[w][1][c];
    return out.sums.set(part, outputs, m, sum, product);
  }
  // Differences from one origin are those from another and its distance. The first warp has outputs where any has.
  const float origin = left.number[0][0][c];
  float sum = 0, square = 0;
  int rows = 0;
  for (int w = 0; w < warps; ++w) {
    if (left.rows[w] == 0) continue;
    const float apart = left.number[w][0][c] - origin, own = left.number[w][1][c], n = float(left.rows[w]);
    sum += fmaf(n, apart, own);
    square += fmaf(apart, fmaf(n, apart, 2 * own), left.number[w][2][c]);
    rows += left.rows[w];
  }
  out.moments.set(part, outputs, m, origin, sum, square);
  if (m == 0) out.moments.counts[part] = rows;
}

}  // namespace voxgrad
