// Gradients of weights of depthwise convolutions: gw[c, tap] = the sum over the voxels of x[v + tap, c] gy[v, c]. Planes of x and of gy are
// rings in shared memory, and a block keeps the sums of its tile until the end.
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise.cuh"

namespace voxgrad {
namespace {

// Both rings of a block. At step s plane s of x is there, and planes s - (kT - 1) to s of gy, zeros where they are not the block's.
template <class T, int kT, int kTaps>
class DepthwiseRings {
 public:
  static constexpr int kStages = depthwise_weight_stages(sizeof(T), kTaps), kPlanes = kStages + kT - 1;
  __device__ DepthwiseRings(const ConvGather& g, const DepthwisePlan& plan, const DepthwiseBlock& b, int tap, const T* x, const T* gy,
                            unsigned char* memory)
      : x_tile_(plan.halo(), plan.bits, g.axis[1].in, g.axis[2].in, b.h + g.axis[1].offset, b.w + g.axis[2].offset, g.groups, b.channel),
        gy_tile_(plan.rows, plan.bits, g.axis[1].count, g.axis[2].count, b.h, b.w, g.groups, b.channel),
        x_plane_(g.axis[1].in * g.axis[2].in * g.groups), gy_plane_(g.axis[1].count * g.axis[2].count * g.groups),
        first_x_(x + b.n * g.axis[0].in * x_plane_), first_gy_(gy + (b.n * g.axis[0].count + b.d) * gy_plane_),
        depth_(g.axis[0].in), z_(b.d + g.axis[0].offset + tap),
        planes_(b.d + plan.planes <= g.axis[0].count ? plan.planes : g.axis[0].count - b.d), x_bytes_(plan.plane_bytes()),
        gy_bytes_(plan.tile_bytes()), memory_(memory) {}
  __device__ int steps() const { return planes_ + kT - 1; }
  __device__ unsigned char* x(int step) const { return memory_ + step % kStages * x_bytes_; }
  __device__ unsigned char* gy(int step) const { return memory_ + kStages * x_bytes_ + (step + kPlanes) % kPlanes * gy_bytes_; }

  __device__ void begin(DepthwiseAccess of_x, DepthwiseAccess of_gy) const {
#pragma unroll
    for (int s = 1 - kT; s < kStages - 1; ++s) {
      if (s >= 0) load_x(s, of_x);
      load_gy(s, of_gy);
      if (s >= 0) cp_async_commit();
    }
  }
  // Waits for the planes of this step, and begins to load those of a later one.
  __device__ void advance(int step, DepthwiseAccess of_x, DepthwiseAccess of_gy) const {
    cp_async_wait<kStages - 2>();
    __syncthreads();
    if (step + kStages - 1 < steps()) {
      load_x(step + kStages - 1, of_x);
      load_gy(step + kStages - 1, of_gy);
    }
    cp_async_commit();
  }

 private:
  __device__ void load_x(int step, DepthwiseAccess access) const {
    const bool there = unsigned(z_ + step) < unsigned(depth_);
    x_tile_.load(first_x_ + (there ? z_ + step : 0) * int64_t(x_plane_), there, access, x(step));
  }
  __device__ void load_gy(int step, DepthwiseAccess access) const {
    const bool there = unsigned(step) < unsigned(planes_);
    gy_tile_.load(first_gy_ + (there ? step : 0) * int64_t(gy_plane_), there, access, gy(step));
  }

  DepthwiseTile<T, depthwise_pieces(sizeof(T), kTaps, kTaps - 1), kDepthwiseWidth + kTaps - 1> x_tile_;
  DepthwiseTile<T, depthwise_pieces(sizeof(T), kTaps, 0), kDepthwiseWidth> gy_tile_;
  int x_plane_, gy_plane_;  // elements
  const T *first_x_, *first_gy_;
  int depth_, z_, planes_, x_bytes_, gy_bytes_;
  unsigned char* memory_;
};

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
  constexpr int kRows = depthwise_rows(kTaps), kPairs = kTaps / 2, kLast = (kTaps + 1) / 2, kReads = kRows + kTaps - 1;
  VOXGRAD_DYNAMIC_SHARED(memory);
  const DepthwiseBlock block(g, plan, sizeof(T));
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, eight = warp & (plan.pieces() - 1), part = warp >> plan.bits;
  const int first_tap = int(blockIdx.y) * kTaps * kTaps, channels = 8 << plan.bits;
  const DepthwiseRings<T, kT, kTaps> rings(g, plan, block, int(blockIdx.y), x, gy, memory);
  rings.begin(of_x, of_gy);
  // Bytes from the start of a row to what a lane names of it: of x at either tap of a pair and the last one, of gy.
  const auto place = [&](int v) { return ((v << plan.bits) + depthwise_place<T>(v, eight, plan.bits)) * 16; };
  int read[kPairs];
#pragma unroll
  for (int p = 0; p < kPairs; ++p) read[p] = place(lane % 8 + lane / 16 * 8 + lane / 8 % 2 + 2 * p);
  const int read_last = place(lane % 16 + kTaps - 1), read_gy = place(lane % 16);
  const int x_row = plan.row_bytes(), gy_row = kDepthwiseWidth * 16 << plan.bits;

  float pairs[kT][kTaps][kPairs][4] = {}, lasts[kT][kLast][4] = {};
  for (int step = 0; step < rings.steps(); ++step) {
    rings.advance(step, of_x, of_gy);
    const unsigned char* const from = rings.x(step) + part * kRows * x_row;
    uint32_t last[2][2], of[kT][kRows][2];
    ldmatrix_x2_transposed(last[0], SharedAddress(from + read_last));
#pragma unroll
    for (int y = 0; y < kReads; ++y) {
      uint32_t pair[kPairs][4];
#pragma unroll
      for (int p = 0; p < kPairs; ++p) ldmatrix_x4_transposed(pair[p], SharedAddress(from + y * x_row + read[p]));
      if (y + 1 < kReads) ldmatrix_x2_transposed(last[(y + 1) % 2], SharedAddress(from + (y + 1) * x_row + read_last));
      if (y < kRows)
#pragma unroll
        for (int t = 0; t < kT; ++t)
          ldmatrix_x2_transposed(of[t][y], SharedAddress(rings.gy(step - t) + (part * kRows + y) * gy_row + read_gy));
      const uint32_t two_rows[4] = {last[y % 2][0], last[(y + 1) % 2][0], last[y % 2][1], last[(y + 1) % 2][1]};
#pragma unroll
      for (int h = 0; h < kTaps; ++h) {
        const int r = y - h;
        if (r < 0 || r >= kRows) continue;
#pragma unroll
        for (int t = 0; t < kT; ++t) {
#pragma unroll
          for (int p = 0; p < kPairs; ++p) multiply_add<T>(pairs[t][h][p], pair[p], of[t][r][0], of[t][r][1]);
          if (h % 2 == 0) multiply_add<T>(lasts[t][h / 2], two_rows, of[t][r][0], of[t][r][1]);
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
  const DepthwiseRings<float, kT, kTaps> rings(g, plan, block, int(blockIdx.y), x, gy, memory);
  rings.begin(of_x, of_gy);
  float sum[kT][kTaps][kTaps] = {};
  for (int step = 0; step < rings.steps(); ++step) {
    rings.advance(step, of_x, of_gy);
    float gradient[kT][kVoxels];
#pragma unroll
    for (int t = 0; t < kT; ++t) {
      const float* const from = reinterpret_cast<const float*>(rings.gy(step - t)) + (row * kDepthwiseWidth + column) * 32 + lane;
#pragma unroll
      for (int i = 0; i < kVoxels; ++i) gradient[t][i] = from[i * 32];
    }
    const float* const from = reinterpret_cast<const float*>(rings.x(step)) + (row * kWidth + column) * 32 + lane;
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
