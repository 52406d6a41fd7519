#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

// The kernels under gather, scatter, index_select and what is made of them. Indices are i64 and within the axis.
namespace voxgrad {

// The smallest of n indices that is not within [0, extent), or kNoBadIndex. On CUDA as cuda::Found is read, for say_found().
inline constexpr int64_t kNoBadIndex = INT64_MAX;
int64_t bad_index(Cpu, int64_t n, int64_t extent, View index);
int64_t bad_index(Cuda, int64_t n, int64_t extent, View index);

// An axis of x {outer, extent, inner}, and what is chosen of it, {outer, chosen, inner}. index is {outer, chosen, inner}, or `shared`,
// {chosen}, by all of outer and inner.
struct IndexedAxis {
  int64_t outer, extent, inner, chosen;
  bool shared;
};
// y[o, j, i] = x[o, index, i]
void gather_axis(Cpu, const IndexedAxis&, View index, View x, View y);
void gather_axis(Cuda, const IndexedAxis&, View index, View x, View y);
// y[o, v, i] = x[o, v, i] + sum of src[o, j, i] over the j whose index is v, in their order, in accum_of(y). Without x, 0 in its place.
void scatter_add_axis(Cpu, const IndexedAxis&, View index, View x, View src, View y);
void scatter_add_axis(Cuda, const IndexedAxis&, View index, View x, View src, View y);
// The same, told the stable order of the indices (argsort).
void scatter_add_ordered(Cuda, const IndexedAxis&, View index, View order, View x, View src, View y);

// writer {outer, extent, inner} i64: the last j whose index is v, or -1. Not shared.
void last_writers(Cpu, const IndexedAxis&, View index, View writer);
void last_writers(Cuda, const IndexedAxis&, View index, View writer);
// y[o, v, i] = src[o, writer, i] where there is a writer, else x[o, v, i]. Without src, 0 in its place.
void overwrite(Cpu, const IndexedAxis&, View writer, View x, View src, View y);
void overwrite(Cuda, const IndexedAxis&, View writer, View x, View src, View y);
// g[o, j, i] = gy[o, index, i] where j is the writer of that, else 0.
void gather_written(Cpu, const IndexedAxis&, View index, View writer, View gy, View g);
void gather_written(Cuda, const IndexedAxis&, View index, View writer, View gy, View g);

}  // namespace voxgrad
