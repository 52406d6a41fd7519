#pragma once
#include <algorithm>

#include "augment/sample.h"

namespace voxgrad {

// A volume cut into boxes of kChunk^3 voxels, of which those at its ends are smaller; numbered along W, then H, then D.
struct ChunkGrid {
  static constexpr int kChunk = 32;
  Int3 size;

  int along(int axis) const { return (size[axis] + kChunk - 1) / kChunk; }
  int64_t count() const { return int64_t(along(0)) * along(1) * along(2); }
  int64_t number(const Int3& at) const { return (int64_t(at.d) * along(1) + at.h) * along(2) + at.w; }
  VoxelBox box(const Int3& at) const {
    VoxelBox out;
    for (int a = 0; a < 3; ++a) {
      out.begin[a] = at[a] * kChunk;
      out.size[a] = std::min(kChunk, size[a] - out.begin[a]);
    }
    return out;
  }
  // f(place of the chunk in the grid) for those that meet a box within the volume.
  template <class F>
  void each(const VoxelBox& box, F&& f) const {
    Int3 first, last;
    for (int a = 0; a < 3; ++a) first[a] = box.begin[a] / kChunk, last[a] = (box.begin[a] + box.size[a] - 1) / kChunk;
    for (int d = first.d; d <= last.d; ++d)
      for (int h = first.h; h <= last.h; ++h)
        for (int w = first.w; w <= last.w; ++w) f(Int3{d, h, w});
  }
};

inline int64_t voxels_in(const Int3& size) { return int64_t(size.d) * size.h * size.w; }

// f(offset in the one, offset in the other, voxels) for each row of what two boxes have in common; offsets are in voxels.
template <class F>
void each_common_row(const VoxelBox& one, const VoxelBox& other, F&& f) {
  Int3 low, high;
  for (int a = 0; a < 3; ++a) {
    low[a] = std::max(one.begin[a], other.begin[a]);
    high[a] = std::min(one.begin[a] + one.size[a], other.begin[a] + other.size[a]);
  }
  const auto offset = [&](const VoxelBox& b, int d, int h) {
    return (int64_t(d - b.begin.d) * b.size.h + (h - b.begin.h)) * b.size.w + (low.w - b.begin.w);
  };
  for (int d = low.d; d < high.d; ++d)
    for (int h = low.h; h < high.h; ++h) f(offset(one, d, h), offset(other, d, h), int64_t(high.w - low.w));
}

}  // namespace voxgrad
