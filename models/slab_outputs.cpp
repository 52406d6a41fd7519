#include "models/slab_outputs.h"

namespace voxgrad {

SlabOutputs slabs_of(const ConvSource& features, const Conv3d& head) {
  return {.channels = head.weight.dim(0),
          .rows = [z = with_statistics(features), &head](int64_t begin, int64_t end) {
            return conv3d_fused({planes_of(z, begin, end)}, head.weight, head.bias, head.options);
          }};
}

}  // namespace voxgrad
