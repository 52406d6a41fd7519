#pragma once
#include <algorithm>
#include <array>
#include <vector>

#include "kernels/conv3d/direct/direct_isa.h"
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {

// One axis of a gather: position m lies at m out_step + out_offset of the output and sums the inputs at m in_step + offset[i], weighted
// by tap[i] of the kernel. Offsets rise.
struct ConvAxis {
  int64_t positions = 0, out_offset = 0;
  std::vector<int64_t> offset, tap;
};

// Both passes over activations as one form: every output sums inputs at fixed offsets. The forward pass is one phase; the input gradient
// has one phase per remainder modulo the stride and axis, each with the taps that reach it, flipped.
struct ConvGather {
  int64_t n = 1, in_channels = 1, out_channels = 1;
  Int3 in, out, in_step, out_step, kernel;
  std::array<std::vector<ConvAxis>, 3> axes;  // phases of each axis
  // Slices of the channels that do not mix: groups, or blocks of channels if depthwise (one input and one output channel a group).
  bool depthwise = false;
  int64_t slices = 1, inputs = 1, outputs = 1;                // channels of a slice; the last depthwise slice may have fewer
  int64_t w_slice = 0, w_input = 0, w_output = 0, w_tap = 0;  // elements of the weight between neighbours

  int64_t inputs_of(int64_t slice) const { return std::min(inputs, in_channels - slice * inputs); }
  int64_t outputs_of(int64_t slice) const { return std::min(outputs, out_channels - slice * outputs); }
  int64_t tap(int64_t t, int64_t r, int64_t s) const { return (t * kernel.h + r) * kernel.w + s; }
  int64_t taps() const { return int64_t(kernel.d) * kernel.h * kernel.w; }
};
ConvGather forward_gather(const Conv3dProblem&);
ConvGather gradient_gather(const Conv3dProblem&);

// Blocks of positions, and the tile of inputs that a block reads. Element i of a tile that starts at position m0 is the input
// (m0 + i / step) in_step + low + i % step: where the stride exceeds what the kernel spans, the inputs between are left out.
struct ConvTiling {
  int64_t positions[3], block[3], count[3], extent[3], step[3], in_step[3], low[3], in[3];
  bool in_place = false;  // the tile is the volume itself: nothing is loaded

  int64_t tiles() const { return count[0] * count[1] * count[2]; }
  int64_t voxels() const { return block[0] * block[1] * block[2]; }
  int64_t extents() const { return in_place ? 0 : extent[0] * extent[1] * extent[2]; }
  // -1: outside the volume.
  int64_t coordinate(int axis, int64_t start, int64_t i) const {
    const int64_t c = (start + i / step[axis]) * in_step[axis] + low[axis] + i % step[axis];
    return c < in[axis] ? std::max<int64_t>(c, -1) : -1;
  }
};
// Tiles that fit the second-level cache with `in_bytes` per input and `out_bytes` per position, and at least `wanted` of them where the
// volume is large enough to be shared out.
ConvTiling tile_volume(const ConvGather&, int64_t in_bytes, int64_t out_bytes, int64_t wanted);

// Makes the volume the tile where no output reads beyond it. Before phases_of, whose runs are of the tile.
void read_in_place(ConvTiling&, const ConvGather&);

// A run of a tile with the row of taps it belongs to: rows of the tile that lie outside the volume are skipped, not multiplied by zero.
struct ConvPiece {
  ConvRun run;           // x: elements from a position's corner of the tile; w: in taps * inputs
  int64_t z = 0, y = 0;  // the row of the tile, from that corner
};
struct ConvPhase {
  const ConvAxis* axis[3];
  int64_t taps = 0, first_tap = 0;  // of its own, and in the phases before it
  std::vector<ConvPiece> pieces;
  int64_t kernel_tap(const ConvGather& g, int64_t i) const {
    const int64_t h = int64_t(axis[1]->tap.size()), w = int64_t(axis[2]->tap.size());
    return g.tap(axis[0]->tap[size_t(i / w / h)], axis[1]->tap[size_t(i / w % h)], axis[2]->tap[size_t(i % w)]);
  }
};
// Neighbouring taps of a row are one run if their inputs touch, `channels` elements each; runs are cut at most_steps. 0: a run per tap.
std::vector<ConvPhase> phases_of(const ConvGather&, const ConvTiling&, int64_t channels, int64_t most_steps);

// Whether the outputs are written past the caches: they are so large that none keeps them for who reads them next, and rows of the volume
// and every `voxels` of a row start at whole lines.
inline bool goes_past_caches(const ConvGather& g, View y, int64_t lanes, int64_t voxels = 1) {
  constexpr int64_t kBytes = 24 << 20;
  const int64_t bytes = int64_t(size_of(y.dtype));
  return g.n * g.out.d * g.out.h * g.out.w * g.out_channels * bytes >= kBytes && lanes * bytes == 64 &&
         g.out_channels * voxels % lanes == 0 && g.out.w % voxels == 0 && reinterpret_cast<uintptr_t>(y.data) % 64 == 0;
}

inline int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Vectors of channels in blocks of nearly equal width.
struct ConvBlocks {
  int64_t vectors, count;
  ConvBlocks(int64_t channels, int64_t lanes, int64_t most) : vectors((channels + lanes - 1) / lanes), count((vectors + most - 1) / most) {}
  int64_t first(int64_t block) const { return vectors * block / count; }
  int64_t width(int64_t block) const { return first(block + 1) - first(block); }
};

}  // namespace voxgrad
