#pragma once
#include <cstdint>

#include "core/device/isa.h"
#include "core/dtype.h"

namespace voxgrad {

// The transforms along one axis for one instruction set, in A = f32 or f64. Of the even taps product 2 f is that of frequency f < 7, of the
// odd ones 2 f + 1 that of f < 6.
template <class A>
struct PolyphaseIsa {
  // Inputs 0 to 12 of a tile, in columns of `rows` rows, a multiple of the lanes: input i of row r is columns[i column_step + r], and goes
  // into to[p product_step + r] of the products p.
  void (*inputs)(const A* columns, int64_t column_step, int64_t rows, A* to, int64_t product_step);
  // y[i y_step + k] = bias[k] + output i of the sums of products m[f frequency_step + k], for `vectors` vectors of k.
  void (*outputs)(const A* m, int64_t frequency_step, int64_t vectors, const A* bias, A* y, int64_t y_step);
  // One vector: u[p step] of the taps s at w[offset[s]].
  void (*weights)(const A* w, const int64_t* offset, A* u, int64_t step);
  // The transpose of outputs: to[f frequency_step + k] of gy[i y_step + k], for `vectors` vectors of k.
  void (*gradients)(const A* gy, int64_t y_step, int64_t vectors, A* to, int64_t frequency_step);
  // That of weights: one vector of each tap s, w[s w_step], of u[p step].
  void (*restore)(const A* u, int64_t step, A* w, int64_t w_step);
};

#define VOXGRAD_POLYPHASE_ISA(isa)                  \
  namespace polyphase_kernels::isa {                \
  template <class A>                                \
  PolyphaseIsa<A> kernels();                        \
  extern template PolyphaseIsa<float> kernels();    \
  extern template PolyphaseIsa<double> kernels();   \
  }
VOXGRAD_POLYPHASE_ISA(baseline)
VOXGRAD_POLYPHASE_ISA(avx2)
VOXGRAD_POLYPHASE_ISA(avx512)
#undef VOXGRAD_POLYPHASE_ISA

template <class A>
PolyphaseIsa<A> polyphase_isa() {
  return VOXGRAD_BY_ISA(polyphase_kernels, kernels<A>());
}

}  // namespace voxgrad
