#include "core/error.h"
#include "kernels/grid_sample3d/grid_sample3d_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void grid_sample_forward(Cuda, const GridSample&, View, View, View) { missing("grid_sample_forward"); }
void grid_sample_grad_x(Cuda, const GridSample&, View, View, View) { missing("grid_sample_grad_x"); }
void grid_sample_grad_grid(Cuda, const GridSample&, View, View, View, View) { missing("grid_sample_grad_grid"); }

}  // namespace voxgrad
