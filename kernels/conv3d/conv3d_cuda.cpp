#include "core/error.h"
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void conv3d_forward(Cuda, const Conv3dProblem&, View, View, View, View) { missing("conv3d_forward"); }
void conv3d_input_gradient(Cuda, const Conv3dProblem&, View, View, View, View) { missing("conv3d_input_gradient"); }
void conv3d_weight_gradient(Cuda, const Conv3dProblem&, View, View, View) { missing("conv3d_weight_gradient"); }
void conv3d_bias_gradient(Cuda, int64_t, int64_t, View, View) { missing("conv3d_bias_gradient"); }

}  // namespace voxgrad
