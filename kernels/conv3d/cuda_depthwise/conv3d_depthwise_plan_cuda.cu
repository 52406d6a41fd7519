// Host side of conv3d_depthwise.cuh.
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise.cuh"

namespace voxgrad {
namespace {

int channels_of(const DepthwisePlan& p, int element) { return 16 / element << p.bits; }

int most(int a, int b) { return a > b ? a : b; }

// rows: of a block on the ordinary cores.
DepthwisePlan tiles_of(const ConvGather& g, int element, int (*rows)(int taps, int stride), int multiprocessors) {
  DepthwisePlan p{.taps = most(g.axis[1].taps, g.axis[2].taps), .taps_d = g.axis[0].taps, .taps_h = g.axis[1].taps,
                  .taps_w = g.axis[2].taps, .stride = g.axis[2].in_step};
  p.lanes = element == 4 || p.taps_h != p.taps_w || p.stride != 1;
  p.bits = p.lanes ? element == 4 ? 3 : 2 : g.groups <= 8 ? 0 : g.groups <= 16 ? 1 : 2;
  p.wide = depthwise_wide(p.stride);
  p.rows = p.lanes ? rows(p.taps, p.stride) : depthwise_rows(p.taps) * 8 >> p.bits;
  p.planes = depthwise_planes(g, p, element, multiprocessors);
  return p;
}

// Bytes of both activations.
double moved(const ConvGather& g, int element, const DepthwisePlan& p) {
  const int tile[3] = {p.planes, p.rows, p.wide};
  return (double(g.n) * g.halo_voxels(tile) + double(g.out_voxels())) * g.groups * element;
}

}  // namespace

int depthwise_planes(const ConvGather& g, const DepthwisePlan& tiles, int element, int multiprocessors) {
  DepthwisePlan p = tiles;
  p.planes = g.axis[0].count;
  // A block that walks on reads no plane twice, but all multiprocessors are to have work, two blocks each and four to choose from.
  while (p.planes > 8 && depthwise_blocks(g, p, element).count(g.n) < int64_t(multiprocessors) * 4) p.planes = (p.planes + 1) / 2;
  return p.planes;
}

bool depthwise_is_possible(const ConvGather& g) {
  if (g.inputs != 1 || g.outputs != 1 || g.groups == 1) return false;
  for (const GatherAxis& a : g.axis)
    if ((a.taps > 1 && a.tap_step != 1) || a.first != 0 || a.step != 1) return false;
  const int stride = g.axis[2].in_step, d = g.axis[0].taps, h = g.axis[1].taps, w = g.axis[2].taps, taps = most(h, w);
  if (taps != 3 && taps != 5 && taps != 7) return false;
  if ((stride != 1 && stride != 2) || g.axis[1].in_step != stride) return false;
  if (d != 1 ? g.axis[0].in_step != stride : stride == 1 && g.axis[0].in_step != 1) return false;
  if (h == w ? d != taps && d != 1 : stride != 1 || d != taps || (h != 1 && w != 1)) return false;
  // Elements of a plane are counted in int.
  const double in = double(g.axis[1].in) * g.axis[2].in, out = double(g.axis[1].count) * g.axis[2].count;
  return (in > out ? in : out) * g.groups <= INT32_MAX;
}

DepthwisePlan depthwise_plan(const ConvGather& g, int element, int multiprocessors) {
  DepthwisePlan p = tiles_of(g, element, depthwise_lane_tile, multiprocessors);
  const int64_t ring = int64_t(depthwise_stages(element, p.taps)) * p.plane_bytes(), channels = channels_of(p, element);
  p.shared = p.lanes ? ring + g.taps * channels * 4 : ring + 2 * p.tile_bytes() + p.taps_d * p.taps * ((p.taps + 1) / 2) * channels * 4;
  return p;
}

DepthwisePlan depthwise_weights_plan(const ConvGather& g, int element) {
  constexpr int kMultiprocessors = 132;
  DepthwisePlan p = tiles_of(g, element, [](int, int) { return kDepthwiseWeightRows; }, kMultiprocessors);
  const int together = depthwise_taps_together(element, p.taps_d, p.taps_h, p.taps_w), more = (together - 1) / p.stride;
  const int64_t stages = depthwise_weight_stages(element, p.taps_h, p.taps_w),
                ring = stages * p.plane_bytes() + (stages + more) * p.tile_bytes();
  const int64_t sums = int64_t(together) * p.taps_h * p.taps_w * kDepthwiseThreads * 4;  // one of each warp
  p.shared = ring > sums ? ring : sums;
  return p;
}

ConvTraffic depthwise_traffic(const ConvGather& g, int element, int multiprocessors) {
  const DepthwisePlan p = depthwise_plan(g, element, multiprocessors);
  const double blocks = double(depthwise_blocks(g, p, element).count(g.n));
  return {.others = moved(g, element, p) + blocks * channels_of(p, element) * g.taps * 4};  // and weights
}
ConvTraffic depthwise_weights_traffic(const ConvGather& g, int element) {
  const DepthwisePlan p = depthwise_weights_plan(g, element);
  const double shares = double(depthwise_blocks(g, p, element).count(g.n)) / depthwise_blocks(g, p, element).channels;
  return {.others = moved(g, element, p) * (p.taps_d / depthwise_taps_together(element, p.taps_d, p.taps_h, p.taps_w)) +
                    (2 * shares + 1) * g.taps * g.groups * 4};
}

}  // namespace voxgrad
