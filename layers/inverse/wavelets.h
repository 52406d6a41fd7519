#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Daubechies' orthogonal wavelets of four taps (Daubechies 1988), wrapped around, along the last `axes` axes of space of {N, D, H, W, C}: a
// level splits each axis of even extent into its coarse half and its details. bands[0] is what is coarse in the end, the others are details
// from fine to coarse. The transform is orthogonal: its inverse is its adjoint.
struct WaveletBands {
  std::vector<Tensor> bands;
  Shape shape;  // of the image
  int axes = 2, levels = 1;
};
WaveletBands wavelet_transform(const Tensor& x, int levels, int axes = 2);
Tensor wavelet_inverse(const WaveletBands&);

}  // namespace voxgrad
