#pragma once
#include <optional>

#include "kernels/conv3d/winograd/winograd_plan.h"

namespace voxgrad {

// How the tiles of a volume are worked off by lanes: a block is lanes[a] boxes along axis a, of up to box[a] tiles each.
struct WinogradBoxesPlan {
  WinogradTile tile{2, 4, 4};
  int64_t tiles[3], lanes[3], box[3], count[3];  // tiles of the volume; blocks

  int64_t blocks() const { return count[0] * count[1] * count[2]; }
  int64_t all_lanes() const { return lanes[0] * lanes[1] * lanes[2]; }
  // Blocks as tiles of the direct kernels: those of the inputs that they read, and those of their outputs.
  ConvTiling inputs(const ConvGather&) const;
  ConvTiling outputs(const ConvGather&) const;
};

// A block: its first tile, and the tiles of each of its boxes, which are fewer at the end of the volume.
struct WinogradBoxesBlock {
  int64_t first[3], size[3];
  WinogradBoxesBlock(const WinogradBoxesPlan& p, int64_t index);
};

// Where the box of a lane starts, in positions from the start of the block.
struct WinogradBoxesLane {
  int64_t first[3];
  WinogradBoxesLane(const WinogradBoxesPlan& p, const WinogradBoxesBlock& b, int64_t lane) {
    const Int3 m = p.tile.outputs();
    for (int a = 2; a >= 0; --a) {
      first[a] = lane % p.lanes[a] * b.size[a] * m[a];
      lane /= p.lanes[a];
    }
  }
};

// In the units of winograd_least_cost().
double winograd_boxes_cost(const ConvGather&, const WinogradBoxesPlan&, ConvPass);
// The cheapest plan whose sums are as exact as winograd_is_exact() says, if its cost is below `most`. 3x3x3, stride 1.
std::optional<WinogradBoxesPlan> winograd_boxes_cheapest(const ConvGather&, int64_t lanes, ConvPass, double most);
// The plan with which a pass of a gather (3x3x3, stride 1) is computed fastest so; none where other algorithms are faster.
std::optional<WinogradBoxesPlan> winograd_boxes_plan(const ConvGather&, int64_t lanes, ConvPass = ConvPass::gather, double direct = 1);

}  // namespace voxgrad
