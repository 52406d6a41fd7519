#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// c {m, n} = op(a) op(b) + bias, for each of `batch` matrices one behind the other. a is {m, k} or, transposed, {k, m}; b is {k, n} or,
// transposed, {n, k}; bias {n} may be absent. All of f32 or all of f64.
struct Gemm {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false;
};
void gemm(Cpu, const Gemm&, View a, View b, View bias, View c);
void gemm(Cuda, const Gemm&, View a, View b, View bias, View c);

}  // namespace voxgrad
