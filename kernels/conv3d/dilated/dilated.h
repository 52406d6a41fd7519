#pragma once
#include <memory>
#include <optional>

#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {

// A dilated convolution of stride 1 as convolutions without dilation: outputs whose coordinates have the same remainders modulo the
// dilation read inputs that have the same remainders too, and these lie side by side once they are gathered. They are samples of one
// problem, `part`, but for those along D, which are taken one after the other, so that copies of one remainder exist at a time.
struct DilatedPlan {
  Int3 dilation;       // 1 along axes that stay as they are
  Int3 shift;          // zeros before the volume, so that the padding is a multiple of the dilation
  Conv3dProblem part;  // n: samples times the remainders along H and W
};
// None where no axis has a stride of 1, a dilation, and more voxels than that. normalised: what is read is normalised, so that
// zeros beside it would not stay zeros; then remainders must have equally many voxels.
std::optional<DilatedPlan> dilated_plan(const Conv3dProblem&, bool normalised);

// The passes of conv3d_kernels.h.
void dilated_forward(const Conv3dProblem&, const DilatedPlan&, const ConvPart* parts, int64_t count, View w, View b, View y,
                     std::shared_ptr<void>* kept);
void dilated_input_gradient(const Conv3dProblem&, const DilatedPlan&, View gy, View w, View b, View gx);
void dilated_weight_gradient(const Conv3dProblem&, const DilatedPlan&, const ConvPart& x, View gy, View gw);

}  // namespace voxgrad
