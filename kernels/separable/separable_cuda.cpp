#include "core/error.h"
#include "kernels/separable/separable_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void separable_sum(Cuda, const SeparableSum&, const AxisTaps (&)[3], View, View) { missing("separable_sum"); }

}  // namespace voxgrad
