#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// a {n, 6}, b {m, 6}, y {n, m}.
struct BoxIou {
  int64_t n, m;
  bool generalized;
};
void box_iou(Cpu, const BoxIou&, View a, View b, View y);
void box_iou(Cuda, const BoxIou&, View a, View b, View y);

// Rows of a and b {n, 6}, y {n}.
void giou_loss(Cpu, int64_t n, View a, View b, View y);
void giou_loss(Cuda, int64_t n, View a, View b, View y);
// gy {n}; null gradients are not computed, the others are assigned.
void giou_loss_backward(Cpu, int64_t n, View a, View b, View gy, View ga, View gb);
void giou_loss_backward(Cuda, int64_t n, View a, View b, View gy, View ga, View gb);

}  // namespace voxgrad
