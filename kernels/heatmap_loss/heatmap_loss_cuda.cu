#include "core/cuda/launch.h"
#include "core/cuda/reduce.h"
#include "kernels/heatmap_loss/heatmap_loss_formulas.h"
#include "kernels/heatmap_loss/heatmap_loss_kernels.h"

namespace voxgrad {
namespace {

// partial {2, blocks}: sums of the loss, and how many centres.
template <class T>
__global__ void heatmap_loss_sums_kernel(HeatmapLoss p, const T* logits, const float* target, double* partial) {
  double sum = 0, count = 0;
  for (int64_t i : grid_stride(p.n)) {
    const HeatmapPlace<float> place = {float(p.alpha), float(p.beta), float(logits[i]), target[i]};
    sum += double(place.value());
    count += place.is_centre();
  }
  sum = block_sum(sum);
  count = block_sum(count);
  if (threadIdx.x != 0) return;
  partial[blockIdx.x] = sum;
  partial[gridDim.x + blockIdx.x] = count;
}

__global__ void heatmap_loss_total_kernel(int64_t blocks, const double* partial, float* loss, float* centres) {
  double sum = 0, count = 0;
  for (int64_t i = threadIdx.x; i < blocks; i += blockDim.x) {
    sum += partial[i];
    count += partial[blocks + i];
  }
  sum = block_sum(sum);
  count = block_sum(count);
  if (threadIdx.x != 0) return;
  *centres = float(count > 1 ? count : 1.0);
  *loss = float(sum / (count > 1 ? count : 1.0));
}

template <class T>
__global__ void heatmap_loss_gradient_kernel(HeatmapLoss p, const T* logits, const float* target, const float* centres, const float* seed,
                                             T* gx) {
  const float g = *seed / *centres;
  for (int64_t i : grid_stride(p.n))
    gx[i] = T(g * HeatmapPlace<float>{float(p.alpha), float(p.beta), float(logits[i]), target[i]}.gradient());
}

}  // namespace

void heatmap_loss(Cuda on, const HeatmapLoss& p, View logits, View target, View loss, View centres) {
  const Grid grid = grid_over(p.n);
  const Scratch partial(on, 2 * grid.x * int64_t(sizeof(double)));
  on_dtype(logits.dtype, [&]<class T>() {
    launch<heatmap_loss_sums_kernel<T>>(on, grid, p, logits.as<T>(), target.as<float>(), partial.as<double>());
  });
  launch<heatmap_loss_total_kernel>(on, {.threads = 256}, grid.x, partial.as<double>(), loss.as<float>(), centres.as<float>());
}

void heatmap_loss_backward(Cuda on, const HeatmapLoss& p, View logits, View target, View centres, View seed, View gx) {
  on_dtype(logits.dtype, [&]<class T>() {
    launch<heatmap_loss_gradient_kernel<T>>(on, grid_over(p.n), p, logits.as<T>(), target.as<float>(), centres.as<float>(),
                                            seed.as<float>(), gx.as<T>());
  });
}

}  // namespace voxgrad
