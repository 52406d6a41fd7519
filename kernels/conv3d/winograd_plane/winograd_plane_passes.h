#pragma once
#include <algorithm>

#include "kernels/conv3d/weight_vectors.h"
#include "kernels/conv3d/winograd_plane/winograd_plane.h"

namespace voxgrad {

// What becomes of planes of inputs and outputs on both ways of the gather by Winograd's algorithm in the plane: the transforms of a block
// of tiles. Frequency f of a block's tile (i, j) lies at place[f] + (i tiles_w + j) channels.
template <class A>
class WinogradPlanePasses {
 public:
  WinogradPlanePasses(const ConvGather& gather, const WinogradPlanePlan& p, const ConvInput& input, View bias, const ConvStore& output,
                      int64_t most_channels)
      : g(gather),
        plan(p),
        isa(conv_isa<A>()),
        transforms(winograd_plane_isa<A>(p.tile)),
        inputs(round_up(gather.inputs, isa.lanes)),
        tiling(plane_tiling(gather.in, p, p.tile.in_step(), p.tile.in_extent(), true)),
        x(input),
        store(output) {
    bias_.resize(size_t(round_up(g.outputs, isa.lanes)));
    for (int64_t k = 0; bias && k < g.outputs; ++k) bias_[size_t(k)] = bias.as<A>()[k];
    zeros_.resize(size_t(std::max(tiling.extent[2] * inputs, most_channels)));
  }

  struct Lines {
    std::vector<const A*> in = {};
    std::vector<void*> out = {};
  };

  const A* zeros() const { return zeros_.data(); }  // of all input channels of a row of a tile

  // Of plane z of the inputs.
  void transform_inputs(ConvTile<A>& tile, Lines& lines, int64_t n, int64_t z, const WinogradPlaneBlock& block, const int64_t* place,
                        int64_t tiles_w, A* frequency) const {
    tile.load(n, 0, block.start(tiling, z, plan.tile.in_step()));
    WinogradPlaneRow<A> row;
    row.tiles = block.width;
    row.vectors = inputs / isa.lanes;
    row.place = place;
    row.tile_step = row.input_step = inputs;
    row.shift_h = plan.axis[0].shift;
    row.shift_w = plan.axis[1].shift;
    for (int64_t y = 0; y < block.height; ++y) {
      find_lines(tile, 0, y * plan.tile.in_step(), 1, plan.tile.in_extent(), zeros_.data(), lines.in);
      row.inputs = lines.in.data();
      row.frequency = frequency + y * tiles_w * inputs;
      transforms.transform_inputs(row);
    }
  }

  // Channels [first, first + channels) of plane d of the outputs; whole vectors, tile_step elements from tile to tile.
  void transform_outputs(Lines& lines, int64_t n, int64_t d, const WinogradPlaneBlock& block, const int64_t* place, int64_t tiles_w,
                         int64_t tile_step, int64_t first, int64_t channels, A* frequency) const {
    const int64_t size = plan.tile.outputs();
    const View y = store.y;
    WinogradPlaneRow<A> row;
    row.tiles = block.width;
    row.vectors = channels / isa.lanes;
    row.place = place;
    row.tile_step = tile_step;
    row.parity_h = plan.axis[0].parity;
    row.parity_w = plan.axis[1].parity;
    row.dtype = y.dtype;
    row.output_step = g.out_channels;
    row.voxels = std::min(block.width * size, g.out.w - block.w * size);
    row.channels = std::min(channels, g.outputs - first);
    row.bias = bias_.data() + first;
    for (int64_t i = 0; i < block.height; ++i) {
      lines.out.clear();
      const int64_t h = (block.h + i) * size, voxel = ((n * g.out.d + d) * g.out.h + h) * g.out.w + block.w * size;
      for (int64_t j = 0; j < size; ++j)
        lines.out.push_back(h + j < g.out.h ? element(y, (voxel + j * g.out.w) * g.out_channels + first) : nullptr);
      row.outputs = lines.out.data();
      row.frequency = frequency + i * tiles_w * tile_step;
      transforms.transform_outputs(row);
      for (int64_t j = 0; j < size && h + j < g.out.h; ++j)
        store.finish(isa, voxel + j * g.out.w, 1, row.voxels, first, row.channels);
    }
  }

  // Weights of tap z along D, as vectors of outputs.
  WeightVectors<A> weights_of(View w, int64_t z) const {
    std::vector<int64_t> taps;
    for (int64_t h : plan.axis[0].tap)
      for (int64_t v : plan.axis[1].tap) taps.push_back(g.tap(z, h, v));
    return {g, isa, w, taps};
  }

  const ConvGather& g;
  const WinogradPlanePlan plan;
  const ConvIsa<A> isa;
  const WinogradPlaneIsa<A> transforms;
  const int64_t inputs;  // channels, padded
  const ConvTiling tiling;
  const ConvInput& x;
  const ConvStore& store;

 private:
  std::vector<A> bias_, zeros_;
};

}  // namespace voxgrad
