#pragma once
#include "core/device/isa.h"
#include "kernels/class_loss/class_loss_kernels.h"

namespace voxgrad {

// Some rows, side by side: plane k of z and t has class k of all of them.
template <class A>
struct ClassTile {
  static constexpr int64_t kRows = 32;
  const A *z, *t;        // {classes, kRows}; t: of soft targets
  const int64_t* label;  // {kRows}, of labels
  const A* weight;       // soft targets: {classes}; labels: {kRows}, each row's
};

// For one instruction set: the losses {kRows}, and g times their gradients {classes, kRows}. A null gradient is not computed.
template <class A>
struct ClassLossIsa {
  void (*values)(const ClassLoss&, const ClassTile<A>&, A* loss);
  void (*gradients)(const ClassLoss&, const ClassTile<A>&, A g, A* gz, A* gt);
};

#define VOXGRAD_CLASS_LOSS_ISA(isa)               \
  namespace class_loss_kernels::isa {             \
  template <class A>                              \
  ClassLossIsa<A> kernels();                      \
  extern template ClassLossIsa<float> kernels();  \
  extern template ClassLossIsa<double> kernels(); \
  }
VOXGRAD_CLASS_LOSS_ISA(baseline)
VOXGRAD_CLASS_LOSS_ISA(avx2)
VOXGRAD_CLASS_LOSS_ISA(avx512)
#undef VOXGRAD_CLASS_LOSS_ISA

}  // namespace voxgrad
