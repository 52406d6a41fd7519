#pragma once
#include "core/device/isa.h"
#include "kernels/pointwise_loss/pointwise_loss_kernels.h"

namespace voxgrad {

// The loops of a formula over n elements, for one instruction set, in A = f32 or f64: weight[i] times the loss or its derivatives.
template <class A>
struct PointwiseLossIsa {
  struct Span {
    const A *x, *target, *weight, *positive;
    int64_t n;
  };
  void (*value)(const PointwiseLoss&, const Span&, A* y);
  void (*by_x)(const PointwiseLoss&, const Span&, A* gx);
  void (*by_target)(const PointwiseLoss&, const Span&, A* gt);
};

#define VOXGRAD_POINTWISE_LOSS_ISA(isa)               \
  namespace pointwise_loss_kernels::isa {             \
  template <class A>                                  \
  PointwiseLossIsa<A> kernels();                      \
  extern template PointwiseLossIsa<float> kernels();  \
  extern template PointwiseLossIsa<double> kernels(); \
  }
VOXGRAD_POINTWISE_LOSS_ISA(baseline)
VOXGRAD_POINTWISE_LOSS_ISA(avx2)
VOXGRAD_POINTWISE_LOSS_ISA(avx512)
#undef VOXGRAD_POINTWISE_LOSS_ISA

}  // namespace voxgrad
