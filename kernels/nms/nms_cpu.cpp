#include "core/device/parallel.h"
#include "kernels/nms/nms_formulas.h"

namespace voxgrad {

void nms_mask(Cpu, const NmsMask& p, View boxes, const int64_t* classes, int64_t* mask) {
  parallel_for(p.n, 16, [&](int64_t i) {
    for (int64_t w = i / 64; w < p.words; ++w)
      mask[i * p.words + w] = boxes.dtype == DType::f64 ? nms_word(p, boxes.as<double>(), classes, i, w)
                                                        : nms_word(p, boxes.as<float>(), classes, i, w);
  });
}

}  // namespace voxgrad
