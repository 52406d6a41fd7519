#include "core/device/parallel.h"
#include "core/error.h"
#include "infer/sliding_window.h"

namespace voxgrad {
namespace {

void argmax_rows(const float* logits, int64_t voxels, int64_t classes, uint8_t* labels) {
  check(classes <= 256, "argmax_labels: ", classes, " classes do not fit into u8");
  parallel_ranges(voxels, 1 << 13, [&](int64_t begin, int64_t end) {
    for (int64_t v = begin; v < end; ++v) {
      const float* l = logits + v * classes;
      int64_t best = 0;
      for (int64_t k = 1; k < classes; ++k) best = l[k] > l[best] ? k : best;
      labels[v] = uint8_t(best);
    }
  });
}

}  // namespace

ArgmaxRows::ArgmaxRows(const Int3& size) : labels(Tensor::empty({size.d, size.h, size.w}, DType::u8)) {}
void ArgmaxRows::operator()(int64_t first, int64_t rows, const float* logits, int64_t classes) const {
  const int64_t plane = labels.shape().count(1, 3);
  argmax_rows(logits, rows * plane, classes, labels.view().as<uint8_t>() + first * plane);
}

Tensor argmax_labels(const Tensor& logits) {
  check(logits && logits.dtype() == DType::f32 && logits.shape().rank == 4 && logits.dim(3) > 0,
        "argmax_labels: logits f32 {D, H, W, K} are wanted, not ", logits);
  const Tensor out = Tensor::empty({logits.dim(0), logits.dim(1), logits.dim(2)}, DType::u8);
  argmax_rows(logits.view().as<float>(), out.count(), logits.dim(3), out.view().as<uint8_t>());
  return out;
}

}  // namespace voxgrad
