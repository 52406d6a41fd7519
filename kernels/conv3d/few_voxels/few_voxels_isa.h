#pragma once
#include <cstdint>

#include "core/device/isa.h"
#include "core/dtype.h"

namespace voxgrad {

// An output and an input that a tap connects, as numbers of voxels of all samples.
struct FewPair {
  int64_t out, in;
};
// A tap of the kernel: where its weights start, and its pairs.
struct FewTap {
  int64_t w;
  const FewPair* pairs;
  int64_t count;
};
struct FewTaps {
  const FewTap* taps;
  int64_t count;
};

// y[out][k] += sum over the pairs and c < inputs of x[in][c] w[k w_step + tap.w + c], for k < outputs.
template <class A>
struct FewDots {
  FewTaps taps;
  const A *x = nullptr, *w = nullptr;
  int64_t x_step = 0, w_step = 0, inputs = 0, outputs = 0, voxels = 0;  // elements between voxels, and between outputs
  A* sums = nullptr;  // scratch: {voxels, FewIsa::outputs} vectors
  A* y = nullptr;
  int64_t y_step = 0;
};

// y[out][l] += sum over the pairs and k < inputs of x[in][k] w[k w_step + tap.w + l], for l < vectors of lanes.
template <class A>
struct FewSpread {
  FewTaps taps;
  const A *x = nullptr, *w = nullptr;
  int64_t x_step = 0, w_step = 0, inputs = 0, vectors = 0;
  A* y = nullptr;
  int64_t y_step = 0;
};

// gw[k w_step + tap.w + c] = sum over the pairs of gy[out][k] x[in][c], for k < outputs and c < vectors of lanes.
template <class A>
struct FewOuter {
  FewTaps taps;
  const A *x = nullptr, *gy = nullptr;
  int64_t x_step = 0, gy_step = 0, w_step = 0, outputs = 0, vectors = 0;
  A* gw = nullptr;
  bool streamed = false;  // gw, of whole aligned lines, is written past the caches
};

template <class A>
struct FewIsa {
  int64_t lanes = 0;
  int64_t outputs = 0;  // at most, of a call of dots
  void (*dots)(const FewDots<A>&);
  void (*spread)(const FewSpread<A>&);
  void (*outer)(const FewOuter<A>&);
};

#define VOXGRAD_FEW_ISA(isa)                             \
  namespace few_voxels_kernels::isa {                    \
    template <class A>                                   \
    FewIsa<A> kernels();                                 \
    extern template FewIsa<float> kernels<float>();      \
    extern template FewIsa<double> kernels<double>();    \
  }
VOXGRAD_FEW_ISA(baseline)
VOXGRAD_FEW_ISA(avx2)
VOXGRAD_FEW_ISA(avx512)
#undef VOXGRAD_FEW_ISA

template <class A>
FewIsa<A> few_isa() {
  return VOXGRAD_BY_ISA(few_voxels_kernels, kernels<A>());
}

}  // namespace voxgrad
