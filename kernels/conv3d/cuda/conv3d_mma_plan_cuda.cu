// Host side of conv3d_mma.cuh.
#include "kernels/conv3d/cuda/conv3d_choice_kernels.h"
#include "kernels/conv3d/cuda/conv3d_mma.cuh"

namespace voxgrad {
namespace {

constexpr int64_t kMostPartial = 32 << 20;   // bytes of the sums of shares
constexpr int64_t kFewBlocks = 132, kBlocks = 264;  // of one and two for each multiprocessor of an H100
constexpr int kLeastSteps = 9;               // taps times chunks of a share

int ceil_div(int a, int b) { return (a + b - 1) / b; }
// The least number from `n` on that is `rest` modulo 8 when multiplied by `times`; n where there is none.
int padded(int n, int times, int rest) {
  for (int m = n; m < n + 8; ++m)
    if (m * times % 8 == rest % 8) return m;
  return n;
}

// The pipeline of a share of the sum, and the memory that it takes. In a cluster parts arrive a tap earlier, to be sent to the others, and
// where there is room a buffer has the time of a chunk to be given back by all.
void complete(const ConvGather& g, int element, MmaPlan& p) {
  const int taps = g.taps / p.tap_shares, chunks = ceil_div(p.chunks, p.chunk_shares), before = kMmaStages - (p.cluster() > 1 ? 0 : 1);
  p.ahead = ceil_div(before, taps);
  p.parts = p.ahead * taps - before + 1 < taps ? p.ahead * taps - before + 1 : taps;
  const auto work = [&](int buffers) {
    p.buffers = buffers < chunks ? buffers : chunks;
    return p.before_halos() + int64_t(p.buffers) * p.halo_bytes() + int64_t(kMmaStages) * p.columns * kSlot;
  };
  if (p.cluster() == 1 || work(p.ahead + 2) > kMostMmaShared)
    if (work(p.ahead + 1) > kMostMmaShared) p.ahead = p.parts = 0, p.buffers = 1;
  const int64_t result = int64_t(p.tile.voxels()) * (p.columns + 8) * element;
  p.shared = work(p.buffers) > result ? work(p.buffers) : result;
}

// What the blocks of a plan load and compute for a chunk.
double cost_of(const ConvGather& g, const MmaPlan& p) {
  const double waiting = (p.ahead == 0 && p.chunks > 1 ? 1.5 : 1) * mma_tile_waits(p.tile);
  const int64_t voxels = p.tile.voxels();
  return waiting * double(mma_tiles(g, p.tile)) * double(p.tile.slots() + voxels * (1 + g.taps) / 2);
}

// The tile of `voxels` whose blocks load and compute least, of so many slices.
MmaPlan plan_of(const ConvGather& g, int element, int voxels, int columns, const MmaPlan& sliced = {}) {
  MmaPlan best = sliced;
  best.columns = columns;
  best.chunks = ceil_div(g.inputs * element, kSlot) * sliced.all_slices();
  double least = 0;
  for (int d = 1; d <= voxels; d *= 2)
    for (int h = 1; d * h <= voxels; h *= 2) {
      MmaPlan p = best;
      p.tile = mma_tile(g, d, h, voxels / d / h);
      complete(g, element, p);
      if (p.shared > kMostMmaShared) continue;
      if (p.sliced && (p.tile.halo[0] > kMostPosition || p.tile.halo[1] > kMostPosition || p.tile.halo[2] > kMostPosition)) continue;
      const double cost = cost_of(g, p);
      if (best.tile.extent[0] == 0 || cost < least) {
        best = p;
        least = cost;
      }
    }
  return best;
}

int columns_for(int outputs) {
  for (const int n : {16, 32, 64})
    if (outputs <= n) return n;
  int best = 160;
  for (const int n : {128, 64})
    if (ceil_div(outputs, n) * n < ceil_div(outputs, best) * best) best = n;
  return best;
}

// Of slices of the taps, those that load and compute least.
MmaPlan sliced_plan(const ConvGather& g, int element, bool exact) {
  MmaPlan best;
  const int wide = g.outputs <= 64 ? columns_for(g.outputs) : ceil_div(g.outputs, 64) % 2 ? 64 : kMostSlicedColumns;
  const int columns = exact && wide > kMostExactColumns ? kMostExactColumns : wide;
  double least = 0;
  for (int axes = 1; axes <= 3; ++axes) {
    const ConvGather first = first_slice(g, axes);
    MmaPlan of{.sliced = axes};
    for (int a = 0; a < axes; ++a) of.slices[a] = g.axis[a].taps;
    const MmaPlan p = plan_of(first, element, kSlicedVoxels, columns, of);
    if (p.tile.extent[0] == 0) continue;
    const double cost = cost_of(first, p) * p.chunks;
    if (best.tile.extent[0] > 0 && cost >= least) continue;
    best = p;
    least = cost;
  }
  return best;
}

// Small volumes fill the device by shares of their sums.
void share(const ConvGather& g, int element, MmaPlan& p) {
  const int64_t blocks = mma_tiles(g, p.tile) * ceil_div(g.outputs, p.columns) * g.groups;
  if (blocks >= kFewBlocks / 2) return;
  const int64_t bytes = g.out_voxels() * g.outputs * g.groups * 4;
  int64_t most = kBlocks / blocks;
  if (most > kMostPartial / bytes) most = kMostPartial / bytes;
  if (most > int64_t(p.chunks) * g.taps / kLeastSteps) most = int64_t(p.chunks) * g.taps / kLeastSteps;
  if (most < 2) return;
  const int by_chunks = most < p.chunks ? int(most) : p.chunks;
  p.chunk_shares = ceil_div(p.chunks, ceil_div(p.chunks, by_chunks));
  // Shares of taps are equal.
  for (int s = int(most / p.chunk_shares); s > 1; --s)
    if (g.taps % s == 0) {
      p.tap_shares = s;
      break;
    }
  complete(g, element, p);
}

}  // namespace

ConvGather first_slice(const ConvGather& g, int axes) {
  ConvGather first = g;
  for (int a = 0; a < axes; ++a) {
    first.taps /= g.axis[a].taps;
    first.axis[a].taps = 1;
  }
  return first;
}

double sliced_voxels(const ConvGather& g, int axes, const int (&tile)[3]) {
  ConvGather one = first_slice(g, axes);
  double all = 0;
  const auto count = [&](int a) { return a < axes ? g.axis[a].taps : 1; };
  for (int d = 0; d < count(0); ++d)
    for (int h = 0; h < count(1); ++h)
      for (int w = 0; w < count(2); ++w) {
        const int of[3] = {d, h, w};
        for (int a = 0; a < 3; ++a) one.axis[a].offset = g.axis[a].offset + of[a] * g.axis[a].tap_step;
        all += one.halo_voxels(tile);
      }
  return all;
}

MmaTile mma_tile_apart(const ConvGather& g, int d, int h, int w, int taps) {
  MmaTile t = mma_tile(g, d, h, w);
  t.halo[0] = d * taps, t.halo[1] = h, t.halo[2] = w;
  t.line = t.output[1] = w;
  t.plane = t.output[0] = w * h;
  t.output[2] = 1, t.odd = 0;
  return t;
}

MmaTile mma_tile(const ConvGather& g, int d, int h, int w) {
  MmaTile t{.extent = {d, h, w}};
  int step[3];
  for (int a = 0; a < 3; ++a) {
    t.halo[a] = g.axis[a].halo(t.extent[a]);
    step[a] = g.axis[a].in_step / g.axis[a].unit();
    t.tap[a] = g.axis[a].taps > 1 ? g.axis[a].tap_step / g.axis[a].unit() : 0;
  }
  if (step[2] == 2 && t.halo[2] > 1) t.odd = (t.halo[2] + 1) / 2;
  t.line = w < 8 ? padded(t.halo[2], step[1], w) : t.halo[2];
  t.plane = w * h < 8 ? padded(t.halo[1] * t.line, step[0], w * h) : t.halo[1] * t.line;
  t.output[0] = step[0] * t.plane;
  t.output[1] = step[1] * t.line;
  t.output[2] = t.odd ? 1 : step[2];
  while (1 << t.bits[1] < w) ++t.bits[1];
  while (1 << t.bits[0] < w * h) ++t.bits[0];
  return t;
}

double mma_tile_waits(const MmaTile& t) {
  int count[8] = {}, most = 0;
  for (int v = 0; v < 8; ++v)
    if (const int here = ++count[t.slot(v) % 8]; here > most) most = here;
  return (1 + most) / 2.;
}

int64_t mma_tiles(const ConvGather& g, const MmaTile& t) {
  int64_t n = g.n;
  for (int a = 0; a < 3; ++a) n *= ceil_div(g.axis[a].count, t.extent[a]);
  return n;
}

MmaPlan mma_plan(const ConvGather& g, int element, bool exact) {
  if (g.taps < 1 || int64_t(g.axis[0].in) * g.axis[1].in * g.axis[2].in > INT32_MAX) return {};  // voxels of a sample are counted in int
  const int wide = columns_for(g.outputs), columns = exact && wide > kMostExactColumns ? kMostExactColumns : wide;
  MmaPlan p = plan_of(g, element, 128, columns);
  const auto computed = [&](const MmaPlan& q) { return mma_tiles(g, q.tile) * q.tile.voxels(); };
  // 64 voxels: where halos of 128 do not fit, or most of them would be outside.
  const int narrow = columns <= 64 ? 64 : columns;
  if (const MmaPlan half = plan_of(g, element, 64, narrow);
      half.tile.extent[0] > 0 && (p.tile.extent[0] == 0 || computed(p) * 2 > computed(half) * 3))
    p = half;
  else if (!exact && (columns == 32 || columns == 64)) {
    const MmaPlan large = plan_of(g, element, 256, columns);
    if (large.tile.extent[0] > 0 && mma_tiles(g, large.tile) * ceil_div(g.outputs, columns) * g.groups >= kBlocks &&
        computed(large) * 8 <= computed(p) * 9)
      p = large;
  }
  if (p.tile.extent[0] == 0) {
    p = sliced_plan(g, element, exact);
    if (p.tile.extent[0] > 0) share(first_slice(g, p.sliced), element, p);
  } else {
    share(g, element, p);
  }
  return p;
}

MmaPlan mma_plan_on(Cuda on, const ConvGather& g, int element, bool exact) {
  const MmaPlan alone = mma_plan(g, element, exact);
  if (alone.tile.extent[0] == 0 || alone.sliced || !conv_blocks_share()) return alone;
  const int column_blocks = ceil_div(g.outputs, alone.columns);
  MmaPlan best = alone;
  for (int columns = 1; columns <= kMostCluster; ++columns)
    for (int taps = 1; columns * taps <= kMostCluster; ++taps) {
      if (column_blocks % columns || alone.tap_shares % taps || columns * taps <= best.cluster()) continue;
      MmaPlan p = alone;
      p.cluster_columns = columns, p.cluster_taps = taps;
      complete(g, element, p);
      if (p.shared <= kMostMmaShared && mma_clusters_at_once(on, p.cluster()) > 0) best = p;
    }
  return best;
}

ConvTraffic mma_traffic(Cuda on, const ConvGather& g, int element, bool exact) {
  const MmaPlan p = mma_plan_on(on, g, element, exact);
  if (p.tile.extent[0] == 0) return {};
  const double blocks = ceil_div(g.outputs, p.columns), tiles = double(mma_tiles(g, p.tile));
  // Every cluster of shares of the taps and of blocks of channels reads the halos, those of the chunks their own channels.
  const double channels = double(g.n) * g.inputs * element * g.groups, halos = g.halo_voxels(p.tile.extent) * channels;
  const double read = p.sliced ? sliced_voxels(g, p.sliced, p.tile.extent) * channels : halos;
  const double packed = double(g.groups) * blocks * p.columns * g.taps * p.input_chunks() * kSlot, weights = packed * (tiles + 1);
  const double outputs = double(g.out_voxels()) * g.outputs * g.groups;
  return {.activations = read * blocks * p.tap_shares / p.cluster(), .halos = halos,
          .others = weights + outputs * element + (p.shares() > 1 ? 2. * p.shares() * outputs * 4 : 0)};
}

bool mma_is_possible(const ConvGather& g) {
  return mma_plan(g, 2, false).tile.extent[0] > 0 && mma_plan(g, 4, false).tile.extent[0] > 0 && mma_plan(g, 4, true).tile.extent[0] > 0;
}

}  // namespace voxgrad
