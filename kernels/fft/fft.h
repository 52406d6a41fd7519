#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Complex images are tensors {N, D, H, W, 2 C}: channels 2 c and 2 c + 1 are the real and the imaginary part of component c (a coil), which
// is the memory of {N, D, H, W, C, 2}. They pass through convolutions as they are.

// The centred orthonormal discrete Fourier transform over the last `axes` axes of space: 1 is W, 2 are H and W, 3 are D, H and W, of any
// extents. Along an axis of extent n, with c = n / 2 rounded down,
//   y[k] = 1 / sqrt(n) sum_j x[j] exp(-2 pi i (j - c) (k - c) / n),
// which is fftshift(fft(ifftshift(x), norm="ortho")), fastMRI's fft2c: frequency 0 is in the middle. ifft is its inverse and its adjoint.
// x is f32 or f64. Saves nothing.
Tensor fft(const Tensor& x, int axes = 2);
Tensor ifft(const Tensor& x, int axes = 2);

}  // namespace voxgrad
