#include "optim/lion/lion_formulas.h"
#include "optim/tensor_table.cuh"

namespace voxgrad {
namespace {

__global__ void lion_update_kernel(TensorTable<LionTensor> table) {
  on_entry(table, [](const LionTensor& t, int64_t, int64_t begin, int64_t end) {
    const LionFormula<float> f(t.update);
    float *p = t.p.as<float>(), *m = t.mean.as<float>();
    const float* g = t.g.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) f(g[i], p[i], m[i]);
  });
}

}  // namespace

void lion_update(Cuda on, const LionTensor* tensors, int64_t count) {
  with_table(on, tensors, count, [&](const auto& table, int64_t blocks) {
    launch<lion_update_kernel>(on, {.x = blocks, .threads = kTableThreads}, table);
  });
}

}  // namespace voxgrad
