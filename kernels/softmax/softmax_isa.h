#pragma once
#include "core/dtype.h"

namespace voxgrad {

template <class T>
struct SoftmaxSpan {
  int64_t voxels, channels, width;  // width: planar_width(channels)
  accum_t<T>* scratch;              // 3 width channels
};

// Kernels over consecutive voxels, for one instruction set.
template <class T>
struct SoftmaxIsa {
  void (*forward)(const SoftmaxSpan<T>&, bool logarithm, const T* x, T* y);
  void (*backward)(const SoftmaxSpan<T>&, bool logarithm, const T* y, const T* gy, T* gx);
};

#define VOXGRAD_SOFTMAX_ISA(isa)                \
  namespace softmax_kernels::isa {                     \
  template <class T> SoftmaxIsa<T> kernels();   \
  extern template SoftmaxIsa<float> kernels();  \
  extern template SoftmaxIsa<double> kernels(); \
  extern template SoftmaxIsa<bf16> kernels();   \
  extern template SoftmaxIsa<f16> kernels();    \
  }
VOXGRAD_SOFTMAX_ISA(baseline)
VOXGRAD_SOFTMAX_ISA(avx2)
VOXGRAD_SOFTMAX_ISA(avx512)
#undef VOXGRAD_SOFTMAX_ISA

}  // namespace voxgrad
