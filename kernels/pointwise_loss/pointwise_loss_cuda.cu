#include "core/cuda/launch.h"
#include "core/cuda/reduce.h"
#include "kernels/pointwise_loss/loss_formulas.h"

namespace voxgrad {
namespace {
using namespace loss_formula;

// What the loss of element i counts.
template <class A>
struct LossWeights {
  const A *weight, *positive;
  int64_t channels;
  VOXGRAD_HD A of(int64_t i) const { return weight ? weight[i] : A(1); }
  VOXGRAD_HD A positive_of(int64_t i) const { return positive ? positive[i % channels] : A(1); }
};

template <class T, class F>
__global__ void pointwise_loss_each_kernel(PointwiseLoss p, F f, LossWeights<float> w, const T* x, const T* t, T* y) {
  for (int64_t i : grid_stride(p.n)) y[i] = T(float(p.scale) * (w.of(i) * f.value(float(x[i]), float(t[i]), w.positive_of(i))));
}

// partial: one sum per block.
template <class T, class F>
__global__ void pointwise_loss_sums_kernel(PointwiseLoss p, F f, LossWeights<float> w, const T* x, const T* t, double* partial) {
  double sum = 0;
  for (int64_t i : grid_stride(p.n)) sum += double(w.of(i) * f.value(float(x[i]), float(t[i]), w.positive_of(i)));
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void pointwise_loss_total_kernel(double scale, int64_t blocks, const double* partial, float* y) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < blocks; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *y = float(scale * sum);
}

template <class T, class F>
__global__ void pointwise_loss_gradient_kernel(PointwiseLoss p, F f, LossWeights<float> w, const T* x, const T* t, const void* gy, T* gx,
                                               T* gt) {
  for (int64_t i : grid_stride(p.n)) {
    const float seed = p.reduced ? *static_cast<const float*>(gy) : float(static_cast<const T*>(gy)[i]);
    const float g = float(p.scale) * seed * w.of(i), c = w.positive_of(i);
    if (gx) gx[i] = T(g * f.by_x(float(x[i]), float(t[i]), c));
    if (gt) gt[i] = T(g * f.by_t(float(x[i]), float(t[i]), c));
  }
}

LossWeights<float> weights_of(const PointwiseLoss& p, View weight, View positive) {
  return {weight.as<float>(), positive.as<float>(), p.channels};
}

}  // namespace

void pointwise_loss(Cuda on, const PointwiseLoss& p, View x, View target, View weight, View positive, View y) {
  const LossWeights<float> w = weights_of(p, weight, positive);
  const Grid grid = grid_over(p.n);
  const Scratch partial(on, (grid.x + 1) * int64_t(sizeof(double)));
  on_dtype(x.dtype, [&]<class T>() {
    on_formula<float>(p, [&](auto f) {
      using F = decltype(f);
      if (p.reduced) launch<pointwise_loss_sums_kernel<T, F>>(on, grid, p, f, w, x.as<T>(), target.as<T>(), partial.as<double>());
      else launch<pointwise_loss_each_kernel<T, F>>(on, grid, p, f, w, x.as<T>(), target.as<T>(), y.as<T>());
    });
  });
  if (p.reduced) launch<pointwise_loss_total_kernel>(on, {.threads = 256}, p.scale, grid.x, partial.as<double>(), y.as<float>());
}

void pointwise_loss_backward(Cuda on, const PointwiseLoss& p, View x, View target, View weight, View positive, View gy, View gx, View gt) {
  const LossWeights<float> w = weights_of(p, weight, positive);
  on_dtype(x.dtype, [&]<class T>() {
    on_formula<float>(p, [&](auto f) {
      using F = decltype(f);
      launch<pointwise_loss_gradient_kernel<T, F>>(on, grid_over(p.n), p, f, w, x.as<T>(), target.as<T>(), gy.data, gx.as<T>(), gt.as<T>());
    });
  });
}

}  // namespace voxgrad
