#include "kernels/conv3d/winograd_boxes/winograd_boxes_plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "kernels/conv3d/winograd_boxes/winograd_boxes_isa.h"

namespace voxgrad {
namespace {

constexpr int64_t kFewestPlanes = 3;  // of outputs: fewer are a matter of Winograd's algorithm in the plane
constexpr int64_t kMostTiles = 16;    // of a box
constexpr double kWorthIt = 0.97;     // of the cost of other algorithms: what the model promises less is within its error

int64_t ceil_div(int64_t n, int64_t d) { return (n + d - 1) / d; }

ConvTiling tiling(const ConvGather& g, const WinogradBoxesPlan& p, bool inputs) {
  return winograd_tiling(g, p.tile, {p.lanes[0] * p.box[0], p.lanes[1] * p.box[1], p.lanes[2] * p.box[2]}, p.count, inputs);
}

// Tiles along an axis that a lane works off, over all blocks.
int64_t steps(int64_t tiles, int64_t lanes, int64_t box) {
  const int64_t blocks = tiles / (lanes * box);
  return blocks * box + ceil_div(tiles - blocks * lanes * box, lanes);
}

// In the units of winograd_least_cost(), fitted to times on Zen 5 with 512-bit vectors: README.md says how.
struct Costs {
  double product;      // a multiply-add of vectors
  double input;        // a vector of inputs of a tile, to its frequencies
  double output;       // a vector of outputs, or of output gradients, of a tile, from or to its frequencies
  double lane;         // a vector of lanes, transposed
  double row;          // a row of a block that is loaded
  double vector;       // a vector of such a row
  double cache_bytes;  // that a block may have for nothing; what it has beyond them
  double far;          // .. adds this part of its time per MiB
  double idle;         // of a block's time, in the end
  double far_element;  // an element of tensors so large that only memory holds them
};
constexpr Costs kGather{.product = 0.756,
                        .input = 674,
                        .output = 410,
                        .lane = 12,
                        .row = 8.2,
                        .vector = 0.19,
                        .cache_bytes = 162 << 10,
                        .far = 0.081,
                        .idle = 0.485,
                        .far_element = 0.45};
constexpr Costs kWeights{.product = 0.72,
                         .input = 580,
                         .output = 510,
                         .lane = 7.8,
                         .row = 17,
                         .vector = 6.3,
                         .cache_bytes = 47 << 10,
                         .far = 0.13,
                         .idle = 0.48,
                         .far_element = 0.6};
constexpr double kLoneProduct = 0.92;     // a multiply-add that shares its weight with no second tile
constexpr double kSums = 12.5;            // a vector of sums of the weight gradient, over its lanes
constexpr double kChunk = 5.4;            // .. over the chunks
constexpr double kFarElements = 8 << 20;  // from which tensors are in memory alone

}  // namespace

double winograd_boxes_cost(const ConvGather& g, const WinogradBoxesPlan& p, ConvPass pass) {
  const bool gradient = pass == ConvPass::weight_gradient;
  const Costs& k = gradient ? kWeights : kGather;
  const double in = double(g.inputs), out = double(g.outputs), f = double(p.tile.frequencies());
  const double rows = double(p.box[1]), row = double(p.box[2]), tiles = rows * row;
  const double halo = (rows * kBoxesTile + 2) * (row * kBoxesTile + 2);
  const double blocks = double(g.n * p.blocks()), planes = double(p.tile.planes());
  double box, values;  // the time of a vector of tiles; vectors of values that are to stay in the cache
  double chunks = 0;
  if (gradient) {
    const double sums = double(std::min(ceil_div(g.outputs, 4) * ceil_div(g.inputs, 4), ceil_div(g.outputs, 5) * ceil_div(g.inputs, 3)));
    box = f * (in * out * k.product + kSums * sums / tiles) + planes * (k.output / 4 + 16 * k.lane) * out;
    values = halo * in + kBoxesPlane * double(p.box[0]) * tiles * (in + out) + tiles * 16 * out;
    chunks = std::min(16., blocks) * f * sums * kChunk;
  } else {
    box = f * out * in * (p.box[2] % 2 == 0 ? k.product : kLoneProduct) + (planes * k.output / 4 + 16 * p.tile.d * k.lane) * out;
    values = planes * halo * in + kBoxesPlane * row * (in + out) + planes * row * 16 * out;
  }
  box += planes * (k.input / 4 + k.lane * halo / tiles) * in;
  const double bytes = values * double(p.all_lanes()) * 4 + kBoxesPlane * in * out * 4;
  box *= 1 + k.far / (1 << 20) * std::max(0., bytes - k.cache_bytes);

  double boxes = double(g.n), height = 1;  // rows of a block
  for (int a = 0; a < 3; ++a) boxes *= double(steps(p.tiles[a], p.lanes[a], p.box[a]));
  for (int a = 0; a < 2; ++a) height *= double(p.lanes[a] * p.box[a] * p.tile.outputs()[a] + 2);
  const double vectors = double(p.lanes[2] * p.box[2] * kBoxesTile) * (gradient ? in + out : in) / double(p.all_lanes());
  const double load = height * (k.row * (gradient ? 2 : 1) + k.vector * vectors);
  const double elements = double(g.n) * double(g.out.d) * double(g.out.h) * double(g.out.w) * (in + out);
  return chunks + (boxes * box + blocks * load) * (1 + k.idle / blocks) + (elements > kFarElements ? k.far_element * elements : 0);
}

ConvTiling WinogradBoxesPlan::inputs(const ConvGather& g) const { return tiling(g, *this, true); }
ConvTiling WinogradBoxesPlan::outputs(const ConvGather& g) const { return tiling(g, *this, false); }

WinogradBoxesBlock::WinogradBoxesBlock(const WinogradBoxesPlan& p, int64_t index) {
  for (int a = 2; a >= 0; --a) {
    first[a] = index % p.count[a] * p.lanes[a] * p.box[a];
    index /= p.count[a];
    size[a] = std::min(p.box[a], ceil_div(p.tiles[a] - first[a], p.lanes[a]));
  }
}

namespace {
// f(p) for every way to cut a volume into boxes of tiles.
template <class F>
void each_plan(const ConvGather& g, WinogradTile tile, int64_t lanes, F&& f) {
  WinogradBoxesPlan p{.tile = tile};
  for (int a = 0; a < 3; ++a) p.tiles[a] = ceil_div(g.out[a], tile.outputs()[a]);
  const auto powers = [](int64_t& n, int64_t most, auto&& next) {
    for (n = 1; n <= most; n *= 2) next();
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
            f(p);
          });
        });
      });
    });
  });
}

}  // namespace

std::optional<WinogradBoxesPlan> winograd_boxes_cheapest(const ConvGather& g, int64_t lanes, ConvPass pass, double most) {
  double best = most;
  std::optional<WinogradBoxesPlan> chosen;
  for (WinogradTile tile : {WinogradTile{2, 4, 4}, WinogradTile{4, 4, 4}})
    if (winograd_is_exact(g, tile, pass))
      each_plan(g, tile, lanes, [&](const WinogradBoxesPlan& p) {
        if (const double cost = winograd_boxes_cost(g, p, pass); cost < best) {
          best = cost;
          chosen = p;
        }
      });
  return chosen;
}

std::optional<WinogradBoxesPlan> winograd_boxes_plan(const ConvGather& g, int64_t lanes, ConvPass pass, double direct) {
  if (!winograd_is_wanted() || !winograd_is_eligible(g) || g.out.d < kFewestPlanes) return {};
  if (g.inputs % lanes == 0 && g.outputs % lanes == 0 && (std::min(g.inputs, g.outputs) > lanes || pass == ConvPass::weight_gradient))
    return {};  // no lane is empty
  // Hundreds of ways to cut a volume take as long as a small one itself.
  constexpr size_t kMost = 256;
  thread_local std::map<std::array<int64_t, 9>, std::optional<WinogradBoxesPlan>> known;
  const std::array<int64_t, 9> key = {
      g.n, g.out.d, g.out.h, g.out.w, g.inputs, g.outputs, lanes, int64_t(pass), std::bit_cast<int64_t>(direct)};
  if (const auto found = known.find(key); found != known.end()) return found->second;
  if (known.size() == kMost) known.clear();
  return known[key] = winograd_boxes_cheapest(g, lanes, pass, kWorthIt * winograd_least_cost(g, lanes, pass, direct));
}

}  // namespace voxgrad
