#include "kernels/softmax/softmax_kernels.h"
#include "kernels/softmax/voxel_groups.cuh"

namespace voxgrad {
namespace {

template <class T, int kGroup>
__global__ void softmax_forward_kernel(SoftmaxProblem p, const T* x, T* y) {
  for_voxel_groups<kGroup>(p.voxels, p.channels, [&](int64_t v, int64_t channels) {
    const T* const from = x + v * p.channels;
    T* const to = y + v * p.channels;
    float m = lowest_float(), sum = 0;
    for_lane_channels<kGroup>(channels, [&](int64_t k) { m = LargerOf{}(m, float(from[k])); });
    m = group_fold<kGroup>(m, LargerOf{});
    for_lane_channels<kGroup>(channels, [&](int64_t k) { sum += expf(float(from[k]) - m); });
    sum = group_sum<kGroup>(sum);
    const float factor = 1 / sum, term = logf(sum);
    for_lane_channels<kGroup>(channels, [&](int64_t k) {
      const float d = float(from[k]) - m;
      to[k] = T(p.logarithm ? d - term : expf(d) * factor);
    });
  });
}

template <class T, int kGroup>
__global__ void softmax_backward_kernel(SoftmaxProblem p, const T* y, const T* gy, T* gx) {
  for_voxel_groups<kGroup>(p.voxels, p.channels, [&](int64_t v, int64_t channels) {
    const int64_t at = v * p.channels;
    float sum = 0;
    for_lane_channels<kGroup>(channels, [&](int64_t k) {
      const float g = float(gy[at + k]);
      sum += p.logarithm ? g : g * float(y[at + k]);
    });
    sum = group_sum<kGroup>(sum);
    for_lane_channels<kGroup>(channels, [&](int64_t k) {
      const float yk = float(y[at + k]), g = float(gy[at + k]);
      gx[at + k] = T(p.logarithm ? g - expf(yk) * sum : yk * (g - sum));
    });
  });
}

}  // namespace

void softmax_forward(Cuda on, const SoftmaxProblem& p, View x, View y) {
  on_dtype(x.dtype, [&]<class T>() {
    on_voxel_group(p.channels, [&](auto group) {
      constexpr int kGroup = group.value;
      launch<softmax_forward_kernel<T, kGroup>>(on, grid_over_groups(p.voxels, kGroup), p, x.as<T>(), y.as<T>());
    });
  });
}

void softmax_backward(Cuda on, const SoftmaxProblem& p, View y, View gy, View gx) {
  on_dtype(y.dtype, [&]<class T>() {
    on_voxel_group(p.channels, [&](auto group) {
      constexpr int kGroup = group.value;
      launch<softmax_backward_kernel<T, kGroup>>(on, grid_over_groups(p.voxels, kGroup), p, y.as<T>(), gy.as<T>(), gx.as<T>());
    });
  });
}

}  // namespace voxgrad
