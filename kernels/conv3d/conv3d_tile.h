#pragma once
#include <cstring>
#include <vector>

#include "core/tensor.h"
#include "kernels/conv3d/conv3d_plan.h"

namespace voxgrad {

// Scratch memory of one worker.
template <class A>
class ConvScratch {
 public:
  explicit ConvScratch(int64_t count) : storage_(Device{}, size_t(count) * sizeof(A)) {}
  A* data() { return static_cast<A*>(storage_.data); }

 private:
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

// The inputs that a tile reads, in A, zero outside the volume: tile {extent[0], extent[1], extent[2], padded channels}. Rows that lie
// outside the volume as a whole are left unwritten; inside() tells.
template <class A>
class ConvTile {
 public:
  ConvTile(const ConvIsa<A>& isa, const ConvTiling& t, A* data) : isa_(isa), t_(t), data_(data) {
    for (int a = 0; a < 2; ++a) rows_[a].resize(size_t(t.extent[a]));
  }

  // Channels [first, first + count) of a sample of x {n, in, channels}.
  void load(View x, int64_t sample, const ConvStart& start, int64_t channels, int64_t first, int64_t count, int64_t padded) {
    for (int a = 0; a < 2; ++a)
      for (int64_t i = 0; i < t_.extent[a]; ++i) rows_[a][size_t(i)] = t_.coordinate(a, start.at[a], i);
    find_segments(start);
    for (int64_t z = 0; z < t_.extent[0]; ++z)
      for (int64_t y = 0; y < t_.extent[1]; ++y) {
        if (!inside(z, y)) continue;
        A* to = data_ + (z * t_.extent[1] + y) * t_.extent[2] * padded;
        const int64_t row = ((sample * t_.in[0] + rows_[0][size_t(z)]) * t_.in[1] + rows_[1][size_t(y)]) * t_.in[2];
        for (const Segment& s : segments_) {
          if (s.from < 0) std::memset(to + s.at * padded, 0, size_t(s.count * padded) * sizeof(A));
          else isa_.load_rows(x.dtype, element(x, (row + s.from) * channels + first), channels, to + s.at * padded, padded, s.count, count);
        }
      }
  }
  bool inside(int64_t z, int64_t y) const { return rows_[0][size_t(z)] >= 0 && rows_[1][size_t(y)] >= 0; }
  const A* data() const { return data_; }

 private:
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
  const ConvTiling& t_;
  A* data_;
  std::vector<int64_t> rows_[2];
  std::vector<Segment> segments_;
};

}  // namespace voxgrad
