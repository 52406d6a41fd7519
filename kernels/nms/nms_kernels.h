#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// Of n boxes {n, 6} in the order in which they are looked at, with classes i64 {n}: bit j % 64 of mask[i * words + j / 64], i64 in host
// memory, says whether box i drops box j > i.
struct NmsMask {
  int64_t n, words;
  double iou;
};
void nms_mask(Cpu, const NmsMask&, View boxes, const int64_t* classes, int64_t* mask);
void nms_mask(Cuda, const NmsMask&, View boxes, const int64_t* classes, int64_t* mask);

}  // namespace voxgrad
