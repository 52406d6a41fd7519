// Host side of conv3d_mma_weights.cuh.
#include "kernels/conv3d/cuda_weights/conv3d_mma_weights.cuh"

namespace voxgrad {
namespace {

constexpr int kMostWeightBlocks = 1024;

int64_t over(int64_t a, int64_t b) { return (a + b - 1) / b; }

// With the taps of each plane along D apart, or not.
MmaWeightsPlan parts_of(const ConvGather& g, bool apart) {
  MmaWeightsPlan p{.part = g};
  if (apart) {
    p.parts = g.axis[0].taps;
    p.part_step = g.axis[0].tap_step;
    p.part.axis[0].taps = 1;
  }
  p.tap_groups = p.parts * over(g.taps / p.parts, kWeightTaps);
  return p;
}

// p with a tile of this shape and so many warps along the output channels; false: it does not fit.
bool complete(int element, int side_k, const MmaTile& tile, MmaWeightsPlan& p) {
  const int high = side_k * 16 * weight_sixteens(element);
  for (int a = 0; a < 3; ++a)
    if (p.part.axis[a].halo(tile.extent[a]) > kMostPosition) return false;
  p.tile = tile;
  p.side_k = side_k;
  p.rows = high * element / kSlot;
  p.shared = tile.table_bytes() + 2 * (kNormBytes + int64_t(tile.slots() + tile.voxels() * p.rows) * kSlot);
  p.tiles = mma_tiles(p.part, tile);
  p.blocks_k = over(p.part.outputs, high);
  p.blocks_c = over(p.part.inputs, kSlot / element);
  return p.shared <= kMostMmaShared;
}

}  // namespace

// That which loads and multiplies least; a tile of 64 outputs has more of a halo for each, but room for more channels of gy. Taps have
// halos of their own where nothing else fits.
MmaWeightsPlan mma_weights_plan(const ConvGather& g, int element) {
  MmaWeightsPlan best;
  if (g.taps < 1) return best;
  double least = 0;
  enum class Halo { of_all, of_planes, of_taps };
  for (const Halo halo : {Halo::of_all, Halo::of_planes, Halo::of_taps}) {
    if (halo == Halo::of_planes && g.axis[0].taps == 1) continue;
    if (halo == Halo::of_taps && best.tile.extent[0] > 0) continue;
    MmaWeightsPlan p = parts_of(g, halo == Halo::of_planes);
    if (halo == Halo::of_taps) p.apart = g.taps < kWeightTaps ? g.taps : kWeightTaps;
    const auto tile = [&](int d, int h, int w) {
      return p.apart ? mma_tile_apart(g, d, h, w, p.apart) : mma_tile(p.part, d, h, w);
    };
    for (const int voxels : {128, 64})
      for (int side_k = 1; side_k <= most_weight_side_k(element); side_k *= 2)
        for (int d = 1; d <= voxels; d *= 2)
          for (int h = 1; d * h <= voxels; h *= 2) {
            if (!complete(element, side_k, tile(d, h, voxels / d / h), p)) continue;
            const double cost = double(p.tap_groups * p.blocks_k * p.blocks_c) * double(p.tiles) *
                                (p.tile.slots() + double(voxels) * p.rows * (1 + kWeightTaps)) * mma_tile_waits(p.tile);
            if (best.tile.extent[0] > 0 && cost >= least) continue;
            best = p;
            least = cost;
          }
  }
  // Blocks enough to fill a large GPU; each adds the memory of one more gradient.
  const int64_t shares = kMostWeightBlocks / (g.groups * best.blocks_k * best.blocks_c * best.tap_groups);
  best.shares = shares < 1 ? 1 : shares;
  if (best.shares > best.tiles) best.shares = best.tiles;
  return best;
}

bool mma_weights_are_possible(const ConvGather& g) {
  return mma_weights_plan(g, 2).tile.extent[0] > 0 && mma_weights_plan(g, 4).tile.extent[0] > 0;
}

ConvTraffic mma_weights_traffic(const ConvGather& g, int joined, int element) {
  const MmaWeightsPlan p = mma_weights_plan(g, element);
  const double bytes = double(element) * g.groups, of_x = double(g.n) * g.inputs * bytes;
  double x = 0;
  ConvGather part = p.part;
  for (int i = 0; i < p.parts; ++i, part.axis[0].offset += p.part_step) x += part.halo_voxels(p.tile.extent) * of_x;
  double groups = double(p.tap_groups) / p.parts;
  if (p.apart) x = sliced_voxels(g, 3, p.tile.extent) * of_x, groups = 1;
  const double gy = double(g.out_voxels()) * g.outputs * bytes;
  const double weights = double(g.outputs) * g.groups * g.taps * (g.inputs / joined);
  const int warps = 4 / (p.side_k * weight_side_c(element));  // that share the voxels of a block
  return {.activations = x * double(p.blocks_k) * groups + gy * double(p.blocks_c * p.tap_groups),
          .halos = double(g.halo_voxels(p.tile.extent)) * of_x + gy,
          .others = weights * 4 * (2. * double(p.shares) * warps + 1)};
}

}  // namespace voxgrad
