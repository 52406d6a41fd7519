// Builds without cuDNN. ConvBackendScope says so before anything gets here.
#include "core/error.h"
#include "kernels/conv3d/cuda/conv3d_cudnn_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void absent() { fail("conv3d: this build of voxgrad has no cuDNN"); }
}  // namespace

void cudnn_forward(Cuda, const Conv3dProblem&, View, View, View, View) { absent(); }
void cudnn_input_gradient(Cuda, const Conv3dProblem&, View, View, View, View) { absent(); }
void cudnn_weight_gradient(Cuda, const Conv3dProblem&, View, View, View) { absent(); }

}  // namespace voxgrad
