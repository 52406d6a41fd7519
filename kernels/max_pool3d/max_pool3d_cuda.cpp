#include "core/error.h"
#include "kernels/max_pool3d/max_pool3d_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void max_pool_forward(Cuda, const MaxPool&, View, View, View) { missing("max_pool_forward"); }
void max_pool_backward(Cuda, const MaxPool&, View, View, View) { missing("max_pool_backward"); }

}  // namespace voxgrad
