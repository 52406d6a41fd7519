#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/device/isa.h"

namespace voxgrad {

// 1x1x1 convolutions with few channels on one side, such as heads: rows of x {rows, inputs} become rows of y {rows, outputs}, both where
// they are. w {few, many}, bias {outputs}.
template <class T>
struct PointwiseRows {
  const T* x = nullptr;
  T* y = nullptr;
  int64_t rows = 0, inputs = 0, outputs = 0;
  const accum_t<T>*w = nullptr, *bias = nullptr;
  bool stream = false;  // few_inputs: y is written past the caches; its vectors are whole aligned cache lines
};

constexpr int64_t kFewChannels = 4;

template <class T>
struct PointwiseIsa {
  int64_t lanes = 0;
  void (*few_outputs)(const PointwiseRows<T>&);  // at most kFewChannels; inputs are a multiple of lanes
  void (*few_inputs)(const PointwiseRows<T>&);   // the other way round
};

#define VOXGRAD_POINTWISE_ISA(isa)                  \
  namespace pointwise_kernels::isa {                       \
    template <class T>                              \
    PointwiseIsa<T> kernels();                      \
    extern template PointwiseIsa<float> kernels();  \
    extern template PointwiseIsa<double> kernels(); \
    extern template PointwiseIsa<bf16> kernels();   \
    extern template PointwiseIsa<f16> kernels();    \
  }
VOXGRAD_POINTWISE_ISA(baseline)
VOXGRAD_POINTWISE_ISA(avx2)
VOXGRAD_POINTWISE_ISA(avx512)
VOXGRAD_POINTWISE_ISA(avx512_bf16)
#undef VOXGRAD_POINTWISE_ISA

template <class T>
PointwiseIsa<T> pointwise_isa() {
  return VOXGRAD_BY_ISA_BF16(pointwise_kernels, kernels<T>());
}

}  // namespace voxgrad
