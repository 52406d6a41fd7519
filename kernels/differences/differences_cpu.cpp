#include "core/device/parallel.h"
#include "kernels/differences/differences_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kDifferencesGrain = 1 << 12;

template <class F>
void for_difference_voxels(const DifferencesProblem& p, F&& f) {
  parallel_for(p.extent[0] * p.extent[1] * p.extent[2] * p.extent[3], kDifferencesGrain, f);
}

}  // namespace

void forward_differences(Cpu, const DifferencesProblem& p, View x, View y) {
  if (x.dtype == DType::f64) for_difference_voxels(p, [&](int64_t i) { differences_at(p, i, x.as<const double>(), y.as<double>()); });
  else for_difference_voxels(p, [&](int64_t i) { differences_at(p, i, x.as<const float>(), y.as<float>()); });
}
void differences_back(Cpu, const DifferencesProblem& p, View y, View x) {
  if (x.dtype == DType::f64) for_difference_voxels(p, [&](int64_t i) { differences_back_at(p, i, y.as<const double>(), x.as<double>()); });
  else for_difference_voxels(p, [&](int64_t i) { differences_back_at(p, i, y.as<const float>(), x.as<float>()); });
}

}  // namespace voxgrad
