#pragma once
// Depthwise convolutions of 16-bit types on the tensor cores. Eight channels of two taps along W are what a product of 16 voxels sums over,
// and the weights are two diagonals of eight, of which a lane keeps at most one element per tap. So 15/16 of what is multiplied are zeros,
// and it still takes fewer cycles than the same multiply-adds one by one, and a sixth of the instructions. A NaN or infinity reaches the
// other channels of its eight, as zeros are multiplied by it.
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise.cuh"

namespace voxgrad {

// The bytes of a pair of weights, of taps that are neighbours along W, that are this lane's part of either's diagonal.
struct DepthwiseDiagonal {
  uint32_t first, second;  // as chosen_bytes takes them; zeros
  __device__ explicit DepthwiseDiagonal(int lane) {
    const bool mine = lane / 8 == lane % 4, high = lane / 4 % 2;
    first = !mine ? 0x4444 : high ? 0x1044 : 0x4410;
    second = !mine ? 0x4444 : high ? 0x3244 : 0x4432;
  }
};

// Weights as words {taps along D, along H, pairs of taps along W, channels}; what is beyond the last tap or channel is zero.
template <class T, int kD, int kTaps>
__device__ void fill_depthwise_weights(const ConvGather& g, const WeightPack& pack, int first, int channels, const float* w,
                                       uint32_t* words) {
  constexpr int kPairs = (kTaps + 1) / 2;
  for (int i = int(threadIdx.x); i < kD * kTaps * kPairs * channels; i += kDepthwiseThreads) {
    const int channel = first + i % channels, pair = i / channels % kPairs, row = i / channels / kPairs;
    float value[2] = {};
    for (int e = 0; e < 2; ++e)
      if (channel < g.groups && 2 * pair + e < kTaps) value[e] = weight_of(g, pack, w, channel, row * kTaps + 2 * pair + e, 0, 0);
    words[i] = pair_of<T>(value[0], value[1]);
  }
}

// A warp has eight channels of kRows rows of 16 outputs.
template <class T, int kD, int kTaps>
__global__ void __launch_bounds__(kDepthwiseThreads, kTaps == 3 ? 2 : 1)
    conv3d_depthwise_mma_kernel(ConvGather g, DepthwisePlan plan, WeightPack pack, DepthwiseAccess access, const T* x, const float* w,
                                GatherOutput<T> out) {
  constexpr int kRows = depthwise_rows(kTaps), kStages = depthwise_stages(2, kTaps), kPairs = kTaps / 2, kWords = kPairs + 1;
  VOXGRAD_DYNAMIC_SHARED(memory);
  const DepthwiseBlock block(g, plan, sizeof(T));
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, eight = warp & (plan.pieces() - 1);
  const int row0 = (warp >> plan.bits) * kRows, channels = 8 << plan.bits;
  unsigned char* const staged = memory + kStages * plan.plane_bytes();
  uint32_t* const words = reinterpret_cast<uint32_t*>(staged + 2 * plan.tile_bytes());
  fill_depthwise_weights<T, kD, kTaps>(g, pack, block.channel, channels, w, words);
  const auto halo = depthwise_halo<T, DepthwiseSquare<T, kTaps>, kStages>(g, plan, block, 0, access, x, memory);
  const DepthwiseWalk<kStages> walk{block.planes(g, plan) + kD - 1};
  walk.begin(halo);
  // Outputs of a plane, from where they are staged. 2^bits divides the number of threads, so that a thread's pieces lie whole rows apart
  // and have one place along W; the first rows of planes of y are `to`, one after the other.
  const int64_t row = int64_t(g.axis[2].count) * g.groups;
  int64_t to = (((block.n * g.axis[0].count + block.d) * g.axis[1].count + block.h) * g.axis[2].count + block.w) * g.groups + block.channel;
  const bool plain = out.whole && !out.residual && !out.coefficients && out.slope == 1;
  const auto store = [&](int step) {
    const int thread = thread_read_anew(), c = thread & (plan.pieces() - 1), v = (thread >> plan.bits) % kDepthwiseWidth;
    const int left = g.axis[1].count - block.h, rows = left < plan.rows ? left : plan.rows, here = g.groups - block.channel - c * 8;
    int y = thread / kDepthwiseWidth >> plan.bits;
    const int more = kDepthwiseThreads / kDepthwiseWidth >> plan.bits, row_bytes = kDepthwiseWidth * 16 << plan.bits;
    const unsigned char* from = staged + step % 2 * plan.tile_bytes() + ((v << plan.bits) + depthwise_place<T>(v, c, plan.bits)) * 16;
    int64_t at = to + y * row + v * g.groups + c * 8;
    to += g.axis[1].count * row;
    if (block.w + v >= g.axis[2].count || here <= 0) return;
#pragma unroll 1
    for (; y < rows; y += more, at += more * row) {
      const Pack<T, 8> sums = load_pack<8>(reinterpret_cast<const T*>(from + y * row_bytes));
      if (plain) store_pack(out.y + at, sums);
      else out.store(sums, block.channel + c * 8, at, here);
    }
  };
  __syncthreads();
  const DepthwiseDiagonal diagonal(lane);
  const uint32_t* const own = words + eight * 8 + lane / 4;
  const auto weights = [&](int t, int h, uint32_t (&b)[2 * kWords]) {
#pragma unroll
    for (int p = 0; p < kWords; ++p) {
      const uint32_t word = own[((t * kTaps + h) * kWords + p) * channels];
      b[2 * p] = chosen_bytes(word, 0, diagonal.first);
      b[2 * p + 1] = chosen_bytes(word, 0, diagonal.second);
    }
  };
  uint32_t kept[kTaps == 3 ? kD * kTaps : 1][2 * kWords];
  if constexpr (kTaps == 3)
#pragma unroll
    for (int i = 0; i < kD * kTaps; ++i) weights(i / kTaps, i % kTaps, kept[i]);
  // Bytes from the start of a row to what this lane names of it: voxels lane % 16, of either tap of a pair, and of the last tap.
  int read[kWords];
#pragma unroll
  for (int p = 0; p < kWords; ++p) {
    const int v = lane % 16 + 2 * p + (p < kPairs ? lane / 16 : 0);
    read[p] = ((v << plan.bits) + depthwise_place<T>(v, eight, plan.bits)) * 16;
  }
  const bool works = block.channel + eight * 8 < g.groups;

  float sum[kD][kRows][4];
#pragma unroll
  for (int i = 0; i < kD; ++i)
#pragma unroll
    for (int r = 0; r < kRows; ++r)
#pragma unroll
      for (int e = 0; e < 4; ++e) sum[i][r][e] = 0;
  for (int step = 0; step < walk.steps; ++step) {
    walk.advance(step, halo);
    if (step >= kD) store(step - 1);
    if (!works) continue;
    const unsigned char* const from = halo.at(step) + row0 * plan.row_bytes();
    uint32_t pair[kPairs][4], last[2], b[2 * kWords];
    const auto load_row = [&](int y) {
      const unsigned char* const row = from + y * plan.row_bytes();
#pragma unroll
      for (int p = 0; p < kPairs; ++p) ldmatrix_x4(pair[p], SharedAddress(row + read[p]));
      ldmatrix_x2(last, SharedAddress(row + read[kPairs]));
    };
    const auto multiply = [&](float (&d)[4], const uint32_t (&weight)[2 * kWords]) {
#pragma unroll
      for (int p = 0; p < kPairs; ++p) multiply_add<T>(d, pair[p], weight[2 * p], weight[2 * p + 1]);
      mma_of<T>(d, last, weight[2 * kPairs]);
    };
    if constexpr (kTaps == 3) {
#pragma unroll
      for (int y = 0; y < kRows + kTaps - 1; ++y) {
        load_row(y);
#pragma unroll
        for (int h = 0; h < kTaps; ++h)
#pragma unroll
          for (int t = 0; t < kD; ++t)
            if (y - h >= 0 && y - h < kRows) multiply(sum[kD - 1 - t][y - h], kept[t * kTaps + h]);
      }
    } else {
#pragma unroll 1
      for (int h = 0; h < kTaps; ++h)
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          load_row(h + r);
#pragma unroll
          for (int t = 0; t < kD; ++t) {
            weights(t, h, b);
            multiply(sum[kD - 1 - t][r], b);
          }
        }
    }
    if (step >= kD - 1) {
      const int lane = thread_read_anew() % 32, v = lane / 4;  // so that nothing computed of it waits in registers
      float added[2];
      for (int e = 0; e < 2; ++e) {
        const int m = block.channel + eight * 8 + lane % 4 * 2 + e;
        added[e] = m < g.groups ? out.added(m) : 0.f;
      }
      unsigned char* const line = staged + step % 2 * plan.tile_bytes() + (row0 * kDepthwiseWidth * 16 << plan.bits) + lane % 4 * 4;
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        unsigned char* at = line + (((v + half * 8) << plan.bits) + depthwise_place<T>(v + half * 8, eight, plan.bits)) * 16;
#pragma unroll
        for (int r = 0; r < kRows; ++r, at += kDepthwiseWidth * 16 << plan.bits)
          *reinterpret_cast<uint32_t*>(at) = pair_of<T>(sum[0][r][2 * half] + added[0], sum[0][r][2 * half + 1] + added[1]);
      }
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
#pragma unroll
        for (int i = 0; i + 1 < kD; ++i) sum[i][r][e] = sum[i + 1][r][e];
        sum[kD - 1][r][e] = 0;
      }
  }
  cp_async_wait<0>();
  __syncthreads();
  store(walk.steps - 1);
}

}  // namespace voxgrad
