#include "core/cuda/launch.h"
#include "kernels/differences/differences_kernels.h"

namespace voxgrad {
namespace {

template <class T>
__global__ void differences_kernel(DifferencesProblem p, const T* x, T* y) {
  for (int64_t i : grid_stride(p.extent[0] * p.extent[1] * p.extent[2] * p.extent[3])) differences_at(p, i, x, y);
}
template <class T>
__global__ void differences_back_kernel(DifferencesProblem p, const T* y, T* x) {
  for (int64_t i : grid_stride(p.extent[0] * p.extent[1] * p.extent[2] * p.extent[3])) differences_back_at(p, i, y, x);
}

Grid differences_grid(const DifferencesProblem& p) { return grid_over(p.extent[0] * p.extent[1] * p.extent[2] * p.extent[3]); }

}  // namespace

void forward_differences(Cuda on, const DifferencesProblem& p, View x, View y) {
  if (x.dtype == DType::f64) launch<differences_kernel<double>>(on, differences_grid(p), p, x.as<const double>(), y.as<double>());
  else launch<differences_kernel<float>>(on, differences_grid(p), p, x.as<const float>(), y.as<float>());
}
void differences_back(Cuda on, const DifferencesProblem& p, View y, View x) {
  if (x.dtype == DType::f64) launch<differences_back_kernel<double>>(on, differences_grid(p), p, y.as<const double>(), x.as<double>());
  else launch<differences_back_kernel<float>>(on, differences_grid(p), p, y.as<const float>(), x.as<float>());
}

}  // namespace voxgrad
