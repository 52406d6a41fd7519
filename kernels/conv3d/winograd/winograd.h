#pragma once
#include <optional>

#include "kernels/conv3d/conv3d_store.h"
#include "kernels/conv3d/conv3d_weight.h"
#include "kernels/conv3d/winograd/winograd_plan.h"

namespace voxgrad {

// Transformed weights of more bytes are not kept from call to call: they cost little beside what they are multiplied with.
constexpr int64_t kMostKeptFrequencies = 16 << 20;

// y = gather(x, w) + bias by Winograd's algorithm, for the tile that winograd_tile() chose.
template <class A>
void winograd_gather(const ConvGather&, WinogradTile, const ConvInput& x, const ConvWeight&, const ConvStore& y);
extern template void winograd_gather<float>(const ConvGather&, WinogradTile, const ConvInput&, const ConvWeight&, const ConvStore&);
extern template void winograd_gather<double>(const ConvGather&, WinogradTile, const ConvInput&, const ConvWeight&, const ConvStore&);

// gw, for the gather of the forward pass.
template <class A>
void winograd_weight_gradient(const ConvGather&, WinogradTile, const ConvInput& x, View gy, View gw);
extern template void winograd_weight_gradient<float>(const ConvGather&, WinogradTile, const ConvInput&, View, View);
extern template void winograd_weight_gradient<double>(const ConvGather&, WinogradTile, const ConvInput&, View, View);

// Elements between frequencies: those of a block, shifted by a cache line, so that the frequencies of a tile do not share a set of the
// cache.
template <class A>
int64_t frequency_step(int64_t tiles, int64_t channels) {
  return round_up(tiles * channels, 64 / int64_t(sizeof(A))) + 64 / int64_t(sizeof(A));
}

// The gather with its inputs, or with its outputs in their place, in groups of at most `most` channels: what a ConvTile of a weight
// gradient loads from.
inline ConvGather grouped_channels(const ConvGather& g, bool outputs, int64_t lanes, int64_t most) {
  ConvGather to = g;
  if (outputs) {
    to.in_channels = g.out_channels;
    to.in = g.out;
    to.inputs = g.outputs;
  }
  to.slices = (to.inputs + most - 1) / most;
  to.inputs = round_up((to.inputs + to.slices - 1) / to.slices, lanes);
  to.slices = (to.in_channels + to.inputs - 1) / to.inputs;
  return to;
}

// The lines of a tile of the worker's inputs that starts at (z, y), depth x height of them; a line outside the volume is `zeros`.
template <class A>
void find_lines(const ConvTile<A>& tile, int64_t z, int64_t y, int64_t depth, int64_t height, const A* zeros,
                std::vector<const A*>& lines) {
  lines.clear();
  for (int64_t i = 0; i < depth; ++i)
    for (int64_t j = 0; j < height; ++j) lines.push_back(tile.inside(z + i, y + j) ? tile.row(z + i, y + j) : zeros);
}

}  // namespace voxgrad
