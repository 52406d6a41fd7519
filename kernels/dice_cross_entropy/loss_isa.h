#pragma once
#include "core/dtype.h"

namespace voxgrad {

// Consecutive voxels of one sample. label: one per voxel, -1 where it is ignored. With p = softmax(logits), t the one-hot label, w the
// class weights, s the label smoothing.
template <class T>
struct LossSpan {
  using A = accum_t<T>;
  int64_t voxels, channels, width;  // width: planar_width(channels)
  const T* logits;
  const int32_t* label;
  const A* weights;                 // {channels}
  double weight_sum, smoothing;
  A* scratch;                       // 2 width channels
};

// Sums over the voxels that count.
struct LossSums {
  double cross_entropy = 0;  // (1 - s) w[y] (-ln p[y]) + s / K sum_k w[k] (-ln p[k])
  double weight = 0;         // w[y]
  double* by_channel;        // {3, channels}, assigned: p t, p, t
};

// Gradients of the loss with respect to those sums.
template <class T>
struct LossSlopes {
  accum_t<T> cross_entropy;
  const accum_t<T>*intersection, *prediction;  // {channels}
};

template <class T>
struct LossIsa {
  void (*sums)(const LossSpan<T>&, LossSums&);
  void (*gradient)(const LossSpan<T>&, const LossSlopes<T>&, T* out);
};

#define VOXGRAD_LOSS_ISA(isa)                \
  namespace loss_kernels::isa {                     \
  template <class T> LossIsa<T> kernels();   \
  extern template LossIsa<float> kernels();  \
  extern template LossIsa<double> kernels(); \
  extern template LossIsa<bf16> kernels();   \
  extern template LossIsa<f16> kernels();    \
  }
VOXGRAD_LOSS_ISA(baseline)
VOXGRAD_LOSS_ISA(avx2)
VOXGRAD_LOSS_ISA(avx512)
#undef VOXGRAD_LOSS_ISA

}  // namespace voxgrad
