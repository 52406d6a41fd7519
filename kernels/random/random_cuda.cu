#include "core/cuda/launch.h"
#include "kernels/random/random_formulas.h"

namespace voxgrad {
namespace {
template <class T>
__global__ void random_fill_kernel(RandomFill f, const T* p, T* y) {
  for (int64_t i : grid_stride(f.n)) y[i] = random_element(f, i, p);
}

template <class T>
__global__ void random_integers_kernel(RandomIntegers f, T* y) {
  for (int64_t i : grid_stride(f.n)) y[i] = T(random_integer(f, i));
}
}  // namespace

void fill_random(Cuda on, const RandomFill& f, View p, View y) {
  on_dtype(y.dtype, [&]<class T>() { launch<random_fill_kernel<T>>(on, grid_over(f.n), f, p.as<T>(), y.as<T>()); });
}

void fill_integers(Cuda on, const RandomIntegers& f, View y) {
  on_any_dtype(y.dtype, [&]<class T>() { launch<random_integers_kernel<T>>(on, grid_over(f.n), f, y.as<T>()); });
}

}  // namespace voxgrad
