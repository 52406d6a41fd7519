#include "core/cuda/launch.h"
#include "kernels/box_iou/box_formulas.h"
#include "kernels/box_iou/box_iou_kernels.h"

namespace voxgrad {
namespace {

__global__ void box_iou_pairs_kernel(BoxIou p, const float* a, const float* b, float* y) {
  for (int64_t i : grid_stride(p.n * p.m)) {
    const BoxPair<float> pair{a + 6 * (i / p.m), b + 6 * (i % p.m)};
    y[i] = p.generalized ? pair.giou() : pair.iou();
  }
}

__global__ void box_iou_giou_kernel(int64_t n, const float* a, const float* b, float* y) {
  for (int64_t i : grid_stride(n)) y[i] = 1.f - BoxPair<float>{a + 6 * i, b + 6 * i}.giou();
}

__global__ void box_iou_gradient_kernel(int64_t n, const float* a, const float* b, const float* gy, float* ga, float* gb) {
  for (int64_t i : grid_stride(n)) {
    float of_a[6] = {}, of_b[6] = {};
    BoxPair<float>{a + 6 * i, b + 6 * i}.add_gradient(gy[i], of_a, of_b);
    for (int k = 0; k < 6; ++k) {
      if (ga) ga[6 * i + k] = of_a[k];
      if (gb) gb[6 * i + k] = of_b[k];
    }
  }
}

}  // namespace

void box_iou(Cuda on, const BoxIou& p, View a, View b, View y) {
  launch<box_iou_pairs_kernel>(on, grid_over(p.n * p.m), p, a.as<float>(), b.as<float>(), y.as<float>());
}

void giou_loss(Cuda on, int64_t n, View a, View b, View y) {
  launch<box_iou_giou_kernel>(on, grid_over(n), n, a.as<float>(), b.as<float>(), y.as<float>());
}

void giou_loss_backward(Cuda on, int64_t n, View a, View b, View gy, View ga, View gb) {
  launch<box_iou_gradient_kernel>(on, grid_over(n), n, a.as<float>(), b.as<float>(), gy.as<float>(), ga.as<float>(), gb.as<float>());
}

}  // namespace voxgrad
