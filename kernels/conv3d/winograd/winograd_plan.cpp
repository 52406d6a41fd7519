#include "kernels/conv3d/winograd/winograd_plan.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace voxgrad {
namespace {

constexpr int64_t kBlockBytes = 512 << 10;  // of the frequencies of a block: half of a second-level cache
constexpr int64_t kFewest = 16;             // tiles of a block: a product of matrices wants so many rows
constexpr int64_t kMost = 64;               // tiles of a block
constexpr int64_t kStreamedTiles = 96;      // up to which transformed weights are made where they are multiplied,
constexpr double kStreamedBytes = 4e6;      // if they are larger: written to memory and read back they cost more than so few products

int64_t ceil_div(int64_t n, int64_t d) { return (n + d - 1) / d; }

// Cycles on Zen 4 with 512-bit vectors: README.md says how they were measured.
constexpr double kMultiplyAdd = 0.95;   // a multiply-add of vectors in a product
constexpr double kOuter = 1.4;          // .. and in a sum of outer products (weight gradient)
constexpr double kTransform = 10;       // a vector of inputs or outputs of a frequency and tile
constexpr double kRagged = 3;           // the last vector of channels where it is not a whole one, in addition
constexpr double kWeight = 8;           // a vector of weights of a frequency
constexpr double kFarWeight = 32;       // .. where all of them exceed the caches,
constexpr double kFarBytes = 12e6;      // which is from here on
constexpr double kRestoredWeight = 22;  // .. as a gradient; twice as much with six planes of frequencies
constexpr double kDirect = 1.07;        // the direct kernel: a multiply-add of vectors
constexpr double kDirectVoxel = 15;     // .. a voxel
constexpr double kDirectWeight = 8;     // .. a vector of weights
// The direct kernels with few channels.
constexpr int64_t kFewestSums = 7;       // sums of a weight gradient wait for each other where they are fewer: they count as so many
constexpr int64_t kFewOutputs = 4;       // fewer outputs of a gather wait for each other and end in sums over lanes
constexpr double kFewOutputsTime = 1.4;  // .. and take so much longer
constexpr int64_t kFewInputs = 4;        // up to which all taps share a pass over the output gradients
constexpr double kFewInputsTime = 0.85;  // .. which takes so much of the time

int64_t tiles_of(const ConvGather& g, WinogradTile tile) {
  return g.n * ceil_div(g.out.d, tile.d) * ceil_div(g.out.h, tile.h) * ceil_div(g.out.w, tile.w);
}

}  // namespace

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

double winograd_direct_cost(const ConvGather& g, int64_t lanes, ConvPass pass, double direct) {
  // Taps outside the volume are skipped along D and H. Lanes run along the outputs, or along the inputs where that takes fewer vectors.
  const auto inside = [](int64_t n) { return n > 1 ? (3 * double(n) - 2) / double(n) : 1; };
  const bool gradient = pass == ConvPass::weight_gradient;
  const int64_t turned = (gradient ? std::max(g.outputs, kFewestSums) : g.outputs) * ceil_div(g.inputs, lanes);
  const double usual = gradient && g.inputs <= kFewInputs ? kFewInputsTime : 1;
  const double slow = !gradient && g.outputs < kFewOutputs ? kFewOutputsTime : 1;
  const double vectors = std::min(usual * double(g.inputs * ceil_div(g.outputs, lanes)), slow * double(turned));
  const double weights = kDirectWeight * double(g.taps() * g.inputs * ceil_div(g.outputs, lanes));
  const double sums = double(g.n) * double(g.out.d) * double(g.out.h) * double(g.out.w) *
                      (inside(g.out.d) * inside(g.out.h) * 3 * kDirect * vectors + kDirectVoxel);
  return direct * sums + weights;
}

ConvTiling winograd_tiling(const ConvGather& g, WinogradTile tile, const int64_t (&block)[3], const int64_t (&count)[3], bool inputs) {
  ConvTiling t;
  const Int3 m = tile.outputs();
  for (int a = 0; a < 3; ++a) {
    t.positions[a] = g.out[a];
    t.block[a] = block[a] * m[a];
    t.count[a] = count[a];
    t.step[a] = t.in_step[a] = 1;
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
  Choice best{{}, winograd_direct_cost(g, lanes, pass, direct)};
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
  for (int a = 0; a < 3; ++a) {
    p.tiles[a] = ceil_div(g.out[a], m[a]);
    all *= p.tiles[a];
  }
  const int64_t most =
      std::min(std::clamp(kBlockBytes / bytes_per_tile, kFewest, kMost), std::max(kFewest / 2, all / std::max<int64_t>(wanted, 1)));
  // Whole rows, or equal pieces of them; then as many rows as fit.
  int64_t left = std::max<int64_t>(most, 1);
  for (int a = 2; a >= 0; --a) {
    p.count[a] = ceil_div(p.tiles[a], std::min(p.tiles[a], left));
    p.block[a] = ceil_div(p.tiles[a], p.count[a]);
    p.count[a] = ceil_div(p.tiles[a], p.block[a]);
    left = std::max<int64_t>(left / p.block[a], 1);
  }
  return p;
}

}  // namespace voxgrad
