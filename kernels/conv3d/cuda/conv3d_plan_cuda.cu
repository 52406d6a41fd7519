// Host side of conv3d_gather.cuh: how a convolution becomes gathers, and their tiles.
#include "kernels/conv3d/cuda/conv3d_gather.cuh"

namespace voxgrad {
namespace {
int floor_mod(int a, int b) { return (a % b + b) % b; }
int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
}  // namespace

GatherAxis forward_axis(const Conv3dProblem& p, int a) {
  return {.out = p.out[a], .count = p.out[a], .in = p.in[a], .in_step = p.stride[a], .offset = -p.padding[a], .taps = p.kernel[a],
          .tap_step = p.dilation[a]};
}

// Position i = residue + j stride of x got x[i] w[t] at the outputs o with o stride = i + padding - t dilation. Taps are taken in the
// order of rising o, which is that of falling t.
GatherAxis gradient_axis(const Conv3dProblem& p, int a, int residue) {
  const int s = p.stride[a], dilation = p.dilation[a];
  GatherAxis g{.out = p.in[a], .first = residue, .step = s, .count = int(ceil_div(p.in[a] - residue, s)), .in = p.out[a], .taps = 0};
  for (int t = p.kernel[a] - 1; t >= 0; --t) {
    const int shifted = residue + p.padding[a] - t * dilation;
    if (floor_mod(shifted, s) != 0) continue;
    const int offset = (shifted - floor_mod(shifted, s)) / s;
    if (g.taps == 0) {
      g.offset = offset;
      g.weight_first = t;
    }
    if (g.taps == 1) {
      g.tap_step = offset - g.offset;
      g.weight_step = t - g.weight_first;
    }
    ++g.taps;
  }
  return g;
}

int64_t packed_count(const ConvGather& g, const WeightPack& w) { return int64_t(g.groups) * g.taps * w.rows * w.columns; }

namespace {
// The tile of `voxels` (a power of two) whose blocks load least, with at most `most` voxels of halo.
GatherTile tile_of(const ConvGather& g, int voxels, int most) {
  GatherTile best{.extent = {0, 1, 1}};
  double least = 0;
  for (int d = 1; d <= voxels; d *= 2)
    for (int h = 1; d * h <= voxels; h *= 2) {
      const int w = voxels / d / h;
      GatherTile t{.extent = {d, h, w}};
      int64_t tiles = 1;
      for (int a = 0; a < 3; ++a) {
        t.halo[a] = g.axis[a].halo(t.extent[a]);
        tiles *= ceil_div(g.axis[a].count, t.extent[a]);
      }
      const int64_t halo = int64_t(t.halo[0]) * t.halo[1] * t.halo[2];
      if (halo > most) continue;
      // The halo is loaded once and each of its outputs computed for every tap; neither is free.
      const double cost = double(tiles) * double(halo + int64_t(voxels) * (1 + g.taps) / 2);
      if (best.extent[0] == 0 || cost < least) {
        best = t;
        least = cost;
      }
    }
  return best;
}
}  // namespace

// Rows of 80 bytes: three blocks of 128 voxels or, with large halos, one of 64 fit a multiprocessor of 164 KiB.
GatherTile halo_tile(const ConvGather& g) {
  const GatherTile large = tile_of(g, 128, 480);
  return large.extent[0] > 0 ? large : tile_of(g, 64, 1000);
}

}  // namespace voxgrad
