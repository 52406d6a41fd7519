#include "core/cuda/launch.h"
#include "core/cuda/reduce.h"
#include "core/cuda/step_memory.h"
#include "kernels/class_loss/class_loss_formulas.h"

namespace voxgrad {
namespace {

__device__ bool counts(const ClassLoss& p, const void* targets, int64_t row) {
  return p.soft || class_counts(p, static_cast<const int64_t*>(targets)[row]);
}

// partial {2, blocks}: sums of the losses, and how many rows count. A row per thread.
template <class T>
__global__ void class_loss_sums_kernel(ClassLoss p, const T* logits, const void* targets, const float* weights, double* partial,
                                       long long* bad) {
  double sum = 0, rows = 0;
  for (int64_t row : grid_stride(p.rows)) {
    if (counts(p, targets, row)) {
      sum += double(ClassRow<T>(p, row, logits, targets, weights).value());
      rows += 1;
    } else {
      const int64_t label = static_cast<const int64_t*>(targets)[row];
      if (class_is_bad(p, label)) atomicMin(bad, static_cast<long long>(label));
    }
  }
  sum = block_sum(sum);
  rows = block_sum(rows);
  if (threadIdx.x != 0) return;
  partial[blockIdx.x] = sum;
  partial[gridDim.x + blockIdx.x] = rows;
}

__global__ void class_loss_total_kernel(int64_t blocks, const double* partial, float* loss, float* divisor) {
  double sum = 0, rows = 0;
  for (int64_t i = threadIdx.x; i < blocks; i += blockDim.x) {
    sum += partial[i];
    rows += partial[blocks + i];
  }
  sum = block_sum(sum);
  rows = block_sum(rows);
  if (threadIdx.x != 0) return;
  *divisor = float(rows > 0 ? rows : 1.0);
  *loss = float(sum / (rows > 0 ? rows : 1.0));
}

template <class T>
__global__ void class_loss_gradient_kernel(ClassLoss p, const T* logits, const void* targets, const float* weights, const float* divisor,
                                           const float* seed, T* gz, T* gt) {
  const float g = *seed / *divisor;
  for (int64_t row : grid_stride(p.rows)) {
    T* const z = gz ? gz + row * p.classes : nullptr;
    if (counts(p, targets, row)) ClassRow<T>(p, row, logits, targets, weights).gradient(g, z, gt ? gt + row * p.classes : nullptr);
    else
      for (int64_t k = 0; k < p.classes; ++k) z[k] = T(0.f);
  }
}

}  // namespace

int64_t class_loss(Cuda on, const ClassLoss& p, View logits, View targets, View weights, View loss, View divisor) {
  static_assert(kNoBadClass == cuda::Found::kNothing);
  const cuda::Found bad(on);
  const Grid grid = grid_over(p.rows);
  const Scratch partial(on, 2 * grid.x * int64_t(sizeof(double)));
  on_dtype(logits.dtype, [&]<class T>() {
    launch<class_loss_sums_kernel<T>>(on, grid, p, logits.as<T>(), targets.data, weights.as<float>(), partial.as<double>(),
                                      bad.word());
  });
  launch<class_loss_total_kernel>(on, {.threads = 256}, grid.x, partial.as<double>(), loss.as<float>(), divisor.as<float>());
  return p.soft ? kNoBadClass : bad.read();
}

void class_loss_backward(Cuda on, const ClassLoss& p, View logits, View targets, View weights, View divisor, View seed, View gz, View gt) {
  on_dtype(logits.dtype, [&]<class T>() {
    launch<class_loss_gradient_kernel<T>>(on, grid_over(p.rows), p, logits.as<T>(), targets.data, weights.as<float>(), divisor.as<float>(),
                                          seed.as<float>(), gz.as<T>(), gt.as<T>());
  });
}

}  // namespace voxgrad
