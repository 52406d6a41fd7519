#include "kernels/conv3d/narrow_plan.h"

#include <algorithm>
#include <cstdlib>

namespace voxgrad {
namespace {

constexpr int64_t kTasks = 16;  // enough to keep a few threads evenly busy

int64_t ceil_div(int64_t n, int64_t d) { return (n + d - 1) / d; }

ConvTiling tiling(const ConvGather& g, const NarrowPlan& p, bool inputs) {
  ConvTiling t;
  const Int3 m = p.tile.outputs();
  for (int a = 0; a < 3; ++a) {
    t.positions[a] = g.out[a], t.block[a] = p.lanes[a] * p.box[a] * m[a], t.count[a] = p.count[a], t.step[a] = t.in_step[a] = 1;
    t.extent[a] = t.block[a] + (inputs ? 2 : 0);
    t.low[a] = inputs ? g.axes[size_t(a)][0].offset[0] : 0;
    t.in[a] = inputs ? g.in[a] : g.out[a];
  }
  return t;
}

// Tiles along an axis that a lane works off, over all blocks.
int64_t steps(int64_t tiles, int64_t lanes, int64_t box) {
  const int64_t blocks = tiles / (lanes * box);
  return blocks * box + ceil_div(tiles - blocks * lanes * box, lanes);
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

std::optional<NarrowPlan> narrow_plan(const ConvGather& g, int64_t lanes, ConvPass pass, double) {
  if (!std::getenv("NARROW") || !winograd_is_eligible(g) || !winograd_is_wanted()) return {};
  static const int64_t most = std::getenv("NARROW_BOX") ? std::atoi(std::getenv("NARROW_BOX")) : 4;
  NarrowPlan p, best;
  const Int3 m = p.tile.outputs();
  for (int a = 0; a < 3; ++a) p.tiles[a] = ceil_div(g.out[a], m[a]);
  double least = 1e300;
  for (p.lanes[0] = 1; p.lanes[0] <= lanes; p.lanes[0] *= 2)
    for (p.lanes[1] = 1; p.lanes[0] * p.lanes[1] <= lanes; p.lanes[1] *= 2) {
      p.lanes[2] = lanes / p.lanes[0] / p.lanes[1];
      int64_t most_box[3];
      for (int a = 0; a < 3; ++a) most_box[a] = ceil_div(p.tiles[a], p.lanes[a]);
      for (p.box[0] = 1; p.box[0] <= std::min<int64_t>(8, most_box[0]); p.box[0] *= 2)
        for (p.box[1] = 1; p.box[1] <= std::min<int64_t>(4, most_box[1]); p.box[1] *= 2)
          for (p.box[2] = 1; p.box[2] <= std::min<int64_t>(4, most_box[2]); p.box[2] *= 2) {
            const int64_t box = p.box[0] * p.box[1] * p.box[2];
            if (box > most) continue;
            double all = 1;
            for (int a = 0; a < 3; ++a) {
              p.count[a] = ceil_div(p.tiles[a], p.lanes[a] * p.box[a]);
              all *= double(steps(p.tiles[a], p.lanes[a], p.box[a]));
            }
            const double C = double(g.inputs), K = double(g.outputs);
            double cost = all * (72 * C * K * (p.box[2] == 1 ? 1.65 : 1.1) + 720 * C + 450 * K + 112 * K +
                                 14 * C * double((p.box[1] * 4 + 2) * (p.box[2] * 4 + 2)) / double(p.box[1] * p.box[2]));
            cost += double(p.blocks()) * double((2 * p.lanes[0] * p.box[0] + 2) * (4 * p.lanes[1] * p.box[1] + 2)) *
                    (150 + double(4 * p.lanes[2] * p.box[2] + 2) * C / 8);
            if (g.n * p.blocks() < kTasks) cost *= 1.5;
            if (cost < least) least = cost, best = p;
          }
    }
  return best;
}

}  // namespace voxgrad
