#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/isa.h"

namespace voxgrad {

// A depthwise convolution of any stride and dilation along D and of stride and dilation 1 along H and W. Vector i of the channels starts at
// min(i lanes, channels - lanes): where lanes do not divide the channels, the last one overlaps the one before.
struct DepthwiseShape {
  int64_t channels = 0, in_height = 0, in_width = 0, height = 0, width = 0;  // of the inputs and of the outputs
  int64_t kernel_height = 0, kernel_width = 0, taps = 0;
  int64_t low_height = 0, low_width = 0;  // input that the first tap of output 0 reads
};

// A plane of inputs, and the first of the taps that a plane of outputs reads it with.
template <class T>
struct DepthwisePlane {
  const T* x = nullptr;
  int64_t tap = 0;
};

// Rows [first_row, last_row) of a plane of outputs: y = bias + sum over the planes and their taps of w x.
template <class T>
struct DepthwiseRows {
  const DepthwiseShape* shape = nullptr;
  const DepthwisePlane<T>* planes = nullptr;
  int64_t plane_count = 0, first_row = 0, last_row = 0, first_vector = 0, last_vector = 0;
  const accum_t<T>*w = nullptr, *bias = nullptr;  // {vector, tap, lane}, {vector, lane}
  T* y = nullptr;                                 // the plane
};

// sum {vector, tap, lane} += sum over rows [first_row, last_row) of the output gradients gy, which is read as y is written there.
template <class T>
struct DepthwiseWeights {
  const DepthwiseShape* shape = nullptr;
  const DepthwisePlane<T>* planes = nullptr;
  int64_t plane_count = 0, first_row = 0, last_row = 0, first_vector = 0, last_vector = 0;
  accum_t<T>* sum = nullptr;
  const T* gy = nullptr;
};

// The loops for kernels of width 3, 5 and 7.
template <class T>
struct DepthwiseIsa {
  int64_t lanes = 0;
  void (*rows)(const DepthwiseRows<T>&);
  void (*weights)(const DepthwiseWeights<T>&);
};

#define VOXGRAD_DEPTHWISE_ISA(isa)                    \
  namespace depthwise_##isa {                         \
    template <class T>                                \
    DepthwiseIsa<T> kernels();                        \
    extern template DepthwiseIsa<float> kernels();    \
    extern template DepthwiseIsa<double> kernels();   \
    extern template DepthwiseIsa<bf16> kernels();     \
    extern template DepthwiseIsa<f16> kernels();      \
  }
VOXGRAD_DEPTHWISE_ISA(baseline)
VOXGRAD_DEPTHWISE_ISA(avx2)
VOXGRAD_DEPTHWISE_ISA(avx512)
#undef VOXGRAD_DEPTHWISE_ISA

template <class T>
DepthwiseIsa<T> depthwise_isa() {
  return isa() >= Isa::avx512 ? depthwise_avx512::kernels<T>()
         : isa() == Isa::avx2 ? depthwise_avx2::kernels<T>()
                              : depthwise_baseline::kernels<T>();
}

}  // namespace voxgrad
