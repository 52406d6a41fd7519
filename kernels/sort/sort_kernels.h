#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// The axis of x {outer, extent, inner} along which elements are put in order.
struct SortedAxis {
  int64_t outer, extent, inner;
  bool descending;
};
// positions {outer, extent, inner} i64: where the first, second, .. element stands along the axis of x, of any dtype. Stable; NaN last.
void argsort(Cpu, const SortedAxis&, View x, View positions);
void argsort(Cuda, const SortedAxis&, View x, View positions);
// The first `count` of them, {outer, count, inner}.
void argsort_first(Cpu, const SortedAxis&, int64_t count, View x, View positions);
void argsort_first(Cuda, const SortedAxis&, int64_t count, View x, View positions);

}  // namespace voxgrad
