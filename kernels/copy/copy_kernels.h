#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

// The kernels under slice, crop, pad, concat, permute and flip: elements of any dtype are moved, never read. Offsets, strides and
// extents are in elements; `from` and `into` do not overlap.
namespace voxgrad {

inline constexpr int kCopyRank = 8;

// into[into_offset + sum_k i_k into_stride[k]] = from[from_offset + sum_k i_k from_stride[k]] for all i_k in [0, extent[k]).
struct StridedCopy {
  int rank = 0;
  int64_t extent[kCopyRank] = {}, from_stride[kCopyRank] = {}, into_stride[kCopyRank] = {};
  int64_t from_offset = 0, into_offset = 0;
};
// Drops axes of extent 1 and joins neighbours that both sides walk as one. False: there is nothing to copy.
bool simplify(StridedCopy&);
void strided_copy(Cpu, StridedCopy, View from, View into);
void strided_copy(Cuda, StridedCopy, View from, View into);

// All of `into`, which has the extents of `extent`: the box [begin, begin + size) is `from` (dense, of extents `size`), the rest is
// the element at `value`.
struct PlacedBox {
  int rank = 0;
  int64_t extent[kCopyRank] = {}, begin[kCopyRank] = {}, size[kCopyRank] = {};
};
// Joins each axis that the box fills with the axis before it.
void simplify(PlacedBox&);
void place_box(Cpu, PlacedBox, View value, View from, View into);
void place_box(Cuda, PlacedBox, View value, View from, View into);

// into {n, out, c} [n, d, h, w] = from {n, in, c} [n, map_d[d], map_h[h], map_w[w]]; the maps are i32.
struct MappedCopy {
  int64_t n = 1, c = 1, in[3] = {}, out[3] = {};
};
void mapped_copy(Cpu, const MappedCopy&, View map_d, View map_h, View map_w, View from, View into);
void mapped_copy(Cuda, const MappedCopy&, View map_d, View map_h, View map_w, View from, View into);

}  // namespace voxgrad
