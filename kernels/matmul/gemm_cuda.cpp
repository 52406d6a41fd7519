#include "core/error.h"
#include "kernels/matmul/gemm_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void gemm(Cuda, const Gemm&, View, View, View, View) { missing("gemm"); }

}  // namespace voxgrad
