#pragma once
#include <optional>

#include "kernels/conv3d/conv3d_plan.h"
#include "kernels/conv3d/winograd/winograd_isa.h"

namespace voxgrad {

// How the tiles of a volume are worked off: in blocks whose frequencies stay in the second-level cache.
struct WinogradPlan {
  WinogradTile tile;
  int64_t tiles[3], block[3], count[3];  // tiles of the volume along each axis, of a block, and blocks

  int64_t blocks() const { return count[0] * count[1] * count[2]; }
  int64_t tiles_of_block() const { return block[0] * block[1] * block[2]; }
  // Blocks as tiles of the direct kernels: those of the inputs that they read, and those of their outputs.
  ConvTiling inputs(const ConvGather&) const;
  ConvTiling outputs(const ConvGather&) const;
};

// `count` blocks of `block` tiles along each axis, as tiles of the direct kernels: the inputs that they read, or their outputs.
ConvTiling winograd_tiling(const ConvGather&, WinogradTile, const int64_t (&block)[3], const int64_t (&count)[3], bool inputs);

// False with VOXGRAD_WINOGRAD=0 in the environment: then every convolution is a direct one, to compare with.
bool winograd_is_wanted();
// 3x3x3, stride and dilation 1, one group.
bool winograd_is_eligible(const ConvGather&);

enum class ConvPass { gather, weight_gradient };
// Whether sums with this tile stay within 5e-6 of max|y|. F(4, 3) along all axes doubles the error of F(2, 3) along D, which rises with the
// square root of the number of inputs: from 1.4e-6 for 32 to 4.9e-6 for 512.
bool winograd_is_exact(const ConvGather&, WinogradTile, ConvPass);
// The tile with which Winograd's algorithm computes a pass of a gather (3x3x3, stride 1) fastest; none where the direct kernel, whose time
// is `direct` times that of f32, is faster.
std::optional<WinogradTile> winograd_tile(const ConvGather&, int64_t lanes, ConvPass = ConvPass::gather, double direct = 1);

// Costs in multiply-adds of vectors: of a tile, of the direct kernel, and of what winograd_tile() chooses or the direct kernel.
double winograd_cost(const ConvGather&, WinogradTile, int64_t lanes, ConvPass);
double winograd_direct_cost(const ConvGather&, int64_t lanes, ConvPass, double direct = 1);
double winograd_least_cost(const ConvGather&, int64_t lanes, ConvPass, double direct);

// Whether the transformed weights exceed the caches and meet so few tiles that they are better made where they are multiplied.
bool winograd_streams(const ConvGather&, WinogradTile, int64_t lanes);

// Blocks for `frequencies` elements of `bytes` per tile; at least `wanted` of them where the volume is large enough to be shared out.
WinogradPlan winograd_plan(const ConvGather&, WinogradTile, int64_t bytes_per_tile, int64_t wanted);

}  // namespace voxgrad
