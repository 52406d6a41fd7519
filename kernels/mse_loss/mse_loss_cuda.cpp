#include "core/error.h"
#include "kernels/mse_loss/mse_loss_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void difference_loss(Cuda, const DifferenceLoss&, View, View, View) { missing("difference_loss"); }
void difference_loss_backward(Cuda, const DifferenceLoss&, View, View, View, View, View) { missing("difference_loss_backward"); }

}  // namespace voxgrad
