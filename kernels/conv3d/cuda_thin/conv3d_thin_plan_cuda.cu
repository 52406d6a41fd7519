// Host side of conv3d_thin.cuh.
#include "kernels/conv3d/cuda/conv3d_gathers.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_thin.cuh"

namespace voxgrad {
namespace {

constexpr int kMostThinTaps = 343;

int ceil_div(int a, int b) { return (a + b - 1) / b; }
// The least number from n on that is `rest` modulo 32.
int next_with(int n, int rest) { return n + (rest - n % 32 + 32) % 32; }

}  // namespace

// Words of eight outputs and the taps of a run, of four to eight elements, lie within less than 32; the next run's then begin this far on.
ThinTile thin_tile(const ConvGather& g, int element, bool gradient, int d, int h) {
  ThinTile t{.extent = {d, h, kThinWidth}};
  t.kept = g.inputs == 3 ? 4 : g.inputs;
  t.per_position = element == 2 && !gradient && t.kept > 1 ? t.kept / 2 : t.kept;
  for (int a = 0; a < 3; ++a) {
    t.halo[a] = g.axis[a].halo(t.extent[a]);
    t.unit[a] = g.axis[a].unit();
    t.step[a] = g.axis[a].in_step / t.unit[a];
    t.tap[a] = g.axis[a].taps > 1 ? g.axis[a].tap_step / t.unit[a] : 0;
  }
  const int rest = t.kept == 1 ? (element == 2 ? 11 : 10) : element == 2 ? (t.kept == 2 ? 18 : 20) : (t.kept == 2 ? 20 : 24);
  t.line = next_with(t.halo[2] * t.per_position, rest);
  t.plane = next_with(t.halo[1] * t.line, g.axis[1].taps * rest % 32);
  return t;
}

int64_t thin_tiles(const ConvGather& g, const ThinTile& t) {
  int64_t n = g.n;
  for (int a = 0; a < 3; ++a) n *= ceil_div(g.axis[a].count, t.extent[a]);
  return n;
}

ThinPlan thin_plan(const ConvGather& g, int element, int multiprocessors) {
  ThinPlan p{.columns = g.outputs <= 16 ? 16 : 32};
  const GatherAxis& w = g.axis[2];
  p.whole_lines = w.taps == 1 || w.tap_step == w.unit();
  const int kept = g.inputs == 3 ? 4 : g.inputs;
  p.runs = p.whole_lines ? g.axis[0].taps * g.axis[1].taps : g.taps;
  p.run_elements = (p.whole_lines ? w.taps : 1) * kept;
  p.run_units = element == 2 ? ceil_div(p.run_elements, 2) : p.run_elements;
  p.steps = ceil_div(p.units(), 8);
  const int64_t left = kThinWarps * (3 * p.columns + 1) * 4;  // ThinLeft
  const int64_t fixed = int64_t(p.steps) * (8 * 8 + p.columns * 32) + left;
  // Tiles of 32 lines, fewer where that is too few blocks or too much memory; of these the one of least halo.
  for (int lines = kThinWarps * kThinLinesPerWarp; lines >= kThinLinesPerWarp; lines /= 2) {
    ThinTile best;
    for (int d = 1; d <= lines; d *= 2) {
      const ThinTile t = thin_tile(g, element, false, d, lines / d);
      if (!t.is_small() || fixed + t.word_bytes() + t.position_bytes() > kMostThinShared) continue;
      if (best.extent[0] == 0 ||
          thin_tiles(g, t) * (t.words() + lines * kThinWidth) < thin_tiles(g, best) * (best.words() + lines * kThinWidth))
        best = t;
    }
    if (best.extent[0] == 0) continue;
    p.tile = best;
    p.shared = fixed + best.word_bytes() + best.position_bytes();
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
