// Gradients of weights of depthwise convolutions: of 16-bit types, stride 1 and as many taps along H as along W, and which kernel the
// others take.
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise_weights.cuh"

namespace voxgrad {
namespace {

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
  constexpr int kStages = depthwise_weight_stages(sizeof(T), kTaps, kTaps);
  const auto halo = depthwise_halo<T, DepthwiseSquare<T, kTaps>, kStages>(g, plan, block, int(blockIdx.y), of_x, x, memory);
  using GradientTile = DepthwiseTile<T, depthwise_pieces(sizeof(T), kTaps, 0), kDepthwiseWidth>;
  const auto gradients =
      depthwise_gradient<T, GradientTile, kStages, kT - 1>(g, plan, block, of_gy, gy, memory + kStages * plan.plane_bytes());
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

}  // namespace

template <class T>
void conv_weights_depthwise(Cuda on, const ConvGather& g, const T* x, const T* gy, float* gw) {
  const DepthwisePlan plan = depthwise_weights_plan(g, sizeof(T));
  const DepthwiseBlocks blocks = depthwise_blocks(g, plan, sizeof(T));
  const int64_t all = blocks.count(g.n), tiles = all / blocks.channels, weights = int64_t(g.groups) * g.taps;
  const Scratch partial(on, tiles * weights * int64_t(sizeof(float)));
  const DepthwiseAccess of_x = depthwise_access(g.groups, x), of_gy = depthwise_access(g.groups, gy);
  const Grid grid{.x = all,
                  .y = plan.taps_d / depthwise_taps_together(sizeof(T), plan.taps_d, plan.taps_h, plan.taps_w),
                  .threads = kDepthwiseThreads,
                  .shared = plan.shared};
  const auto go = [&]<class Taps>(Taps) {
    float* const to = partial.as<float>();
    if constexpr (dtype_of<T> != DType::f32 && Taps::kH == Taps::kW && Taps::kStride == 1)
      launch<conv3d_depthwise_mma_weights_kernel<T, Taps::kD, Taps::kW>>(on, grid, g, plan, of_x, of_gy, x, gy, to);
    else launch<conv3d_depthwise_weights_kernel<T, Taps>>(on, grid, g, plan, of_x, of_gy, x, gy, to);
  };
  const auto of = [&]<int kTaps>(Width<kTaps>) {
    constexpr auto together = [](int taps_h, int taps_w) { return depthwise_taps_together(sizeof(T), kTaps, taps_h, taps_w); };
    constexpr int kD = together(kTaps, kTaps);
    if (plan.taps_w == 1) go(DepthwiseTaps<together(kTaps, 1), kTaps, 1>{});
    else if (plan.taps_h == 1) go(DepthwiseTaps<kTaps, 1, kTaps>{});
    else if (plan.stride == 2) plan.taps_d == 1 ? go(DepthwiseTaps<1, kTaps, kTaps, 2>{}) : go(DepthwiseTaps<kD, kTaps, kTaps, 2>{});
    else plan.taps_d == 1 ? go(DepthwiseTaps<1, kTaps, kTaps>{}) : go(DepthwiseTaps<kD, kTaps, kTaps>{});
  };
  plan.taps == 3 ? of(Width<3>{}) : plan.taps == 5 ? of(Width<5>{}) : of(Width<7>{});
  total_weights(on, weights, tiles, partial.as<float>(), gw);
}

#define X(T) template void conv_weights_depthwise(Cuda, const ConvGather&, const T*, const T*, float*);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
