#pragma once
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/memory/allocator.h"
#include "core/tensor.h"
#include "kernels/conv3d/conv3d_plan.h"

namespace voxgrad {

// Scratch memory of one worker. What fills most of a second-level cache is of whole huge pages: training steps take 1 to 4 % less time so.
template <class A>
class ConvScratch {
 public:
  explicit ConvScratch(int64_t count) : storage_(Device{}, rounded(size_t(count) * sizeof(A)), {__FILE__, "conv3d"}) {}
  A* data() { return static_cast<A*>(storage_.data); }

 private:
  static size_t rounded(size_t bytes) {
    constexpr size_t kLarge = 512 << 10, kPage = cpu::kHugePage;
    return bytes < kLarge ? bytes : (bytes + kPage - 1) / kPage * kPage;
  }
  Storage storage_;
};

inline void* element(View v, int64_t i) { return static_cast<char*>(v.data) + i * int64_t(size_of(v.dtype)); }

// Tile number `index` of a sample: where its positions start.
struct ConvStart {
  int64_t at[3];
  ConvStart(const ConvTiling& t, int64_t index)
      : at{index / t.count[2] / t.count[1] * t.block[0], index / t.count[2] % t.count[1] * t.block[1], index % t.count[2] * t.block[2]} {}
  // Positions of this tile along an axis that has `positions` of them.
  int64_t size(const ConvTiling& t, int axis, int64_t positions) const { return std::min(t.block[axis], positions - at[axis]); }
};

// The parts of the inputs of a convolution.
class ConvInput {
 public:
  ConvInput(View x, int64_t channels) : parts_{{x, channels}} {}
  ConvInput(const ConvPart* parts, int64_t count) : parts_(parts, parts + count) {}
  DType dtype() const { return parts_[0].x.dtype; }
  // The tensor, where it is one and as it is.
  View whole() const { return parts_.size() == 1 && !parts_[0].coefficients ? parts_[0].x : View{}; }

  // Channels [first, first + count) of voxels of sample n, zeros after them up to `padded`.
  template <class A>
  void load(const ConvIsa<A>& isa, int64_t n, int64_t voxel, int64_t voxels, int64_t first, int64_t count, A* to, int64_t padded) const {
    if (View x = whole()) {
      const int64_t channels = parts_[0].channels;
      return isa.load_rows(x.dtype, element(x, voxel * channels + first), channels, to, padded, voxels, count);
    }
    int64_t before = 0;
    for (const ConvPart& part : parts_) {
      const int64_t low = std::max(first, before), high = std::min(first + count, before + part.channels), c = low - before;
      before += part.channels;
      if (low >= high) continue;
      ConvLoad<A> l{.dtype = part.x.dtype, .src = element(part.x, voxel * part.channels + c), .src_step = part.channels};
      l.dst = to + low - first;
      l.dst_step = padded;
      l.rows = voxels;
      l.n = high - low;
      l.tail = high == first + count ? padded - count : 0;
      if (part.coefficients) {
        l.mean = part.coefficients.as<A>() + n * 3 * part.channels + c;
        l.factor = l.mean + part.channels;
        l.offset = l.factor + part.channels;
        l.slope = A(part.slope);
      }
      isa.load_part(l);
    }
  }

 private:
  std::vector<ConvPart> parts_;
};

// The inputs that a tile reads, in A, zero outside the volume: tile {extent[0], extent[1], extent[2], padded channels}. Rows that lie
// outside the volume as a whole are left unwritten; inside() tells. In place, rows of x itself.
template <class A>
class ConvTile {
 public:
  ConvTile(const ConvIsa<A>& isa, const ConvGather& g, const ConvTiling& t, const ConvInput& x, int64_t padded, A* data)
      : isa_(isa), g_(g), t_(t), x_(x), padded_(padded), data_(data) {
    for (int a = 0; a < 2; ++a) rows_[a].resize(size_t(t.extent[a]));
  }
  // Whether elements of x can be read as they are.
  static bool is_readable(const ConvGather& g, const ConvInput& x, int64_t padded) {
    const View whole = x.whole();
    return whole && whole.dtype == dtype_of<A> && padded == g.inputs;
  }

  // fill: rows outside the volume are zeros.
  void load(int64_t sample, int64_t slice, const ConvStart& start, bool fill = false) {
    for (int a = 0; a < 2; ++a)
      for (int64_t i = 0; i < t_.extent[a]; ++i) rows_[a][size_t(i)] = t_.coordinate(a, start.at[a], i);
    sample_ = sample;
    first_ = slice * g_.inputs;
    if (t_.in_place) return void(start_ = start.at[2] * t_.in_step[2] + t_.low[2]);
    find_segments(start);
    const int64_t count = g_.inputs_of(slice);
    const bool dense = x_.whole() && count == g_.in_channels && padded_ == count && set_lines();
    for (int64_t z = 0; z < t_.extent[0]; ++z)
      for (int64_t y = 0; y < t_.extent[1]; ++y) {
        A* to = data_ + (z * t_.extent[1] + y) * t_.extent[2] * padded_;
        if (!inside(z, y)) {
          if (fill) std::fill_n(to, t_.extent[2] * padded_, A(0));
          continue;
        }
        if (dense) {
          y += load_lines(z, y, to) - 1;
          continue;
        }
        const int64_t row = input_row(z, y);
        for (const Segment& s : segments_) {
          if (s.from < 0) std::memset(to + s.at * padded_, 0, size_t(s.count * padded_) * sizeof(A));
          else x_.load(isa_, sample, row + s.from, s.count, first_, count, to + s.at * padded_, padded_);
        }
      }
  }
  bool inside(int64_t z, int64_t y) const { return rows_[0][size_t(z)] >= 0 && rows_[1][size_t(y)] >= 0; }
  // The first input of row (z, y) of the tile, and the elements between the inputs of neighbouring positions.
  const A* row(int64_t z, int64_t y) const {
    if (!t_.in_place) return data_ + (z * t_.extent[1] + y) * t_.extent[2] * padded_;
    return x_.whole().template as<A>() + (input_row(z, y) + start_) * g_.in_channels + first_;
  }
  int64_t step() const { return t_.step[2] * (t_.in_place ? g_.in_channels : padded_); }

 private:
  // What all lines of a tile have in common, where they read one piece of a row of x.
  bool set_lines() {
    int64_t pieces = 0;
    lines_ = {.dtype = x_.dtype(), .dst_step = t_.extent[2] * padded_};
    for (const Segment& s : segments_) {
      const int64_t count = s.count * padded_;
      if (s.from >= 0) {
        ++pieces;
        first_of_line_ = s.from;
        lines_.n = count;
      } else {
        (pieces == 0 ? lines_.before : lines_.after) = count;
      }
    }
    return pieces == 1;
  }
  // Line (z, y) and those behind it that follow upon each other in x too; returns their number.
  int64_t load_lines(int64_t z, int64_t y, A* to) {
    const int64_t row = input_row(z, y), step = y + 1 < t_.extent[1] && inside(z, y + 1) ? input_row(z, y + 1) - row : 0;
    lines_.lines = 1;
    while (y + lines_.lines < t_.extent[1] && inside(z, y + lines_.lines) && input_row(z, y + lines_.lines) == row + lines_.lines * step)
      ++lines_.lines;
    lines_.src = element(x_.whole(), (row + first_of_line_) * padded_);
    lines_.src_step = step * padded_;
    lines_.dst = to;
    isa_.load_lines(lines_);
    return lines_.lines;
  }

  int64_t input_row(int64_t z, int64_t y) const {
    return ((sample_ * t_.in[0] + rows_[0][size_t(z)]) * t_.in[1] + rows_[1][size_t(y)]) * t_.in[2];
  }
  struct Segment {
    int64_t at, from, count;  // of the tile, of the volume (-1: outside)
  };
  void find_segments(const ConvStart& start) {
    segments_.clear();
    for (int64_t i = 0; i < t_.extent[2]; ++i) {
      const int64_t c = t_.coordinate(2, start.at[2], i);
      if (!segments_.empty()) {
        Segment& s = segments_.back();
        if (c < 0 ? s.from < 0 : s.from >= 0 && c == s.from + s.count) {
          ++s.count;
          continue;
        }
      }
      segments_.push_back({i, c, 1});
    }
  }

  const ConvIsa<A>& isa_;
  const ConvGather& g_;
  const ConvTiling& t_;
  const ConvInput& x_;
  const int64_t padded_;
  A* data_;
  int64_t sample_ = 0, first_ = 0, start_ = 0;  // of the tile: sample, channel and, where read in place, position along the row
  std::vector<int64_t> rows_[2];
  std::vector<Segment> segments_;
  ConvLines<A> lines_;
  int64_t first_of_line_ = 0;
};

}  // namespace voxgrad
