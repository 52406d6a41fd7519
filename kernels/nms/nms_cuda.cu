#include "core/cuda/launch.h"
#include "kernels/nms/nms_formulas.h"

namespace voxgrad {
namespace {

__global__ void nms_mask_kernel(NmsMask p, const float* boxes, const int64_t* classes, int64_t* mask) {
  for (int64_t k : grid_stride(p.n * p.words)) {
    const int64_t i = k / p.words, w = k % p.words;
    mask[k] = w < i / 64 ? 0 : nms_word(p, boxes, classes, i, w);
  }
}

}  // namespace

void nms_mask(Cuda on, const NmsMask& p, View boxes, const int64_t* classes, int64_t* mask) {
  const int64_t bytes = p.n * p.words * int64_t(sizeof(int64_t));
  const Scratch of_classes(on, classes, p.n * int64_t(sizeof(int64_t))), words(on, bytes);
  launch<nms_mask_kernel>(on, grid_over(p.n * p.words), p, boxes.as<float>(), of_classes.as<int64_t>(), words.as<int64_t>());
  words.read(mask, bytes);
}

}  // namespace voxgrad
