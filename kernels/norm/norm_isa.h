#pragma once
#include "core/dtype.h"

namespace voxgrad {

// A piece of x that is contiguous: element e belongs to lane e % lanes, and lane l to channel l % channels. lanes is a multiple of the
// channels and of 16, so that vectors run along it whatever the number of channels. z = (x - mean[l]) factor[l] + offset[l] (+ skip).
template <class T>
struct NormSpan {
  using A = accum_t<T>;
  int64_t count = 0, lanes = 0, strip = 0;  // strip: lanes that moments and gradient_sums take, from that of x on
  const T *x = nullptr, *skip = nullptr, *y = nullptr, *gy = nullptr;  // y: where given, the sign of z is read off it
  const A *mean = nullptr, *factor = nullptr, *offset = nullptr;
  A slope = 1;
};

// Rows of `channels` elements, each normalised by itself.
template <class T>
struct NormRows {
  using A = accum_t<T>;
  int64_t rows = 0, channels = 0;
  const T *x = nullptr, *gy = nullptr;
  const A *scale = nullptr, *shift = nullptr;  // null: 1 and 0
  A *mean = nullptr, *rest = nullptr, *rstd = nullptr;
  double eps = 0;
};

// Kernels over one span, for one instruction set.
template <class T>
struct NormIsa {
  using A = accum_t<T>;
  // first[l]: element l of x; sum[l], square[l]: sums of x - first[l] and of its square.
  void (*moments)(const NormSpan<T>&, A* first, A* sum, A* square);
  void (*apply)(const NormSpan<T>&, T* y);
  // With g = gy act'(z): sums of g and of g (x - mean).
  void (*gradient_sums)(const NormSpan<T>&, A* sum, A* product);
  // gx = factor g + slope_x[l] (x - mean) + constant[l]; gskip = g where not null.
  void (*gradient)(const NormSpan<T>&, const A* slope_x, const A* constant, T* gx, T* gskip);
  void (*row_statistics)(const NormRows<T>&);
  void (*row_apply)(const NormRows<T>&, T* y);
  // gx is assigned where not null; to gscale[c] and gshift[c] is added.
  void (*row_gradient)(const NormRows<T>&, T* gx, A* gscale, A* gshift);
};

#define VOXGRAD_NORM_ISA(isa)                \
  namespace norm_kernels::isa {                     \
  template <class T> NormIsa<T> kernels();   \
  extern template NormIsa<float> kernels();  \
  extern template NormIsa<double> kernels(); \
  extern template NormIsa<bf16> kernels();   \
  extern template NormIsa<f16> kernels();    \
  }
VOXGRAD_NORM_ISA(baseline)
VOXGRAD_NORM_ISA(avx2)
VOXGRAD_NORM_ISA(avx512)
#undef VOXGRAD_NORM_ISA

}  // namespace voxgrad
