#pragma once
#include "core/dtype.h"

namespace voxgrad {

template <class T>
struct SoftmaxSpan {
  int64_t voxels, channels, inner, width;  // width: planar_width(channels)
  accum_t<T>* scratch;                     // 3 width channels
  bool interleaved() const { return inner == 1; }
  int64_t offset(int64_t voxel) const { return interleaved() ? voxel * channels : voxel; }
};

// Kernels over consecutive voxels, whose channels are `inner` elements apart, for one instruction set.
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
