// Gradients of weights of depthwise convolutions: gw[c, tap] = the sum over the voxels of x[v + tap, c] gy[v, c]. Planes of x and of gy are
// rings in shared memory, and a block keeps the sums of its tile until the end.
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise.cuh"

namespace voxgrad {
namespace {

// The ring of gy. At step s its plane s is there, and with kT taps along D those of the kT - 1 steps before it, zeros where they are not
// the block's.
template <class T, int kT, int kTaps, int kStages>
using DepthwiseGradient = DepthwiseRing<T, depthwise_pieces(sizeof(T), kTaps, 0), kDepthwiseWidth, kStages, kT - 1>;
template <class T, int kT, int kTaps, int kStages>
__device__ DepthwiseGradient<T, kT, kTaps, kStages> depthwise_gradient(const ConvGather& g, const DepthwisePlan& plan,
                                                                       const DepthwiseBlock& b, DepthwiseAccess access, const T* gy,
                                                                       unsigned char* memory) {
  const int plane = g.axis[1].count * g.axis[2].count * g.groups;
  return {{plan.rows, plan.bits, g.axis[1].count, g.axis[2].count, b.h, b.w, g.groups, b.channel}, access,
          gy + (b.n * g.axis[0].count + b.d) * plane, plane, 0, b.planes(g, plan), plan.tile_bytes(), memory};
}

// partial {tiles, channels, taps}: the sums {parts, kCount taps, channels} of the block, added in their order; its first tap is `tap`.
template <int kCount>
__device__ void store_depthwise_sums(const ConvGather& g, const DepthwiseBlock& b, int channels, int blocks, int parts, int tap,
                                     const float* sums, float* partial) {
  for (int i = int(threadIdx.x); i < kCount * channels; i += kDepthwiseThreads) {
    const int c = i % channels, channel = b.channel + c;
    if (channel >= g.groups) continue;
    float total = 0;
    for (int p = 0; p < parts; ++p) total += sums[p * kCount * channels + i];
    partial[(blockIdx.x / blocks * int64_t(g.groups) + channel) * g.taps + tap + i / channels] = total;
  }
}

// A warp has eight channels of some rows of 16 voxels, which a product sums over. Its rows are these channels of x at two taps, its columns
// those of gy, and an eighth of it, the diagonals, is what is wanted. The last tap along W of a row of x goes with that of the next row,
// which are neighbouring taps along H of the same row of gy.
template <class T, int kT, int kTaps>
__global__ void __launch_bounds__(kDepthwiseThreads, kTaps == 7 ? 1 : 2)
    conv3d_depthwise_mma_weights_kernel(ConvGather g, DepthwisePlan plan, DepthwiseAccess of_x, DepthwiseAccess of_gy, const T* x,
                                        const T* gy, float* partial) {
  constexpr int kRows = depthwise_rows(kTaps), kPairs = kTaps / 2, kLast = (kTaps + 1) / 2;
  VOXGRAD_DYNAMIC_SHARED(memory);
  const DepthwiseBlock block(g, plan, sizeof(T));
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, eight = warp & (plan.pieces() - 1), part = warp >> plan.bits;
  const int first_tap = int(blockIdx.y) * kTaps * kTaps, channels = 8 << plan.bits;
  constexpr int kStages = depthwise_weight_stages(sizeof(T), kTaps);
  const auto halo = depthwise_halo<T, kTaps, kStages>(g, plan, block, int(blockIdx.y), of_x, x, memory);
  const auto gradients = depthwise_gradient<T, kT, kTaps, kStages>(g, plan, block, of_gy, gy, memory + kStages * plan.plane_bytes());
  const DepthwiseWalk<kStages> walk{block.planes(g, plan) + kT - 1};
  walk.begin(halo, gradients);
  float pairs[kT][kTaps][kPairs][4] = {}, lasts[kT][kLast][4] = {};
  for (int step = 0; step < walk.steps; ++step) {
    walk.advance(step, halo, gradients);
    // Bytes from the start of a row to what a lane names of it: of x at either tap of a pair and the last one, of gy. Found anew at each
    // step, as all registers are taken.
    const int thread = thread_read_anew(), l = thread % 32, part = thread / 32 >> plan.bits, eight = thread / 32 & (plan.pieces() - 1);
    const auto place = [&](int v) { return ((v << plan.bits) + depthwise_place<T>(v, eight, plan.bits)) * 16; };
    int read[kPairs];
#pragma unroll
    for (int p = 0; p < kPairs; ++p) read[p] = place(l % 8 + l / 16 * 8 + l / 8 % 2 + 2 * p);
    const int read_last = place(l % 16 + kTaps - 1), read_gy = place(l % 16);
    const int x_row = plan.row_bytes(), gy_row = kDepthwiseWidth * 16 << plan.bits;
    const unsigned char* const from = halo.at(step) + part * kRows * x_row;
    // The rows of x that a row of gy meets; the next row of gy meets all but one of them.
    uint32_t pair[kTaps][kPairs][4], last[kTaps][2];
    const auto load_row = [&](int y) {
#pragma unroll
      for (int p = 0; p < kPairs; ++p) ldmatrix_x4_transposed(pair[y % kTaps][p], SharedAddress(from + y * x_row + read[p]));
      ldmatrix_x2_transposed(last[y % kTaps], SharedAddress(from + y * x_row + read_last));
    };
#pragma unroll
    for (int y = 0; y < kTaps - 1; ++y) load_row(y);
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      load_row(r + kTaps - 1);
#pragma unroll
      for (int t = 0; t < kT; ++t) {
        uint32_t of[2];
        ldmatrix_x2_transposed(of, SharedAddress(gradients.at(step - t) + (part * kRows + r) * gy_row + read_gy));
#pragma unroll
        for (int h = 0; h < kTaps; ++h) {
          const int y = (r + h) % kTaps, next = h + 1 < kTaps ? (y + 1) % kTaps : y;
#pragma unroll
          for (int p = 0; p < kPairs; ++p) multiply_add<T>(pairs[t][h][p], pair[y][p], of[0], of[1]);
          const uint32_t two_rows[4] = {last[y][0], last[next][0], last[y][1], last[next][1]};
          if (h % 2 == 0) multiply_add<T>(lasts[t][h / 2], two_rows, of[0], of[1]);
        }
      }
    }
  }
  cp_async_wait<0>();
  __syncthreads();
  float* const sums = reinterpret_cast<float*>(memory);
  constexpr int kCount = kT * kTaps * kTaps;
  if (lane / 8 == lane % 4) {
    // Column lane / 4 of rows lane / 4 and + 8.
    const bool odd = lane / 4 % 2;
    float* const to = sums + part * kCount * channels + eight * 8 + lane / 4;
#pragma unroll
    for (int t = 0; t < kT; ++t)
#pragma unroll
      for (int h = 0; h < kTaps; ++h) {
        float* const row = to + (t * kTaps + h) * kTaps * channels;
#pragma unroll
        for (int p = 0; p < kPairs; ++p) {
          row[2 * p * channels] = odd ? pairs[t][h][p][1] : pairs[t][h][p][0];
          row[(2 * p + 1) * channels] = odd ? pairs[t][h][p][3] : pairs[t][h][p][2];
        }
        row[(kTaps - 1) * channels] = odd ? lasts[t][h / 2][h % 2 * 2 + 1] : lasts[t][h / 2][h % 2 * 2];
      }
  }
  __syncthreads();
  store_depthwise_sums<kCount>(g, block, channels, depthwise_blocks(g, plan, sizeof(T)).channels, 8 >> plan.bits, first_tap, sums, partial);
}

// The same in f32: a thread has a channel of eight voxels of a row.
template <int kT, int kTaps>
__global__ void __launch_bounds__(kDepthwiseThreads, 2)
    conv3d_depthwise_weights_kernel(ConvGather g, DepthwisePlan plan, DepthwiseAccess of_x, DepthwiseAccess of_gy, const float* x,
                                    const float* gy, float* partial) {
  constexpr int kVoxels = 8, kRead = kVoxels + kTaps - 1, kWidth = kDepthwiseWidth + kTaps - 1, kCount = kT * kTaps * kTaps;
  VOXGRAD_DYNAMIC_SHARED(memory);
  const DepthwiseBlock block(g, plan, sizeof(float));
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, row = warp / 2, column = warp % 2 * kVoxels;
  constexpr int kStages = depthwise_weight_stages(sizeof(float), kTaps);
  const auto halo = depthwise_halo<float, kTaps, kStages>(g, plan, block, int(blockIdx.y), of_x, x, memory);
  const auto gradients = depthwise_gradient<float, kT, kTaps, kStages>(g, plan, block, of_gy, gy, memory + kStages * plan.plane_bytes());
  const DepthwiseWalk<kStages> walk{block.planes(g, plan) + kT - 1};
  walk.begin(halo, gradients);
  float sum[kT][kTaps][kTaps] = {};
  for (int step = 0; step < walk.steps; ++step) {
    walk.advance(step, halo, gradients);
    float gradient[kT][kVoxels];
#pragma unroll
    for (int t = 0; t < kT; ++t) {
      const float* const from = reinterpret_cast<const float*>(gradients.at(step - t)) + (row * kDepthwiseWidth + column) * 32 + lane;
#pragma unroll
      for (int i = 0; i < kVoxels; ++i) gradient[t][i] = from[i * 32];
    }
    const float* const from = reinterpret_cast<const float*>(halo.at(step)) + (row * kWidth + column) * 32 + lane;
#pragma unroll
    for (int h = 0; h < kTaps; ++h) {
      float value[kRead];
#pragma unroll
      for (int i = 0; i < kRead; ++i) value[i] = from[(h * kWidth + i) * 32];
#pragma unroll
      for (int t = 0; t < kT; ++t)
#pragma unroll
        for (int s = 0; s < kTaps; ++s)
#pragma unroll
          for (int i = 0; i < kVoxels; ++i) sum[t][h][s] = fmaf(value[i + s], gradient[t][i], sum[t][h][s]);
    }
  }
  cp_async_wait<0>();
  __syncthreads();
  float* const sums = reinterpret_cast<float*>(memory);
#pragma unroll
  for (int t = 0; t < kT; ++t)
#pragma unroll
    for (int h = 0; h < kTaps; ++h)
#pragma unroll
      for (int s = 0; s < kTaps; ++s) sums[(warp * kCount + (t * kTaps + h) * kTaps + s) * 32 + lane] = sum[t][h][s];
  __syncthreads();
  store_depthwise_sums<kCount>(g, block, 32, depthwise_blocks(g, plan, sizeof(float)).channels, 8, int(blockIdx.y) * kTaps * kTaps, sums,
                               partial);
}

}  // namespace

template <class T>
void conv_weights_depthwise(Cuda on, const ConvGather& g, const T* x, const T* gy, float* gw) {
  const DepthwisePlan plan = depthwise_weights_plan(g, sizeof(T));
  const DepthwiseBlocks blocks = depthwise_blocks(g, plan, sizeof(T));
  const int64_t all = blocks.count(g.n), tiles = all / blocks.channels, weights = int64_t(g.groups) * g.taps;
  const Scratch partial(on, tiles * weights * int64_t(sizeof(float)));
  const DepthwiseAccess of_x = depthwise_access(g.groups, x), of_gy = depthwise_access(g.groups, gy);
  const Grid grid{.x = all, .y = plan.taps_d / depthwise_taps_together(plan.taps, plan.taps_d), .threads = kDepthwiseThreads,
                  .shared = plan.shared};
  const auto go = [&]<int kT, int kTaps>(Width<kT>, Width<kTaps>) {
    float* const to = partial.as<float>();
    if constexpr (dtype_of<T> == DType::f32) launch<conv3d_depthwise_weights_kernel<kT, kTaps>>(on, grid, g, plan, of_x, of_gy, x, gy, to);
    else launch<conv3d_depthwise_mma_weights_kernel<T, kT, kTaps>>(on, grid, g, plan, of_x, of_gy, x, gy, to);
  };
  if (plan.taps == 7) go(Width<1>{}, Width<7>{});
  else if (plan.taps == 5) go(Width<1>{}, Width<5>{});
  else if (plan.taps_d == 1) go(Width<1>{}, Width<3>{});
  else go(Width<3>{}, Width<3>{});
  total_weights(on, weights, tiles, partial.as<float>(), gw);
}

#define X(T) template void conv_weights_depthwise(Cuda, const ConvGather&, const T*, const T*, float*);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
