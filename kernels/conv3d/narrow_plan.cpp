#include "kernels/conv3d/narrow_plan.h"

#include <algorithm>

#include "kernels/conv3d/narrow_isa.h"

namespace voxgrad {
namespace {

constexpr int64_t kFewestPlanes = 3;  // of outputs: fewer are a matter of Winograd's algorithm in the plane
constexpr int64_t kMostTiles = 16;    // of a box
constexpr double kWorthIt = 0.97;

int64_t ceil_div(int64_t n, int64_t d) { return (n + d - 1) / d; }

ConvTiling tiling(const ConvGather& g, const NarrowPlan& p, bool inputs) {
  return winograd_tiling(g, p.tile, {p.lanes[0] * p.box[0], p.lanes[1] * p.box[1], p.lanes[2] * p.box[2]}, p.count, inputs);
}

// Tiles along an axis that a lane works off, over all blocks.
int64_t steps(int64_t tiles, int64_t lanes, int64_t box) {
  const int64_t blocks = tiles / (lanes * box);
  return blocks * box + ceil_div(tiles - blocks * lanes * box, lanes);
}

// In the units of winograd_least_cost(), by measurements on Zen 5 with 512-bit vectors: a multiply-add of a product, and of one that shares
// its weight with no second tile; a product of a frequency and output, or a group of sums of the weight gradient; a vector of inputs, of
// outputs and of output gradients of a tile, there and back; a vector of lanes; a row of a block and a vector of it.
constexpr double kProduct = 0.84, kLoneProduct = 1.3, kStore = 2, kSums = 25, kIn = 1400, kOut = 800, kGradient = 1200, kLane = 5.5,
                 kRow = 80, kRowVector = 3;
// Each byte beyond the cache adds a part of it all; and elements of tensors so large that only memory holds them cost this.
constexpr double kCacheBytes = 600 << 10, kFarByte = 0.4 / (1 << 20), kFarGradientByte = 0.08 / (1 << 20);
constexpr double kIdle = 0.5;  // of a block's time, in the end
constexpr double kFarElements = 8 << 20, kFarElement = 0.5;

double cost_of(const ConvGather& g, const NarrowPlan& p, ConvPass pass) {
  const bool gradient = pass == ConvPass::weight_gradient;
  const double in = double(g.inputs), out = double(g.outputs), f = double(p.tile.frequencies());
  const double rows = double(p.box[1]), row = double(p.box[2]), tiles = rows * row, all = double(p.box[0]) * tiles;
  const double halo = (rows * kNarrowTile + 2) * (row * kNarrowTile + 2);
  double box, values;  // the time of a vector of tiles; vectors of values that are to stay in the cache
  if (gradient) {
    box = f * (in * out * kProduct + kSums * double(ceil_div(g.outputs, 4) * ceil_div(g.inputs, 4)) / all);
    box += (kGradient + 64 * kLane) * out;
    values = halo * in + kNarrowPlane * all * (in + out) + tiles * 16 * out;
  } else {
    box = f * out * (in * (p.box[2] % 2 == 0 ? kProduct : kLoneProduct) + kStore) + (kOut + 32 * kLane) * out;
    values = halo * in + kNarrowPlane * row * (in + out) + 32 * tiles * out;
  }
  box += (kIn + 4 * kLane * halo / tiles) * in;
  const double bytes = values * double(p.all_lanes()) * 4 + kNarrowPlane * in * out * 4;
  box *= 1 + (gradient ? kFarGradientByte : kFarByte) * std::max(0., bytes - kCacheBytes);

  double boxes = double(g.n), height = 1;  // rows of a block
  for (int a = 0; a < 3; ++a) boxes *= double(steps(p.tiles[a], p.lanes[a], p.box[a]));
  for (int a = 0; a < 2; ++a) height *= double(p.lanes[a] * p.box[a] * p.tile.outputs()[a] + 2);
  const double vectors = double(p.lanes[2] * p.box[2] * kNarrowTile) * (gradient ? in + out : in) / double(p.all_lanes());
  const double blocks = double(g.n * p.blocks()), load = height * (kRow * (gradient ? 2 : 1) + kRowVector * vectors);
  const double elements = double(g.n) * double(g.out.d) * double(g.out.h) * double(g.out.w) * (in + out);
  return (boxes * box + blocks * load) * (1 + kIdle / blocks) + (elements > kFarElements ? kFarElement * elements : 0);
}

}  // namespace

ConvTiling NarrowPlan::inputs(const ConvGather& g) const { return tiling(g, *this, true); }
ConvTiling NarrowPlan::outputs(const ConvGather& g) const { return tiling(g, *this, false); }

NarrowBlock::NarrowBlock(const NarrowPlan& p, int64_t index) {
  for (int a = 2; a >= 0; --a) {
    first[a] = index % p.count[a] * p.lanes[a] * p.box[a], index /= p.count[a];
    size[a] = std::min(p.box[a], ceil_div(p.tiles[a] - first[a], p.lanes[a]));
  }
}

std::optional<NarrowPlan> narrow_plan(const ConvGather& g, int64_t lanes, ConvPass pass, double direct) {
  if (!winograd_is_wanted() || !winograd_is_eligible(g) || g.out.d < kFewestPlanes) return {};
  double best = kWorthIt * winograd_least_cost(g, lanes, pass, direct);
  std::optional<NarrowPlan> chosen;
  NarrowPlan p;
  for (int a = 0; a < 3; ++a) p.tiles[a] = ceil_div(g.out[a], p.tile.outputs()[a]);
  const auto powers = [](int64_t& n, int64_t most, auto&& f) {
    for (n = 1; n <= most; n *= 2) f();
  };
  const auto most = [&](int a, int64_t fit) { return std::min(fit, ceil_div(p.tiles[a], p.lanes[a])); };
  powers(p.lanes[0], lanes, [&] {
    powers(p.lanes[1], lanes / p.lanes[0], [&] {
      p.lanes[2] = lanes / p.lanes[0] / p.lanes[1];
      powers(p.box[0], most(0, 8), [&] {
        powers(p.box[1], most(1, 4), [&] {
          powers(p.box[2], most(2, 4), [&] {
            if (p.box[0] * p.box[1] * p.box[2] > kMostTiles) return;
            for (int a = 0; a < 3; ++a) p.count[a] = ceil_div(p.tiles[a], p.lanes[a] * p.box[a]);
            if (const double cost = cost_of(g, p, pass); cost < best) best = cost, chosen = p;
          });
        });
      });
    });
  });
  return chosen;
}

}  // namespace voxgrad
