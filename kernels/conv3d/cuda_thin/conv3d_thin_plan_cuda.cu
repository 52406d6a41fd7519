// Host side of conv3d_thin.cuh.
#include "kernels/conv3d/cuda/conv3d_gathers.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_thin.cuh"

namespace voxgrad {
namespace {

constexpr int kMostThinTaps = 343;

int ceil_div(int a, int b) { return (a + b - 1) / b; }
constexpr int kBanks = 32;

// The first of the units that a warp reads at a time, of which two words lie in one bank; all of them if none do.
int first_conflict(const ThinTile& t, bool gradient) {
  const int together = gradient ? 8 : 4, units = t.units();
  for (int u = 0; u < units; u += together) {
    int of_unit[8], in_bank[kBanks];
    for (int i = 0; i < together; ++i) of_unit[i] = t.word_of(u + i < units ? u + i : units - 1);
    for (int& word : in_bank) word = -1;
    for (int lane = 0; lane < 32; ++lane) {
      const ThinLane l = thin_lane(lane, gradient);
      const int word = of_unit[l.unit] + l.output;
      int& other = in_bank[word % kBanks];
      if (other >= 0 && other != word) return u;
      other = word;
    }
  }
  return units;
}

}  // namespace

ThinTile thin_tile(const ConvGather& g, int element, bool gradient, int d, int h) {
  ThinTile t{.extent = {d, h, kThinWidth}};
  for (int a = 0; a < 3; ++a) {
    t.halo[a] = g.axis[a].halo(t.extent[a]);
    t.taps[a] = g.axis[a].taps;
    t.unit[a] = g.axis[a].unit();
    t.step[a] = g.axis[a].in_step / t.unit[a];
    t.tap[a] = g.axis[a].taps > 1 ? g.axis[a].tap_step / t.unit[a] : 0;
  }
  if (element == 2) {
    if (gradient) t.ahead = 4 * t.step[2];
    else if (g.inputs == 1) t.ahead = 1;
  }
  t.parts = element == 2 && !gradient ? ceil_div(g.inputs, 2) : g.inputs;
  t.taps_of_unit = t.ahead == 1 && !gradient && t.tap[2] == 1 ? 2 : 1;
  for (int tap = 0; tap < t.taps[2]; tap += t.taps_of_unit)
    if (const int residue = tap * t.tap[2] % t.step[2]; residue >= t.residues) t.residues = residue + 1;
  t.pitch = ceil_div(t.halo[2], t.step[2]);
  t.line = t.residues * t.pitch;
  t.plane = t.halo[1] * t.line;
  t.part = t.halo[0] * t.plane;
  return t;
}

void spread_over_banks(ThinTile& t, bool gradient) {
  const ThinTile unpadded = t;
  // Units of one plane do not depend on where the next one lies, those of one part not on where the next part lies.
  const int together = gradient ? 8 : 4, planes = t.taps[0] > 1 ? kBanks : 1, parts = t.parts > 1 ? kBanks : 1;
  for (t.line = unpadded.line; t.line < unpadded.line + 2 * kBanks; ++t.line)
    for (t.pitch = unpadded.pitch; t.pitch * t.residues <= t.line; ++t.pitch) {
      bool in_plane = false, in_part = false;  // whether what meets there does so
      for (int plane = 0; plane < planes && !in_plane; ++plane) {
        t.plane = t.halo[1] * t.line + plane;
        in_part = false;
        for (int part = 0; part < parts && !in_plane && !in_part; ++part) {
          t.part = t.halo[0] * t.plane + part;
          const int first = first_conflict(t, gradient), last = std::min(first + together, t.units()) - 1;
          if (first == t.units()) return;
          in_plane = first / t.plane_units() == last / t.plane_units();
          in_part = first / t.part_units() == last / t.part_units();
        }
      }
      if (t.residues == 1) break;  // one more is one more of a line
    }
  t = unpadded;
}

int64_t thin_tiles(const ConvGather& g, const ThinTile& t) {
  int64_t n = g.n;
  for (int a = 0; a < 3; ++a) n *= ceil_div(g.axis[a].count, t.extent[a]);
  return n;
}

ThinPlan thin_plan(const ConvGather& g, int element, int multiprocessors) {
  ThinPlan p{.columns = g.outputs <= 16 ? 16 : 32};
  p.steps = ceil_div(thin_tile(g, element, false, 1, 1).units(), 8);
  const int64_t left = kThinWarps * (3 * p.columns + 1) * 4;  // ThinLeft
  const int64_t fixed = int64_t(p.steps) * (8 * 8 + p.columns * 32) + left;
  // Tiles of 32 lines, fewer where that is too few blocks or too much memory; of these the one of least halo.
  for (int lines = kThinWarps * kThinLinesPerWarp; lines >= kThinLinesPerWarp; lines /= 2) {
    ThinTile best;
    for (int d = 1; d <= lines; d *= 2) {
      ThinTile t = thin_tile(g, element, false, d, lines / d);
      const auto cost = [&](const ThinTile& of) { return thin_tiles(g, of) * (of.parts * of.positions() + lines * kThinWidth); };
      const auto fits = [&] { return t.is_small() && fixed + t.word_bytes() + t.slot_bytes() <= kMostThinShared; };
      if (!fits() || (best.extent[0] > 0 && cost(t) >= cost(best))) continue;
      spread_over_banks(t, false);
      if (fits()) best = t;
    }
    if (best.extent[0] == 0) continue;
    p.tile = best;
    p.shared = fixed + best.word_bytes() + best.slot_bytes();
    if (thin_tiles(g, best) >= 2 * multiprocessors) break;
  }
  return p;
}

bool thin_is_possible(const ConvGather& g, int element) {
  // Elements of a sample are counted in int.
  if (double(g.axis[0].in) * g.axis[1].in * g.axis[2].in * g.inputs > INT32_MAX || double(g.out_count()) * g.outputs > INT32_MAX)
    return false;
  return g.groups == 1 && g.inputs <= kMostThinInputs && g.outputs >= 4 && g.taps >= 1 && g.taps <= kMostThinTaps &&
         thin_plan(g, element, 1).tile.extent[0] > 0;
}

ConvTraffic thin_traffic(const ConvGather& g, int element, int multiprocessors) {
  const ThinPlan p = thin_plan(g, element, multiprocessors);
  const int blocks = ceil_div(g.outputs, p.columns);
  const int64_t tiles = thin_tiles(g, p.tile), staying = thin_blocks(p.tile, tiles, multiprocessors);
  const double halos = double(g.n) * g.halo_voxels(p.tile.extent) * g.inputs * element;
  return {.activations = halos * blocks, .halos = halos,
          .others = double(g.out_voxels()) * g.outputs * element + double(p.steps) * p.columns * 32 * blocks * double(staying + 1)};
}

int64_t thin_blocks(const ThinTile& t, int64_t tiles, int multiprocessors) {
  const int64_t most = int64_t(multiprocessors) * 2 * 32 / t.lines();
  return tiles < most ? tiles : most;
}

ConvGather exchanged(const ConvGather& g) {
  ConvGather e = g;
  e.inputs = g.outputs;
  e.outputs = g.inputs;
  for (GatherAxis& a : e.axis)
    a = {
        .out = a.in, .count = a.in, .in = a.count, .offset = -a.offset - (a.taps - 1) * a.tap_step, .taps = a.taps, .tap_step = a.tap_step};
  return e;
}

ThinSide thin_side(const ConvGather& g, int element, bool exact) {
  if (exact) return ThinSide::none;
  if (thin_weights_are_possible(g, element, true)) return ThinSide::x;
  const bool strided = g.axis[0].in_step != 1 || g.axis[1].in_step != 1 || g.axis[2].in_step != 1;
  const bool possible = !strided && g.outputs <= kMostThinInputs && thin_weights_are_possible(exchanged(g), element, few_channels(g));
  return possible ? ThinSide::gy : ThinSide::none;
}

}  // namespace voxgrad
