#pragma once
#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/polyphase/polyphase.h"
#include "kernels/conv3d/polyphase/polyphase_isa.h"

namespace voxgrad {

// `columns` inputs of a row of x along W from `from` on, zeros outside the volume; z and y may lie outside too.
template <class A>
void load_row(const ConvIsa<A>& isa, const ConvGather& g, const ConvInput& x, int64_t n, int64_t z, int64_t y, int64_t from,
              int64_t columns, A* to) {
  const int64_t c = g.inputs, begin = std::clamp<int64_t>(-from, 0, columns), end = std::clamp<int64_t>(g.in.w - from, begin, columns);
  if (z < 0 || z >= g.in.d || y < 0 || y >= g.in.h || begin == end) {
    std::fill_n(to, columns * c, A(0));
    return;
  }
  std::fill_n(to, begin * c, A(0));
  x.load(isa, n, ((n * g.in.d + z) * g.in.h + y) * g.in.w + from + begin, end - begin, 0, c, to + begin * c, c);
  std::fill(to + end * c, to + columns * c, A(0));
}

// How outputs are shared out, and the transform of what they read: a task has some planes and rows of outputs and some tiles along W. Lanes
// are rows, so that the rows of a tap along H lie beside each other.
template <class A>
struct PolyphaseTiles {
  struct Piece {
    int64_t n, first[3], size[3];  // planes and rows of outputs, tiles
    bool empty() const { return size[0] <= 0 || size[1] <= 0 || size[2] <= 0; }
  };
  // Of a tile of outputs and a block of channels: these from `first` on, as many as its vectors have and as there are, and the voxels along
  // W that are there, from q on.
  struct Part {
    int64_t first, width, channels, q, voxels;
    bool is_whole() const { return channels == width && voxels == kPolyphasePositions; }
  };
  struct Scratch {
    A *lines, *columns;  // {row, column, channel} and {column, channel, row} of a plane of inputs
  };

  const ConvGather& g;
  const ConvIsa<A> isa = conv_isa<A>();
  const PolyphaseIsa<A> transforms = polyphase_isa<A>();
  const ConvInput& x;
  int64_t count[3], most[3];      // tasks along each axis, and what the largest of them has
  int64_t planes, rows, columns;  // of the inputs of a task
  int64_t product;                // elements from one product of {tile, channel, row} to the next

  PolyphaseTiles(const ConvGather& gather, const ConvInput& input) : g(gather), x(input) {
    constexpr int64_t kPlanes = 4, kRows = 64, kTiles = 8;  // of the outputs of a task, at most
    const int64_t tiles = chunk_count(g.out.w, kPolyphasePositions);
    count[0] = chunk_count(g.out.d, kPlanes), count[1] = chunk_count(g.out.h, kRows);
    count[2] = chunk_count(tiles, std::max<int64_t>(1, kTiles / g.inputs));
    for (int a = 0; a < 3; ++a) most[a] = chunk_count(a == 2 ? tiles : g.out[a], count[a]);
    planes = (most[0] - 1) * g.in_step.d + axis(0).back() - axis(0).front() + 1;
    rows = round_up((most[1] - 1) * g.in_step.h + g.kernel.h, isa.lanes);
    columns = (most[2] - 1) * kPolyphaseStep + kPolyphaseInputs;
    product = most[2] * g.inputs * rows;
  }

  const std::vector<int64_t>& axis(int a) const { return g.axes[size_t(a)][0].offset; }
  int64_t tasks() const { return g.n * count[0] * count[1] * count[2]; }
  int64_t steps() const { return int64_t(g.kernel.d) * g.kernel.h * g.inputs; }  // of the sum of a product
  int64_t column() const { return columns * g.inputs * rows; }                   // elements of each part of the scratch memory
  int64_t plane() const { return kPolyphaseProducts * product; }                 // elements of a plane of inputs of products

  Piece piece(int64_t task) const {
    Piece p;
    for (int a = 2; a >= 0; --a) {
      const int64_t all = a == 2 ? chunk_count(g.out.w, kPolyphasePositions) : g.out[a], i = task % count[a];
      task /= count[a];
      p.first[a] = i * most[a];
      p.size[a] = std::min(most[a], all - p.first[a]);
    }
    p.n = task;
    return p;
  }

  Part part(const Piece& p, int64_t tile, const ConvBlocks& blocks, int64_t block) const {
    const int64_t first = blocks.first(block) * isa.lanes, width = blocks.width(block) * isa.lanes,
                  q = (p.first[2] + tile) * kPolyphasePositions;
    return {first, width, std::min(width, g.outputs - first), q, std::min<int64_t>(kPolyphasePositions, g.out.w - q)};
  }
  // The first output of a row of a tile.
  int64_t voxel(const Piece& p, const Part& part, int64_t z, int64_t row) const {
    return ((p.n * g.out.d + p.first[0] + z) * g.out.h + p.first[1] + row) * g.out.w + part.q;
  }

  // The frequencies of all planes that a task reads, those outside the volume as zeros or, without `fill`, as they are.
  void transform(const Scratch& scratch, const Piece& p, bool fill, A* to) const {
    for (int64_t i = 0, low = p.first[0] * g.in_step.d + axis(0).front(); i < planes; ++i, to += plane())
      if (low + i >= 0 && low + i < g.in.d) transform_plane(scratch, p, low + i, to);
      else if (fill) std::fill_n(to, plane(), A(0));
  }

 private:
  void transform_plane(const Scratch& scratch, const Piece& p, int64_t plane, A* to) const {
    const int64_t c = g.inputs, line = columns * c;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t y = p.first[1] * g.in_step.h + axis(1).front() + r;
      load_row(isa, g, x, p.n, plane, y, p.first[2] * kPolyphaseStep + axis(2).front(), columns, scratch.lines + r * line);
    }
    isa.transpose(scratch.lines, line, scratch.columns, rows, rows, line);
    for (int64_t i = 0; i < p.size[2] * c; ++i)
      transforms.inputs(scratch.columns + (i / c * kPolyphaseStep * c + i % c) * rows, c * rows, rows, to + i * rows, product);
  }
};

}  // namespace voxgrad
