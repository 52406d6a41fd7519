#pragma once
#include "core/dtype.h"
#include "kernels/roi_align/roi_align_kernels.h"

namespace voxgrad {

// Where the taps of a bin begin.
VOXGRAD_HD inline int64_t roi_taps(const RoiAlign& p, int64_t roi, int axis, int64_t bin) {
  const int64_t before = axis == 0 ? 0 : axis == 1 ? p.bins[0] : p.bins[0] + p.bins[1];
  return (roi * (p.bins[0] + p.bins[1] + p.bins[2]) + before + bin) * p.taps;
}

// Element (roi, d, h, w, c) of y: x is that of the roi's image.
template <class T>
VOXGRAD_HD accum_t<T> roi_bin(const RoiAlign& p, const int64_t* voxel, const double* weight, int64_t roi, int64_t d, int64_t h, int64_t w,
                              int64_t c, const T* x) {
  using A = accum_t<T>;
  const int64_t at[3] = {roi_taps(p, roi, 0, d), roi_taps(p, roi, 1, h), roi_taps(p, roi, 2, w)};
  A sum = 0;
  for (int64_t i = at[0]; i < at[0] + p.taps; ++i)
    for (int64_t j = at[1]; j < at[1] + p.taps; ++j) {
      const A outer = A(weight[i]) * A(weight[j]);
      const int64_t row = (voxel[i] * p.size[1] + voxel[j]) * p.size[2];
      A inner = 0;
      for (int64_t k = at[2]; k < at[2] + p.taps; ++k) inner += A(weight[k]) * A(x[(row + voxel[k]) * p.channels + c]);
      sum += outer * inner;
    }
  return sum;
}

// What a bin counts at a voxel of an axis.
template <class A>
VOXGRAD_HD A roi_weight(const RoiAlign& p, const int64_t* voxel, const double* weight, int64_t roi, int axis, int64_t bin, int64_t at) {
  const int64_t begin = roi_taps(p, roi, axis, bin);
  A sum = 0;
  for (int64_t t = begin; t < begin + p.taps; ++t)
    if (voxel[t] == at) sum += A(weight[t]);
  return sum;
}

}  // namespace voxgrad
