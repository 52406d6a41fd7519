#include "augment/sample.h"

namespace voxgrad {

Int3 volume_size(const Tensor& t) { return {int(t.dim(0)), int(t.dim(1)), int(t.dim(2))}; }

void check_sample(const char* who, const Sample& s) {
  check(s.image && s.image.shape().rank == 4 && s.image.dtype() == DType::f32 && s.image.device().is_cpu() && s.image.count() > 0, who,
        ": an image f32 {D, H, W, C} on the CPU is wanted, not ", s.image, " on ", s.image.device());
  if (!s.label) return;
  check(s.label.shape().rank == 3 && s.label.dtype() == DType::u8 && s.label.device().is_cpu(), who,
        ": a label u8 {D, H, W} on the CPU is wanted, not ", s.label, " on ", s.label.device());
  check(volume_size(s.image) == volume_size(s.label), who, ": the image is ", volume_size(s.image), " voxels, its label ",
        volume_size(s.label));
}

}  // namespace voxgrad
