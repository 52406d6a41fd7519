#include "core/error.h"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {
namespace {
[[noreturn]] void missing(const char* op) { fail(op, ": no CUDA kernel in this build"); }
}  // namespace

void sum_runs(Cuda, const ReduceRuns&, double, View, View) { missing("sum_runs"); }
void max_runs(Cuda, const ReduceRuns&, View, View) { missing("max_runs"); }
void spread(Cuda, Spread, View, View, View, View) { missing("spread"); }
void argmax_rows(Cuda, int64_t, int64_t, View, View) { missing("argmax_rows"); }

}  // namespace voxgrad
