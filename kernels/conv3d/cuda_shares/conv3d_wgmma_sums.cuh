#pragma once
// Moments, and sums for the backward pass of a norm (GatherSums), of outputs of products of warpgroups as they leave the kernel.
#include "kernels/conv3d/cuda/conv3d_wgmma_parts.cuh"

namespace voxgrad {

// The voxel within its sample of a row of one half of a product, or -1.
__device__ inline int row_voxel(const ConvGather& g, const WgmmaPlan& plan, const WgmmaItem& item, int thread, int block, int half) {
  int j[3];
  plan.place(block, thread / 32 % 4 * 16 + thread % 32 / 4 + half * 8, j);
  for (int a = 0; a < 3; ++a) j[a] += item.first[a];
  return int(output_voxel(g, 0, j, false));
}

// What was stored of kCount of the columns 8 (i / 2) + 2 (lane % 4) + i % 2 from `column` of the group on, in a row of one half.
template <class T, int kCount, int kSums>
__device__ void stored_values(const ConvGather& g, const GatherOutput<T>& out, int thread, int group, int column, const float (&sum)[kSums],
                              int first, int half, float (&values)[kCount]) {
#pragma unroll
  for (int k = 0; k < kCount; ++k) {
    const int i = first + k, m = column + k / 2 * 8 + thread % 4 * 2 + k % 2;
    values[k] = float(T(sum[i / 2 * 4 + half * 2 + i % 2] + (m < g.outputs ? out.added(group * g.outputs + m) : 0.f)));
  }
}

// The same, of what is not the sum alone, from y: behind a barrier of the warp. voxel: within its sample, -1: none.
template <class T, int kCount>
__device__ void read_stored(const ConvGather& g, const WgmmaItem& item, const GatherOutput<T>& out, int thread, int voxel, int column,
                            float (&values)[kCount]) {
  const int64_t row = ((item.n * g.out_count() + voxel) * g.groups + item.group) * g.outputs;
#pragma unroll
  for (int k = 0; k < kCount; k += 2) {
    const int m = column + k / 2 * 8 + thread % 4 * 2, here = voxel >= 0 ? g.outputs - m : 0;
    Pack<T, 2> pair{};
    if (here > 0) pair = load_here<2>(out.y, row + m, here, out.whole);
    values[k] = float(pair.v[0]), values[k + 1] = float(pair.v[1]);
  }
}

// The moments of the outputs of the products of a warpgroup, of each warp for a part of its own.
template <class T, int kColumns, int kBlocks>
__device__ void store_moments(const ConvGather& g, const WgmmaPlan& plan, const WgmmaItem& item, int64_t tile, const GatherOutput<T>& out,
                              const float (&sum)[kBlocks][kColumns / 2]) {
  if (!item.there) return;
  constexpr int kAtOnce = 4;  // columns of a lane: registers are few
  const int thread = thread_read_anew(), warp = thread / 32 - 4;
  uint32_t inside = 0;  // a bit for each row
#pragma unroll
  for (int row = 0; row < 2 * kBlocks; ++row)
    inside |= uint32_t(row_voxel(g, plan, item, thread, warp / 4 * kBlocks + row / 2, row % 2) >= 0) << row;
#pragma unroll
  for (int q = 0; q < kColumns / 4 / kAtOnce; ++q) {
    RowMoments<kAtOnce> moments;
    const int column = item.column_block * kColumns + q * kAtOnce * 4;
#pragma unroll
    for (int m = 0; m < kBlocks; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float row[kAtOnce];
        stored_values(g, out, thread, item.group, column, sum[m], q * kAtOnce, half, row);
        if (m == 0 && half == 0) moments.begin(row);
        moments.add(row, inside >> (2 * m + half) & 1);
      }
    moments.store(out.moments, tile * kWgmmaConsumers * 4 + warp, g.outputs * g.groups, item.group * g.outputs + column,
                  g.outputs - column);
  }
}

// The same, of what is not the sum alone.
template <class T, int kColumns, int kBlocks>
__device__ void store_moments_of_stored(const ConvGather& g, const WgmmaPlan& plan, const WgmmaItem& item, int64_t tile,
                                        const GatherOutput<T>& out) {
  if (!item.there) return;
  constexpr int kAtOnce = 4;  // as above
  const int thread = thread_read_anew(), warp = thread / 32 - 4;
  __syncwarp();
#pragma unroll 1
  for (int first = 0; first < kColumns; first += kAtOnce * 4) {
    RowMoments<kAtOnce> moments;
    const int column = item.column_block * kColumns + first;
#pragma unroll 1
    for (int r = 0; r < 2 * kBlocks; ++r) {
      float row[kAtOnce];
      const int voxel = row_voxel(g, plan, item, thread, warp / 4 * kBlocks + r / 2, r % 2);
      read_stored(g, item, out, thread, voxel, column, row);
      if (r == 0) moments.begin(row);
      moments.add(row, voxel >= 0);
    }
    moments.store(out.moments, tile * kWgmmaConsumers * 4 + warp, g.outputs * g.groups, item.group * g.outputs + column,
                  g.outputs - column);
  }
}

// What a lane stores of 32 columns of a row, as words: of 16-bit types eight columns side by side, of f32 four pairs, eight columns apart.
template <class T>
struct RowPieces {
  static constexpr int kWidth = sizeof(T) == 2 ? 8 : 2, kPieces = 8 / kWidth, kWords = 2 * int(sizeof(T));
  uint32_t words[kWords];

  // Column k of these, from the first of the 32.
  __device__ static int column(int k, int lane) { return k / kWidth * 8 + lane % 4 * kWidth + k % kWidth; }
  __device__ float value(int k) const {
    if constexpr (sizeof(T) == 4) return __uint_as_float(words[k]);
    else {
      T v;
      v.bits = uint16_t(words[k / 2] >> k % 2 * 16);
      return float(v);
    }
  }
  __device__ Pack<T, kWidth> piece(int p) const {
    if constexpr (sizeof(T) == 2) return pack_of<T>(words);
    else return {{__uint_as_float(words[2 * p]), __uint_as_float(words[2 * p + 1])}};
  }
  __device__ void set(int p, const Pack<T, kWidth>& v) {
    if constexpr (sizeof(T) == 2)
      for (int i = 0; i < 4; ++i) words[i] = v.v[2 * i].bits | uint32_t(v.v[2 * i + 1].bits) << 16;
    else words[2 * p] = __float_as_uint(v.v[0]), words[2 * p + 1] = __float_as_uint(v.v[1]);
  }
  // Of columns 32 q to 32 q + 31 of a product, in a row of one half. All lanes of a warp call it.
  template <int kSums>
  __device__ void make(const float (&sum)[kSums], int q, int half, int lane) {
    const auto value = [&](int i) { return sum[q * 16 + i / 2 * 4 + half * 2 + i % 2]; };
    if constexpr (sizeof(T) == 2) {
      Pack<T, 2> pairs[4];
#pragma unroll
      for (int i = 0; i < 8; ++i) pairs[i / 2].v[i % 2] = T(value(i));
      exchange(pairs, lane, words);
    } else {
#pragma unroll
      for (int i = 0; i < 8; ++i) words[i] = __float_as_uint(value(i));
    }
  }
};

// Of 32 columns from `column` of the group on, over rows of a warp of an item.
template <class T>
struct RowSums : NormSums<8> {
  using Row = RowPieces<T>;

  __device__ void begin_columns(const ConvGather& g, const GatherSums<T>& of, const WgmmaItem& item, int column, int lane) {
#pragma unroll
    for (int k = 0; k < 8; ++k)
      if (const int m = column + Row::column(k, lane); m < g.outputs)
        begin(k, of, item.n, g.outputs * g.groups, item.group * g.outputs + m);
  }
  // Stores kRows rows at these voxels, and adds them; all of what is read of x is on its way at once.
  template <int kRows>
  __device__ void store_rows(const ConvGather& g, const WgmmaItem& item, const int* voxels, int column, int lane,
                             const GatherOutput<T>& out, const Row (&y)[kRows]) {
    const int64_t first = (item.n * g.out_count() * g.groups + item.group) * g.outputs + column;
    const auto each = [&](auto f) {
#pragma unroll
      for (int r = 0; r < kRows; ++r)
#pragma unroll
        for (int p = 0; p < Row::kPieces; ++p) {
          const int m = Row::column(p * Row::kWidth, lane), here = g.outputs - column - m;
          if (voxels[r] >= 0 && here > 0) f(r, p, first + int64_t(voxels[r]) * (g.groups * g.outputs) + m, here);
        }
    };
    Row x[kRows]{};
    each([&](int r, int p, int64_t at, int here) { x[r].set(p, out.sums.template load<Row::kWidth>(at, here, out.whole)); });
    each([&](int r, int p, int64_t at, int here) {
      out.put(y[r].piece(p), at, here);
#pragma unroll
      for (int k = p * Row::kWidth; k < (p + 1) * Row::kWidth; ++k)
        add(k, x[r].value(k), k - p * Row::kWidth < here ? y[r].value(k) : 0.f, out.sums.slope);
    });
  }
  // The sums of the warp, into its part.
  __device__ void store(const ConvGather& g, const GatherSums<T>& into, const WgmmaItem& item, int64_t part, int column, int lane) {
    fold_rows<true>(sum, lane);
    fold_rows<true>(product, lane);
    if (const int m = column + Row::column(lane / 4, lane); m < g.outputs)
      into.set(part, g.outputs * g.groups, item.group * g.outputs + m, sum[0], product[0]);
  }
};

// Outputs of one product of a warpgroup to up to 32 columns, added to the sums of its group's columns.
template <class T>
__device__ inline void store_and_add(const ConvGather& g, const WgmmaPlan& plan, const WgmmaItem& item, int block,
                                     const GatherOutput<T>& out, const float (&sum)[16], RowSums<T>& sums) {
  const int thread = int(threadIdx.x), lane = thread % 32;
  RowPieces<T> y[2];
  int voxels[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    y[half].make(sum, 0, half, lane);
    voxels[half] = row_voxel(g, plan, item, thread, block, half);
  }
  sums.store_rows(g, item, voxels, 0, lane, out, y);
}

// Outputs of the products of a warpgroup, and their sums, of each warp for a part of its own.
template <class T, int kColumns, int kBlocks>
__device__ void store_with_sums(const ConvGather& g, const WgmmaPlan& plan, const WgmmaItem& item, int64_t tile, const GatherOutput<T>& out,
                                const float (&sum)[kBlocks][kColumns / 2]) {
  if (!item.there) return;
  constexpr int kAtOnce = kBlocks > 2 ? 4 : 2 * kBlocks;  // rows
  const int thread = thread_read_anew(), lane = thread % 32, warp = thread / 32 - 4;
  int voxels[2 * kBlocks];
#pragma unroll
  for (int r = 0; r < 2 * kBlocks; ++r) voxels[r] = row_voxel(g, plan, item, thread, warp / 4 * kBlocks + r / 2, r % 2);
#pragma unroll
  for (int q = 0; q < kColumns / 32; ++q) {
    const int column = item.column_block * kColumns + q * 32;
    RowSums<T> sums;
    sums.begin_columns(g, out.sums, item, column, lane);
#pragma unroll
    for (int first = 0; first < 2 * kBlocks; first += kAtOnce) {
      RowPieces<T> y[kAtOnce];
#pragma unroll
      for (int r = 0; r < kAtOnce; ++r) y[r].make(sum[(first + r) / 2], q, r % 2, lane);
      sums.store_rows(g, item, voxels + first, column, lane, out, y);
    }
    sums.store(g, out.sums, item, tile * kWgmmaConsumers * 4 + warp, column, lane);
  }
}

}  // namespace voxgrad
