#pragma once
#include "core/device/isa.h"
#include "core/dtype.h"

namespace voxgrad {

// y[i] = x[i] for i < n: to f32, and rounded to nearest even.
#define VOXGRAD_SPANS_ISA(SET)                     \
  namespace span_kernels::SET {                    \
  void widen(const bf16* x, int64_t n, float* y);  \
  void widen(const f16* x, int64_t n, float* y);   \
  void narrow(const float* x, int64_t n, bf16* y); \
  void narrow(const float* x, int64_t n, f16* y);  \
  }
VOXGRAD_SPANS_ISA(baseline)
VOXGRAD_SPANS_ISA(avx2)
VOXGRAD_SPANS_ISA(avx512)
#undef VOXGRAD_SPANS_ISA

}  // namespace voxgrad
