#pragma once
#include <optional>
#include <vector>

#include "kernels/conv3d/winograd/winograd_plan.h"
#include "kernels/conv3d/winograd_plane/winograd_plane_isa.h"

namespace voxgrad {

// Where the frequencies of `tiles` tiles lie: those that share a weight are rows of one matrix, tile after tile.
struct WinogradPlaneLayout {
  struct Group {
    int64_t at, rows;  // its first element; frequencies
  };
  std::vector<int64_t> place;  // of each frequency, in the order of the transforms
  std::vector<Group> groups;   // one per weight
  int64_t size = 0;

  WinogradPlaneLayout() = default;
  // Groups lie a cache line more apart than they are long, so that the frequencies of a tile do not share a set of the cache.
  WinogradPlaneLayout(WinogradPlaneTile, int64_t tiles, int64_t channels, int64_t line);
};

// How an axis is seen: the first input of tile 0, and, if transposed, what WinogradPlaneRow says of the middle tap.
struct WinogradPlaneAxis {
  int64_t low = 0, tiles = 0, block = 0, count = 0;  // tiles of the volume and of a block; blocks
  int shift = 0, parity = 0;
  int64_t tap[3] = {0, 1, 2};  // of the kernel, in the order of WinogradPlaneIsa
};

struct WinogradPlanePlan {
  WinogradPlaneTile tile;
  WinogradPlaneAxis axis[2];  // H and W
  int64_t span = 1;           // planes of inputs that a plane of outputs reads from

  int64_t blocks() const { return axis[0].count * axis[1].count; }
  int64_t tiles_of_block() const { return axis[0].block * axis[1].block; }
};

// How the axes H and W are seen, where the kernel is 3x3 along them with strides of both 1 or both 2 and there are enough channels.
std::optional<WinogradPlaneForm> winograd_plane_form(const ConvGather&, int64_t lanes, ConvPass);
// Costs in multiply-adds of vectors, of a tile and of the direct kernel.
double winograd_plane_cost(const ConvGather&, WinogradPlaneTile, int64_t lanes, ConvPass);
double winograd_plane_direct_cost(const ConvGather&, int64_t lanes);
// The tile with which a pass of a gather is fastest; none where that is the direct kernel, whose time is `direct` times that of f32, or
// where the kernel is not 3x3 along H and W with strides of both 1 or both 2.
std::optional<WinogradPlaneTile> winograd_plane_tile(const ConvGather&, int64_t lanes, ConvPass = ConvPass::gather, double direct = 1);

// Whether the gather transforms weights where it multiplies them, since they exceed the caches and meet few tiles.
bool winograd_plane_streams(const ConvGather&, WinogradPlaneTile, int64_t lanes);

// Blocks of at most `most` tiles, or of a row of them.
WinogradPlanePlan winograd_plane_plan(const ConvGather&, WinogradPlaneTile, int64_t most);
// Blocks of tiles whose frequencies stay in the cache, of in_bytes each in the planes of inputs that are kept, and of out_bytes.
WinogradPlanePlan winograd_plane_plan(const ConvGather&, WinogradPlaneTile, int64_t in_bytes, int64_t out_bytes);

}  // namespace voxgrad
