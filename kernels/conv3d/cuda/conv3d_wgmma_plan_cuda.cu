// Host side of conv3d_wgmma.cuh.
#include "kernels/conv3d/cuda/conv3d_choice_kernels.h"
#include "kernels/conv3d/cuda/conv3d_wgmma.cuh"

namespace voxgrad {
namespace {

constexpr int64_t kMostShares = 32 << 20;  // bytes of their sums
constexpr int64_t kChips = 132;            // multiprocessors of an H100 and an H200
constexpr int kLeastTaps = 9;              // times chunks, of a share
constexpr int kStageBytes = 24 << 10;      // about, of weights that are waited for at once

int ceil_of(int64_t a, int64_t b) { return int((a + b - 1) / b); }

// What clusters of so many blocks of channels work through.
int64_t items_of(const ConvGather& g, const WgmmaPlan& p, int columns) {
  return p.tile_groups * (p.column_blocks / columns) * g.groups * p.shares();
}

// Buffers for a share of the sum, as many as there is room for.
void fill_shared(const ConvGather& g, WgmmaPlan& p) {
  const int taps = g.taps / p.tap_shares, chunks = ceil_of(p.chunks, p.chunk_shares);
  int most = kStageBytes / p.tap_bytes();
  most = most < 1 ? 1 : most < taps ? most : taps;
  p.stage_taps = ceil_of(taps, ceil_of(taps, most));
  const auto fits = [&](int halos, int stages) {
    p.halos = halos, p.stages = stages;
    p.shared = p.barrier_bytes() + p.table_bytes() + int64_t(halos) * p.halo_bytes() + int64_t(stages) * p.stage_bytes();
    return p.shared <= kMostWgmmaShared;
  };
  const int several = chunks > 1 || p.items > kChips ? 2 : 1;
  if (fits(several + 1, 4) || fits(several, 4) || fits(several, 3) || fits(several, 2) || fits(1, 2)) return;
  p.tile.extent[0] = 0;
}

// The tile of so many products for each warpgroup whose blocks load and compute least.
WgmmaPlan plan_of_blocks(const ConvGather& g, WgmmaPlan p, int blocks) {
  WgmmaPlan best = p;
  best.tile.extent[0] = 0;
  const int outputs = blocks * kWgmmaConsumers * kWgmmaRows;
  double least = 0;
  for (int d = 1; d * 8 <= outputs; d *= 2)
    for (int h = 1; d * h * 8 <= outputs; h *= 2) {
      p.blocks = blocks;
      p.tile = mma_tile(g, d, h, outputs / d / h);
      const MmaTile& t = p.tile;
      // Eight neighbours along W lie side by side alone, and rows of products are in one line, or in lines or planes of one distance.
      if (t.output[2] != 1) continue;
      p.across = h >= 8 ? 1 : d >= 8 ? 0 : t.extent[2] >= kWgmmaRows ? 2 : -1;
      if (p.across < 0) continue;
      if (p.boxes && !lay_boxes(g, p.tile)) continue;
      p.plane = t.slots() + (10 - t.slots() % 8) % 8;  // 2 modulo 8, so that the pieces of a slot are written to different banks
      p.tiles = mma_tiles(g, t);
      p.items = p.tiles * p.column_blocks * g.groups;
      fill_shared(g, p);
      if (t.extent[0] == 0) continue;
      const double waiting = p.halos == 1 && (p.chunks > 1 || p.items > kChips) ? 1.5 : 1;
      const double cost = waiting * double(p.tiles) * double(t.slots() + int64_t(outputs) * (1 + g.taps) / 2);
      if (best.tile.extent[0] == 0 || cost < least) {
        best = p;
        least = cost;
      }
    }
  return best;
}

int columns_of(int outputs, bool exact) {
  if (outputs <= 32) return 32;
  if (outputs <= 64 || exact) return 64;
  int best = 160;
  for (const int n : {128, 64})
    if (ceil_of(outputs, n) * n < ceil_of(outputs, best) * best) best = n;
  return best;
}

// Small volumes fill the device by shares of their sums, by chunks first and then by equal shares of the taps.
void take_shares(const ConvGather& g, WgmmaPlan& p) {
  if (p.items >= kChips / 2) return;
  const int64_t bytes = g.out_voxels() * g.outputs * g.groups * 4;
  int64_t most = kChips / p.items;
  if (most > kMostShares / bytes) most = kMostShares / bytes;
  if (most > int64_t(p.chunks) * g.taps / kLeastTaps) most = int64_t(p.chunks) * g.taps / kLeastTaps;
  if (most < 2) return;
  p.chunk_shares = ceil_of(p.chunks, ceil_of(p.chunks, most < p.chunks ? most : p.chunks));
  for (int s = int(most / p.chunk_shares); s > 1; --s)
    if (g.taps % s == 0) {
      p.tap_shares = s;
      break;
    }
}

}  // namespace

bool lay_boxes(const ConvGather& g, MmaTile& t) {
  const int every = t.odd ? 2 : 1;
  const int step[3] = {t.output[0] / t.plane, t.output[1] / t.line, 1};
  t.line = t.odd ? t.odd : t.halo[2];
  t.plane = t.halo[1] * t.line;
  for (int a = 0; a < 2; ++a) t.output[a] = step[a] * (a == 0 ? t.plane : t.line);
  if (t.odd) t.odd = (t.slots() + 1) / 2 * 2;  // boxes begin at multiples of 128 bytes
  for (int a = 0; a < 3; ++a) {
    const int unit = g.axis[a].unit() * (a == 2 ? every : 1);
    if (unit > 8 || (a == 2 ? t.line : t.halo[a]) * unit > 256) return false;
  }
  return true;
}

bool boxes_are_possible(const ConvGather& g, int element) {
  // Whole rows, of which what lies beyond the last channel is zero, and that of other groups is left out.
  return int64_t(g.inputs) * element % (g.groups > 1 ? kSlot : 16) == 0 && g.n <= INT32_MAX;
}

ConvTraffic wgmma_traffic(Cuda on, const ConvGather& g, int element, bool exact, bool boxes) {
  const WgmmaPlan p = wgmma_plan_on(on, g, element, exact, boxes, false);
  if (p.tile.extent[0] == 0) return {};
  const auto halos = [&](int more) { return double(g.n) * g.halo_voxels(p.tile.extent, more) * g.inputs * element * g.groups; };
  // The blocks of a cluster read the halo of a tile and the weights of a block of channels once.
  const double packed = double(g.groups) * p.column_blocks * p.chunks * g.taps * p.tap_bytes();
  const double outputs = double(g.out_voxels()) * g.outputs * g.groups;
  return {.activations = halos(p.boxes ? more_positions(p.tile) : 0) * (p.column_blocks / p.cluster_columns) * p.tap_shares,
          .halos = halos(0),
          .others = packed * (double(p.tile_groups) + 1) + outputs * element + (p.shares() > 1 ? 2. * p.shares() * outputs * 4 : 0)};
}

WgmmaPlan wgmma_plan(const ConvGather& g, int element, bool exact, bool boxes, bool summed) {
  if (boxes && (exact || !boxes_are_possible(g, element))) return {};
  if (g.taps < 1 || g.n < 1 || int64_t(g.axis[0].in) * g.axis[1].in * g.axis[2].in > INT32_MAX) return {};
  WgmmaPlan p{.columns = columns_of(g.outputs, exact), .chunks = ceil_of(int64_t(g.inputs) * element, kSlot), .parts = exact ? 2 : 1,
              .boxes = boxes};
  p.column_blocks = ceil_of(g.outputs, p.columns);
  int large = exact || p.columns == 128 ? 2 : p.columns == 160 ? 1 : 4;
  while (summed && p.parts * large * p.columns > kMostSummedColumns) large /= 2;
  WgmmaPlan best = plan_of_blocks(g, p, large);
  const auto computed = [](const WgmmaPlan& q) { return double(q.tiles) * q.tile.voxels(); };
  // Smaller tiles where large ones do not fit, wait for their halos, compute more, or are too few.
  for (int blocks = large / 2; blocks > 0; blocks /= 2)
    if (const WgmmaPlan half = plan_of_blocks(g, p, blocks);
        half.tile.extent[0] > 0 && (best.tile.extent[0] == 0 || best.items < kChips || (best.halos == 1 && half.halos > 1) ||
                                    computed(best) * 8 > computed(half) * 9))
      best = half;
  if (best.tile.extent[0] == 0) return best;
  take_shares(g, best);
  best.cluster_tiles = best.tiles % 2 == 0 || best.tiles > 8 ? 2 : 1;
  best.tile_groups = ceil_of(best.tiles, best.cluster_tiles);
  best.items = items_of(g, best, 1);
  fill_shared(g, best);
  return best;
}

WgmmaPlan wgmma_plan_on(Cuda on, const ConvGather& g, int element, bool exact, bool boxes, bool summed) {
  WgmmaPlan p = wgmma_plan(g, element, exact, boxes, summed);
  if (p.tile.extent[0] == 0 || p.column_blocks == 1 || !conv_blocks_share()) return p;
  // Bytes of halos and weights that are read: halos * column_blocks / cluster_columns + weights * tiles / cluster_tiles, so as many blocks
  // of channels as divide them all. But clusters that the device has no places for at once wait for others: 1/16 more rounds at most.
  const auto has_places = [&](int columns, int64_t most) {
    const int at_once = wgmma_clusters_at_once(on, p.cluster_tiles * columns);
    return at_once > 0 && ceil_of(items_of(g, p, columns), at_once) * int64_t(16) <= most * 17;
  };
  const int alone = wgmma_clusters_at_once(on, p.cluster_tiles), rounds = ceil_of(p.items, alone > 0 ? alone : 1);
  int columns = kMostCluster / p.cluster_tiles;
  while (columns > 1 && (p.column_blocks % columns || !has_places(columns, rounds))) --columns;
  p.cluster_columns = columns;
  p.items = items_of(g, p, columns);
  return p;
}

}  // namespace voxgrad
