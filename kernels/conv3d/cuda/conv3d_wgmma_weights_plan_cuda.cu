// Host side of conv3d_wgmma_weights.cuh.
#include "kernels/conv3d/cuda/conv3d_choice_kernels.h"
#include "kernels/conv3d/cuda/conv3d_wgmma_weights.cuh"

namespace voxgrad {
namespace {

constexpr int64_t kMostPartialWeights = 48 << 20;  // bytes of the sums of shares
constexpr int64_t kWeightChips = 132;              // multiprocessors of an H100 and an H200
constexpr int kWeightParts = 8, kPartChips = 16;   // within which clusters lie, about, and multiprocessors of one
constexpr double kBytesPerCycle = 24;              // of a multiprocessor, from the second-level cache
constexpr double kTileCycles = 300;                // about, of what a tile takes beside its products

// The kernels that there are: lines, output channels, blocks of both warpgroups.
struct Form {
  int element, lines, columns, blocks[kWgmmaConsumers];
};
constexpr Form kForms[] = {{2, 1, 32, {7, 7}}, {2, 1, 32, {3, 2}}, {2, 1, 64, {4, 3}}, {2, 1, 64, {3, 2}}, {2, 3, 32, {3, 2}},
                           {4, 1, 32, {4, 3}}, {4, 1, 32, {2, 1}}, {4, 1, 64, {4, 3}}, {4, 1, 64, {2, 1}}};

int64_t ceil_to(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Shares of one wave, or of a few that leave less of the device idle, of so many clusters each.
int64_t shares_of(int64_t clusters, int64_t places, int64_t tiles, int64_t most) {
  int64_t best = 1;
  double filled = 0;
  for (int64_t waves = 1; waves <= 4; ++waves) {
    const int64_t shares = waves * places / clusters;
    const double part = double(shares * clusters) / double(waves * places);
    if (shares > 0 && part > filled + 0.1) best = shares, filled = part;
  }
  best = best < tiles ? best : tiles;
  return best < most ? best : most;
}

// What is there once of x, as halos, and of gy, as tiles read it, in bytes.
struct Loaded {
  double x, gy;
  Loaded(const ConvGather& g, const WgmmaWeightsPlan& p, int element) {
    // Lines of gy that the tiles along H read, of those that there are.
    double gy_lines = 0;
    for (int first = 0; first < p.cut.axis[1].count; first += p.tile.extent[1])
      for (int i = 0; i < p.gy_lines; ++i) gy_lines += unsigned(first + p.gy_first + i) < unsigned(g.axis[1].count);
    x = double(g.n) * p.cut.halo_voxels(p.tile.extent) * g.inputs * element * g.groups;
    gy = double(g.out_voxels()) * g.outputs * element * g.groups / g.axis[1].count * gy_lines;
  }
  double read(const WgmmaWeightsPlan& p) const { return (x * p.column_clusters() + gy * p.chunk_clusters()) * p.tap_clusters(); }
};

// The clusters that read least, of those that `has_places` says that there is room for.
template <class HasPlaces>
void take_clusters(const ConvGather& g, WgmmaWeightsPlan& p, int element, const HasPlaces& has_places) {
  const Loaded once(g, p, element);
  WgmmaWeightsPlan best = p;
  double least = once.read(p);
  for (int blocks = 2; blocks <= kMostCluster; ++blocks)
    for (int taps = 1; taps <= blocks; ++taps)
      for (int columns = 1; columns * taps <= blocks; ++columns) {
        p.cluster = blocks, p.cluster_taps = taps, p.cluster_columns = columns, p.cluster_chunks = blocks / taps / columns;
        if (p.cluster_chunks * columns * taps != blocks || taps > p.tap_groups || columns > p.column_blocks || p.cluster_chunks > p.chunks)
          continue;
        // Boxes beyond the last channel of a group would be those of the next.
        if (g.groups > 1 && p.chunks % p.cluster_chunks) continue;
        if (const double bytes = once.read(p); bytes < least && has_places(p)) best = p, least = bytes;
      }
  p = best;
}

// The part of the plan that is the form's; lines is 0 where the form is not for this gather.
WgmmaWeightsPlan plan_of_form(const ConvGather& g, const Form& f, int element) {
  WgmmaWeightsPlan p{.cut = g, .lines = f.lines, .columns = f.columns};
  if (f.lines > 1) {
    GatherAxis& h = p.cut.axis[1];
    if (f.element != element || h.taps != f.lines || h.in_step != 1 || h.tap_step != 1 || g.outputs > f.columns) return {.lines = 0};
    p.gy_first = -h.offset - (f.lines - 1);
    h = {.out = h.in, .count = h.in, .in = h.in};
    p.cut.taps = g.axis[0].taps * g.axis[2].taps;
  }
  if (f.element != element) return {.lines = 0};
  int units = 0;
  for (int i = 0; i < kWgmmaConsumers; ++i) units += (p.blocks[i] = f.blocks[i]) * 4;
  p.column_blocks = int(ceil_to(g.outputs, f.columns));
  p.chunks = int(ceil_to(int64_t(g.inputs) * element, kSlot));
  p.tap_groups = int(ceil_to(p.cut.taps, element == 2 ? units / 2 : units));
  return p;
}

// Cycles of a multiprocessor for all of it.
double cycles_of(const WgmmaWeightsPlan& p, int element) {
  const int voxels = p.tile.voxels(), columns = p.columns * p.lines, steps = voxels * element / kMmaStep;
  const double product = columns / 2 > 16 + columns / 4 ? columns / 2 : 16 + columns / 4;
  const double products = double(steps) * (p.blocks[0] + p.blocks[1]) * product;
  const double loads = (double(p.tile.slots()) * kSlot + double(p.gy_voxels()) * p.columns * element) / kBytesPerCycle;
  const double kinds = double(p.cut.groups) * p.column_blocks * p.chunks * p.tap_groups;
  // Loads run beside products, and more of them wait longer.
  return kinds * double(p.tiles) * ((products > loads ? products : loads) + loads / 4 + kTileCycles);
}

bool fit_tile(WgmmaWeightsPlan& p, int element, int d, int h, int w) {
  p.tile = mma_tile(p.cut, d, h, w);
  if (p.lines > 1 && p.tile.extent[2] < 16) return false;
  // Eight voxels that a warp reads at once are neighbours along W: those of boxes have no gaps that would part their banks.
  if (p.boxes && (w < 8 || p.tile.output[2] != 1 || !lay_boxes(p.cut, p.tile))) return false;
  // Pieces that a warp writes or reads at once lie in different banks: neighbours along W and the next pieces of channels.
  p.plane = p.tile.slots() + (element == 2 ? (10 - p.tile.slots() % 8) % 8 : (12 - p.tile.slots() % 8) % 8);
  p.gy_lines = p.tile.extent[1] + p.lines - 1;
  p.pitch = p.lines > 1 ? p.tile.extent[2] + 2 : element == 4 ? p.columns + 1 : p.tile.voxels() + (p.columns == 32 ? 2 : 1);
  p.tiles = mma_tiles(p.cut, p.tile);
  for (p.stages = 4; p.stages > 1; --p.stages) {
    p.shared = p.barrier_bytes() + p.table_bytes() + p.stages * int64_t(p.stage_bytes(element));
    if (p.shared <= kMostWgmmaShared) return true;
  }
  return false;
}

}  // namespace

WgmmaWeightsPlan wgmma_weights_plan(const ConvGather& g, int element, bool boxes) {
  WgmmaWeightsPlan best;
  if (boxes && (element != 2 || !boxes_are_possible(g, element))) return best;
  if (g.taps < 1 || g.n < 1 || g.out_voxels() == 0 || int64_t(g.axis[0].in) * g.axis[1].in * g.axis[2].in > INT32_MAX) return best;
  double least = 0;
  for (const Form& f : kForms) {
    WgmmaWeightsPlan p = plan_of_form(g, f, element);
    if (p.lines == 0) continue;
    p.boxes = boxes;
    for (int voxels = 64; voxels <= 256; voxels *= 2)
      for (int d = 1; d <= voxels; d *= 2)
        for (int h = 1; d * h <= voxels; h *= 2) {
          if (!fit_tile(p, element, d, h, voxels / d / h)) continue;
          const double cost = cycles_of(p, element) * (p.stages > 2 ? 1 : 1.2);
          if (best.tile.extent[0] == 0 || cost < least) best = p, least = cost;
        }
  }
  if (best.tile.extent[0] == 0) return best;
  // As many shares as fill a device that has room for all clusters.
  const int64_t bytes = int64_t(g.outputs) * g.groups * g.taps * g.inputs * 4;
  WgmmaWeightsPlan shared = best;
  take_clusters(g, shared, element, [](const WgmmaWeightsPlan&) { return true; });
  const int64_t places = shared.cluster == 1 ? kWeightChips : int64_t(kWeightParts) * (kPartChips / shared.cluster);
  best.shares = shares_of(shared.share_clusters(), places, best.tiles, kMostPartialWeights / bytes > 1 ? kMostPartialWeights / bytes : 1);
  return best;
}

WgmmaWeightsPlan wgmma_weights_plan_on(Cuda on, const ConvGather& g, int element, bool boxes) {
  WgmmaWeightsPlan p = wgmma_weights_plan(g, element, boxes);
  if (p.tile.extent[0] == 0 || !conv_blocks_share()) return p;
  // Clusters that the device has no places for at once wait for others: 1/16 more rounds at most.
  const auto rounds = [&](const WgmmaWeightsPlan& q) {
    const int at_once = wgmma_clusters_at_once(on, q.cluster);
    return at_once > 0 ? ceil_to(q.shares * q.share_clusters(), at_once) : INT32_MAX;
  };
  const int64_t most = rounds(p) * 17 / 16;
  take_clusters(g, p, element, [&](const WgmmaWeightsPlan& q) { return rounds(q) <= most; });
  return p;
}

ConvTraffic wgmma_weights_traffic(Cuda on, const ConvGather& g, int element, bool boxes) {
  const WgmmaWeightsPlan p = wgmma_weights_plan_on(on, g, element, boxes);
  if (p.tile.extent[0] == 0) return {};
  const Loaded once(g, p, element);
  return {.activations = once.read(p), .halos = once.x + double(g.out_voxels()) * g.outputs * element * g.groups,
          .others = double(g.outputs) * g.groups * g.taps * g.inputs * 4 * (2. * double(p.shares) + 1)};
}

double wgmma_weights_waste(const ConvGather& g, int element, bool boxes) {
  const WgmmaWeightsPlan p = wgmma_weights_plan(g, element, boxes);
  if (p.tile.extent[0] == 0) return 0;
  const double rows = double(p.blocks[0] + p.blocks[1]) * (element == 2 ? 2 : 4) * p.tap_groups / p.cut.taps;
  return rows * double(p.tiles) * p.tile.voxels() / double(p.cut.out_voxels());
}

}  // namespace voxgrad
