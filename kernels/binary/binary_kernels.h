#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/broadcast/broadcast_kernels.h"

namespace voxgrad {

enum class BinaryOp { add, sub, mul, div, maximum, minimum, power };

// y[i] = f(a[i], b[i]), or f(a[i], b[i mod columns]) where columns > 0; b then is of accum_of(dtype of a).
struct Binary {
  BinaryOp op;
  int64_t count = 0, columns = 0;
};
void binary_forward(Cpu, const Binary&, View a, View b, View y);
void binary_forward(Cuda, const Binary&, View a, View b, View y);
// Assigns those of ga and gb that are there, gb of the dtype of b. a and b are there where the formula reads them.
void binary_backward(Cpu, const Binary&, View a, View b, View gy, View ga, View gb);
void binary_backward(Cuda, const Binary&, View a, View b, View gy, View ga, View gb);

// The same of two operands that are broadcast to the result; each is of the dtype of y or of accum_of it.
void binary_broadcast(Cpu, BinaryOp, const Broadcast&, View a, View b, View y);
void binary_broadcast(Cuda, BinaryOp, const Broadcast&, View a, View b, View y);
// ga and gb are of the shape of the result, before their sums, of the dtype of gy or of accum_of it.
void binary_broadcast_backward(Cpu, BinaryOp, const Broadcast&, View a, View b, View gy, View ga, View gb);
void binary_broadcast_backward(Cuda, BinaryOp, const Broadcast&, View a, View b, View gy, View ga, View gb);

}  // namespace voxgrad
