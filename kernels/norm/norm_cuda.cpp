#include "core/error.h"
#include "kernels/norm/norm_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void norm_statistics(Cuda, const NormProblem&, View, View, const NormRunning&) { missing("norm_statistics"); }
void norm_constant_statistics(Cuda, const NormProblem&, const NormRunning&, View) { missing("norm_constant_statistics"); }
void norm_apply(Cuda, const NormProblem&, View, View, View, View, View, View) { missing("norm_apply"); }
void norm_backward(Cuda, const NormProblem&, View, View, View, View, View, View, const NormGradients&) { missing("norm_backward"); }

}  // namespace voxgrad
