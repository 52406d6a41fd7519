#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct NmsOptions {
  double iou = 0.5;      // a box that overlaps a kept one by more than this is dropped
  Tensor classes = {};   // {N} of any integer dtype: boxes of other classes do not drop each other; absent: all are of one
  int64_t keep = -1;     // at most so many; -1: all
};
// Non-maximum suppression of boxes {N, 6} (kernels/box_iou) with scores {N}, f32 or f64: the numbers of those that stay, i64 {K} on the
// CPU, in the order of falling scores, equal scores in their own. What is kept does not depend on the device. Waits for the stream.
Tensor nms(const Tensor& boxes, const Tensor& scores, const NmsOptions& = {});

}  // namespace voxgrad
