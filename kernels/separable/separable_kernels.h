#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// What each output of one axis is made of: output o takes index[k] with weight[k] for k in [begin[o], begin[o + 1]).
// begin and index are i32, weight is of accum_of(dtype of x).
struct AxisTaps {
  View begin, index, weight;
};

// y {n, out, c} [n, d, h, w, :] = sum over the taps i of d, j of h, k of w: weight_i weight_j weight_k x {n, in, c} [n, i, j, k, :].
// Sums are taken in the order of the taps: over i, j first, then over k.
struct SeparableSum {
  int64_t n = 1, c = 1, in[3] = {}, out[3] = {};
};
void separable_sum(Cpu, const SeparableSum&, const AxisTaps (&taps)[3], View x, View y);
void separable_sum(Cuda, const SeparableSum&, const AxisTaps (&taps)[3], View x, View y);

}  // namespace voxgrad
