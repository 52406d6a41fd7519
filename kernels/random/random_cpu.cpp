#include "core/device/parallel.h"
#include "kernels/random/random_formulas.h"

namespace voxgrad {
namespace {
constexpr int64_t kGrain = 1 << 12;
}

void fill_random(Cpu, const RandomFill& f, View p, View y) {
  on_dtype(y.dtype, [&]<class T>() {
    parallel_for(f.n, kGrain, [&](int64_t i) { y.as<T>()[i] = random_element(f, i, static_cast<const T*>(p.as<T>())); });
  });
}

void fill_integers(Cpu, const RandomIntegers& f, View y) {
  on_any_dtype(y.dtype, [&]<class T>() {
    parallel_for(f.n, kGrain, [&](int64_t i) { y.as<T>()[i] = T(random_integer(f, i)); });
  });
}

}  // namespace voxgrad
