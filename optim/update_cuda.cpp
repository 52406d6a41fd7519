#include "core/error.h"
#include "optim/update_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void sgd_update(Cuda, const SgdUpdate&, int64_t, View, View, View) { missing("sgd_update"); }
void adamw_update(Cuda, const AdamWUpdate&, int64_t, const AdamWViews&) { missing("adamw_update"); }
double sum_of_squares(Cuda, int64_t, View) { missing("sum_of_squares"); }
bool all_finite(Cuda, int64_t, View) { missing("all_finite"); }
void scale_by(Cuda, int64_t, double, View) { missing("scale_by"); }

}  // namespace voxgrad
