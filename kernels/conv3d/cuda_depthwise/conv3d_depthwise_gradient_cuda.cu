// Input gradients of depthwise convolutions with stride 2, all residues of positions at once: m = 2 j + q - padding got gy[j - i] w[q + 2
// i] for all taps q + 2 i along each axis, so that a plane of gy is read once for the eight x that lie at each of its j, and x is written
// in whole rows. On the ordinary cores, as of eight x there are few multiply-adds for each.
#include "core/cuda/chip.h"
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise_lanes.cuh"

namespace voxgrad {
namespace {

constexpr int kGradientWide = 8, kGradientRows = 4, kGradientColumns = 4;  // positions j of a block along W and H, and of a thread

// Where the x of position j of the gather lie: at 2 j + first and the next one, of `count`; along D of kernels of one tap at j alone.
struct GradientPlaces {
  int first[3], count[3];
};

// kD x kTaps x kTaps. Weights of up to 27 taps are kept.
template <class T, int kD, int kTaps>
__global__ void __launch_bounds__(kDepthwiseThreads, 2)
    conv3d_depthwise_gradient_kernel(ConvGather g, DepthwisePlan plan, GradientPlaces places, DepthwiseAccess access, const T* gy,
                                     const float* w, GatherOutput<T> out) {
  constexpr int kHalf = (kTaps + 1) / 2, kHalfD = (kD + 1) / 2, kAll = kD * kTaps * kTaps, kAlong = kD > 1 ? 2 : 1;
  constexpr int kStages = depthwise_stages(sizeof(T), kTaps);
  constexpr int kWidth = kGradientWide + kHalf - 1, kHeight = kGradientRows + kHalf - 1, kRead = kGradientColumns + kHalf - 1;
  VOXGRAD_DYNAMIC_SHARED(memory);
  const DepthwiseBlock block(g, plan, sizeof(T));
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, row = warp / 2, column = warp % 2 * kGradientColumns;
  const int channel = block.channel + lane;
  DepthwiseWeights<kAll, kTaps == 3> weights(memory + (kStages + kHalfD - 1) * plan.plane_bytes(), [&](int tap) {
    return channel < g.groups ? w[int64_t(channel) * kAll + tap] : 0.f;
  });
  const auto planes = depthwise_halo<T, DepthwiseLaneTile<T, kHeight, kWidth>, kStages, kHalfD - 1>(g, plan, block, 0, access, gy, memory);
  const DepthwiseWalk<kStages> walk{block.planes(g, plan)};
  walk.begin(planes);
  __syncthreads();
  weights.keep();
  const float added = channel < g.groups ? out.added(channel) : 0.f;
  for (int step = 0; step < walk.steps; ++step) {
    walk.advance(step, planes);
    float sum[kAlong][2][2][kGradientColumns];
#pragma unroll
    for (int q = 0; q < kAlong * 4; ++q)
#pragma unroll
      for (int c = 0; c < kGradientColumns; ++c) sum[q / 4][q / 2 % 2][q % 2][c] = added;
#pragma unroll
    for (int d = 0; d < kHalfD; ++d) {
      const T* const from = reinterpret_cast<const T*>(planes.at(step - d)) + (row * kWidth + column) * kDepthwiseLanes + lane;
#pragma unroll
      for (int h = 0; h < kHalf; ++h) {
        float value[kRead];
#pragma unroll
        for (int i = 0; i < kRead; ++i) value[i] = float(from[((kHalf - 1 - h) * kWidth + i) * kDepthwiseLanes]);
#pragma unroll
        for (int q = 0; q < kAlong * 4; ++q) {
          const int t = q / 4 + 2 * d, r = q / 2 % 2 + 2 * h;
#pragma unroll
          for (int s = q % 2; s < kTaps; s += 2) {
            if (t >= kD || r >= kTaps) continue;
            const float weight = weights[(t * kTaps + r) * kTaps + s];
#pragma unroll
            for (int c = 0; c < kGradientColumns; ++c) {
              float& of = sum[q / 4][q / 2 % 2][q % 2][c];
              of = fmaf(value[c + kHalf - 1 - s / 2], weight, of);
            }
          }
        }
      }
    }
    if (channel >= g.groups) continue;
    const int h0 = (block.h + row) * 2 + places.first[1], v0 = (block.w + column) * 2 + places.first[2];
#pragma unroll
    for (int q = 0; q < kAlong * 2; ++q) {
      const int z = (block.d + step) * kAlong + q / 2 + places.first[0], h = h0 + q % 2;
      if (unsigned(z) >= unsigned(places.count[0]) || unsigned(h) >= unsigned(places.count[1])) continue;
      const int64_t at = (((block.n * places.count[0] + z) * places.count[1] + h) * places.count[2] + v0) * g.groups + channel;
#pragma unroll
      for (int c = 0; c < 2 * kGradientColumns; ++c)
        if (unsigned(v0 + c) < unsigned(places.count[2])) out.store(sum[q / 2][q % 2][c % 2][c / 2], channel, at + int64_t(c) * g.groups);
    }
  }
  cp_async_wait<0>();
}

// The positions j as outputs of a gather, which reads gy.
ConvGather gradient_positions(const Conv3dProblem& p, GradientPlaces& places) {
  ConvGather g{.n = p.n, .groups = p.groups, .inputs = 1, .outputs = 1, .taps = int(p.taps())};
  for (int a = 0; a < 3; ++a) {
    const bool pairs = p.kernel[a] > 1;
    const int first = pairs ? p.padding[a] / 2 : p.padding[a], half = (p.kernel[a] + 1) / 2;
    places.first[a] = pairs ? 2 * first - p.padding[a] : 0;
    places.count[a] = p.in[a];
    const int count = pairs ? (p.in[a] - places.first[a] + 1) / 2 : p.in[a];
    g.axis[a] = {.out = count, .count = count, .in = p.out[a], .offset = a == 0 ? first : first - (half - 1), .taps = half};
  }
  return g;
}

DepthwisePlan gradient_plan(const ConvGather& g, const Conv3dProblem& p, int element, int multiprocessors) {
  DepthwisePlan plan{.taps = g.axis[2].taps, .taps_d = g.axis[0].taps, .taps_h = g.axis[1].taps, .taps_w = g.axis[2].taps,
                     .bits = element == 4 ? 3 : 2, .wide = kGradientWide, .rows = kGradientRows};
  plan.planes = depthwise_planes(g, plan, element, multiprocessors);
  plan.shared = int64_t(depthwise_stages(element, p.kernel.w) + plan.taps_d - 1) * plan.plane_bytes() + p.taps() * kDepthwiseLanes * 4;
  return plan;
}

}  // namespace

bool depthwise_gradient_is_possible(const Conv3dProblem& p) {
  if (p.c != p.groups || p.k != p.groups || p.groups == 1) return false;
  const int taps = p.kernel.w;
  if ((taps != 3 && taps != 5 && taps != 7) || p.kernel.h != taps || (p.kernel.d != taps && p.kernel.d != 1)) return false;
  for (int a = 0; a < 3; ++a)
    if (p.stride[a] != (p.kernel[a] > 1 ? 2 : 1) || (p.kernel[a] > 1 && p.dilation[a] != 1)) return false;
  return double(p.in.h) * p.in.w * p.groups <= INT32_MAX && double(p.out.h) * p.out.w * p.groups <= INT32_MAX;
}

template <class T>
void conv_input_gradient_depthwise(Cuda on, const Conv3dProblem& p, const T* gy, const float* w, const GatherOutput<T>& out) {
  GradientPlaces places;
  const ConvGather g = gradient_positions(p, places);
  const DepthwisePlan plan = gradient_plan(g, p, sizeof(T), cuda::chip_of(on).multiprocessors);
  const Grid grid{.x = depthwise_blocks(g, plan, sizeof(T)).count(g.n), .threads = kDepthwiseThreads, .shared = plan.shared};
  const DepthwiseAccess access = depthwise_access(g.groups, gy);
  const auto go = [&]<int kTaps>(Width<kTaps>) {
    if (p.kernel.d == 1) launch<conv3d_depthwise_gradient_kernel<T, 1, kTaps>>(on, grid, g, plan, places, access, gy, w, out);
    else launch<conv3d_depthwise_gradient_kernel<T, kTaps, kTaps>>(on, grid, g, plan, places, access, gy, w, out);
  };
  p.kernel.w == 3 ? go(Width<3>{}) : p.kernel.w == 5 ? go(Width<5>{}) : go(Width<7>{});
}

ConvTraffic depthwise_gradient_traffic(const Conv3dProblem& p, int element, int multiprocessors) {
  GradientPlaces places;
  const ConvGather g = gradient_positions(p, places);
  const DepthwisePlan plan = gradient_plan(g, p, element, multiprocessors);
  // Along D a block reads the planes of kBefore steps before its own.
  ConvGather read = g;
  read.axis[0].offset -= plan.taps_d - 1;
  const int tile[3] = {plan.planes, plan.rows, plan.wide};
  const double blocks = double(depthwise_blocks(g, plan, element).count(g.n));
  return {.others = (double(g.n) * read.halo_voxels(tile) + double(p.in_voxels())) * g.groups * element +
                    blocks * kDepthwiseLanes * double(p.taps()) * 4};
}

#define X(T) template void conv_input_gradient_depthwise(Cuda, const Conv3dProblem&, const T*, const float*, const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
