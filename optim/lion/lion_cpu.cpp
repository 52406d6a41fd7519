#include "core/device/parallel.h"
#include "optim/lion/lion_formulas.h"

namespace voxgrad {
namespace {

template <class A>
void update_one(const LionTensor& t) {
  const LionFormula<A> f(t.update);
  parallel_ranges(t.n, 1 << 14, [&](int64_t begin, int64_t end) {
    A *__restrict p = t.p.as<A>(), *__restrict m = t.mean.as<A>();
    const A* __restrict g = t.g.as<A>();
    for (int64_t i = begin; i < end; ++i) f(g[i], p[i], m[i]);
  });
}

}  // namespace

void lion_update(Cpu, const LionTensor* tensors, int64_t count) {
  for (const LionTensor* t = tensors; t < tensors + count; ++t) t->p.dtype == DType::f64 ? update_one<double>(*t) : update_one<float>(*t);
}

}  // namespace voxgrad
