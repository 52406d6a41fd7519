#pragma once
#include "kernels/box_iou/box_formulas.h"
#include "kernels/nms/nms_kernels.h"

namespace voxgrad {

// Word w of row i of the mask.
template <class T>
VOXGRAD_HD inline int64_t nms_word(const NmsMask& p, const T* boxes, const int64_t* classes, int64_t i, int64_t w) {
  uint64_t bits = 0;
  const int64_t begin = w * 64 > i ? w * 64 : i + 1, end = w * 64 + 64 < p.n ? w * 64 + 64 : p.n;
  for (int64_t j = begin; j < end; ++j)
    if (classes[i] == classes[j] && BoxPair<T>{boxes + 6 * i, boxes + 6 * j}.iou() > T(p.iou)) bits |= uint64_t(1) << (j - w * 64);
  return int64_t(bits);
}

}  // namespace voxgrad
