#include "kernels/conv3d/winograd/winograd_plan.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace voxgrad {
namespace {

constexpr int64_t kBlockBytes = 512 << 10;   // of the frequencies of a block: half of a second-level cache
constexpr int64_t kFewest = 16, kMost = 64;  // tiles of a block: a product of matrices wants so many rows
constexpr int64_t kStreamedTiles = 96;
constexpr double kStreamedBytes = 4e6;  // written to memory and read back, these cost more than the products of so few tiles

int64_t ceil_div(int64_t n, int64_t d) { return (n + d - 1) / d; }

// Cycles, by constants measured on Zen 4 with 512-bit vectors: a multiply-add of a product and of a sum of outer products, a vector of
// inputs and of outputs of a frequency and tile, and a vector of weights of a frequency, which costs more where all of them exceed the
// caches, and as a gradient, with six planes of frequencies twice as much; and what the last vector of channels takes more where it is not
// a whole one.
constexpr double kMultiplyAdd = 0.95, kOuter = 1.4, kTransform = 10, kWeight = 8, kFarWeight = 32, kRestoredWeight = 22, kFarBytes = 12e6,
                 kDirect = 1.07, kDirectVoxel = 15, kDirectWeight = 8, kRagged = 3;
// The direct kernels with few channels: sums of few outputs wait for each other and end in sums over lanes; all taps of few inputs share a
// pass over the output gradients.
constexpr int64_t kFewestSums = 7, kFewOutputs = 4, kFewInputs = 4;
constexpr double kFewOutputsTime = 1.4, kFewInputsTime = 0.85;

int64_t tiles_of(const ConvGather& g, WinogradTile tile) {
  return g.n * ceil_div(g.out.d, tile.d) * ceil_div(g.out.h, tile.h) * ceil_div(g.out.w, tile.w);
}
double winograd_cost(const ConvGather& g, WinogradTile tile, int64_t lanes, ConvPass pass) {
  const double tiles = double(tiles_of(g, tile));
  const double in = double(ceil_div(g.inputs, lanes)), out = double(ceil_div(g.outputs, lanes)), f = double(tile.frequencies());
  const double weights = double(g.inputs) * out;
  const bool far = !winograd_streams(g, tile, lanes) && f * weights * double(lanes) * 4 > kFarBytes;
  const double weight = pass == ConvPass::weight_gradient ? kRestoredWeight * (tile.d == 4 ? 2 : 1) : far ? kFarWeight : kWeight;
  const double transforms = kTransform * (in + out) + (g.inputs % lanes > 0 ? kRagged : 0) + (g.outputs % lanes > 0 ? kRagged : 0);
  const double product = pass == ConvPass::weight_gradient ? kOuter : kMultiplyAdd;
  return f * (tiles * (product * weights + transforms) + weight * weights);
}
double direct_cost(const ConvGather& g, int64_t lanes, ConvPass pass) {
  // Taps outside the volume are skipped along D and H. Lanes run along the outputs, or along the inputs where that takes fewer vectors.
  const auto inside = [](int64_t n) { return n > 1 ? (3 * double(n) - 2) / double(n) : 1; };
  const bool gradient = pass == ConvPass::weight_gradient;
  const int64_t turned = (gradient ? std::max(g.outputs, kFewestSums) : g.outputs) * ceil_div(g.inputs, lanes);
  const double usual = gradient && g.inputs <= kFewInputs ? kFewInputsTime : 1;
  const double slow = !gradient && g.outputs < kFewOutputs ? kFewOutputsTime : 1;
  const double vectors = std::min(usual * double(g.inputs * ceil_div(g.outputs, lanes)), slow * double(turned));
  return double(g.n) * double(g.out.d) * double(g.out.h) * double(g.out.w) *
         (inside(g.out.d) * inside(g.out.h) * 3 * kDirect * vectors + kDirectVoxel);
}

}  // namespace

ConvTiling winograd_tiling(const ConvGather& g, WinogradTile tile, const int64_t (&block)[3], const int64_t (&count)[3], bool inputs) {
  ConvTiling t;
  const Int3 m = tile.outputs();
  for (int a = 0; a < 3; ++a) {
    t.positions[a] = g.out[a], t.block[a] = block[a] * m[a], t.count[a] = count[a], t.step[a] = t.in_step[a] = 1;
    t.extent[a] = t.block[a] + (inputs ? 2 : 0);
    t.low[a] = inputs ? g.axes[size_t(a)][0].offset[0] : 0;
    t.in[a] = inputs ? g.in[a] : g.out[a];
  }
  return t;
}

ConvTiling WinogradPlan::inputs(const ConvGather& g) const { return winograd_tiling(g, tile, block, count, true); }
ConvTiling WinogradPlan::outputs(const ConvGather& g) const { return winograd_tiling(g, tile, block, count, false); }

bool winograd_is_eligible(const ConvGather& g) {
  if (g.depthwise || g.slices != 1 || g.taps() != 27) return false;
  for (int a = 0; a < 3; ++a) {
    const auto& phases = g.axes[size_t(a)];
    if (g.in_step[a] != 1 || g.out_step[a] != 1 || phases.size() != 1 || phases[0].offset.size() != 3) return false;
    if (phases[0].offset[1] != phases[0].offset[0] + 1 || phases[0].offset[2] != phases[0].offset[0] + 2) return false;
  }
  return true;
}

bool winograd_is_exact(const ConvGather& g, WinogradTile tile, ConvPass pass) {
  constexpr int64_t kMostInputs = 64;  // the sums of the weight gradient are as exact for any channels
  return tile.d < 4 || pass == ConvPass::weight_gradient || g.inputs <= kMostInputs;
}

bool winograd_is_wanted() {
  static const bool wanted = [] {
    const char* text = std::getenv("VOXGRAD_WINOGRAD");
    check(!text || !std::strcmp(text, "0") || !std::strcmp(text, "1"), "VOXGRAD_WINOGRAD: \"", text ? text : "", "\" is neither 0 nor 1");
    return !text || *text == '1';
  }();
  return wanted;
}

bool winograd_streams(const ConvGather& g, WinogradTile tile, int64_t lanes) {
  const double weights = double(tile.frequencies()) * double(g.inputs) * double(round_up(g.outputs, lanes)) * 4;
  return weights > kStreamedBytes && tiles_of(g, tile) <= kStreamedTiles;
}

namespace {
struct Choice {
  std::optional<WinogradTile> tile;
  double cost;
};
Choice choose(const ConvGather& g, int64_t lanes, ConvPass pass, double direct) {
  Choice best{{}, direct * direct_cost(g, lanes, pass) + kDirectWeight * double(g.taps() * g.inputs * ceil_div(g.outputs, lanes))};
  if (std::min(g.inputs, g.outputs) * 8 < lanes * 5) return best;  // the transforms would work on lanes that are empty
  for (WinogradTile tile : {WinogradTile{2, 2, 2}, WinogradTile{2, 2, 4}, WinogradTile{2, 4, 4}, WinogradTile{4, 4, 4}})
    if (const double cost = winograd_cost(g, tile, lanes, pass); cost < best.cost && winograd_is_exact(g, tile, pass)) best = {tile, cost};
  return best;
}
}  // namespace

std::optional<WinogradTile> winograd_tile(const ConvGather& g, int64_t lanes, ConvPass pass, double direct) {
  if (!winograd_is_wanted() || !winograd_is_eligible(g)) return {};
  return choose(g, lanes, pass, direct).tile;
}

double winograd_least_cost(const ConvGather& g, int64_t lanes, ConvPass pass, double direct) { return choose(g, lanes, pass, direct).cost; }

WinogradPlan winograd_plan(const ConvGather& g, WinogradTile tile, int64_t bytes_per_tile, int64_t wanted) {
  WinogradPlan p{.tile = tile};
  const Int3 m = tile.outputs();
  int64_t all = 1;
  for (int a = 0; a < 3; ++a) p.tiles[a] = ceil_div(g.out[a], m[a]), all *= p.tiles[a];
  const int64_t most =
      std::min(std::clamp(kBlockBytes / bytes_per_tile, kFewest, kMost), std::max(kFewest / 2, all / std::max<int64_t>(wanted, 1)));
  // Whole rows, or equal pieces of them; then as many rows as fit.
  int64_t left = std::max<int64_t>(most, 1);
  for (int a = 2; a >= 0; --a) {
    p.count[a] = ceil_div(p.tiles[a], std::min(p.tiles[a], left));
    p.block[a] = ceil_div(p.tiles[a], p.count[a]), p.count[a] = ceil_div(p.tiles[a], p.block[a]);
    left = std::max<int64_t>(left / p.block[a], 1);
  }
  return p;
}

}  // namespace voxgrad
