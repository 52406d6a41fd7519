#pragma once
#include "layers/inverse/linear_map.h"

// Images from measurements y = A x + noise, by iterations that start at 0. Nothing is recorded for gradients.
namespace voxgrad {

struct CglsOptions {
  int iterations = 30;
  double tolerance = 1e-6;   // ends where |A'(y - A x)| falls below this part of |A' y|
  double regularization = 0; // adds its half times |x|^2 to what is minimised
};
// The x of least |A x - y|^2 / 2, by conjugate gradients on the normal equations (Hestenes and Stiefel 1952).
Tensor cgls(const LinearMap&, const Tensor& y, const CglsOptions& = {});

struct SirtOptions {
  int iterations = 100;
  double relaxation = 1;      // in (0, 2)
  bool non_negative = false;  // values below 0 become 0 after each iteration
};
// x <- x + relaxation C A' R (y - A x), R and C being one over the sums of the rows and of the columns of A, 0 where these are 0
// (Gregor and Benson 2008). A has no negative coefficients.
Tensor sirt(const LinearMap&, const Tensor& y, const SirtOptions& = {});

struct TotalVariationOptions {
  double weight = 0.01;       // lambda, in units of |A|^2 times those of the image
  int iterations = 200;
  int axes = 2;               // of space along which the image varies: 2 are H and W, 3 are D, H and W
  bool non_negative = false;
};
// The x of least |A x - y|^2 / 2 + lambda |A|^2 sum over voxels |gradient of x|, by the primal-dual iterations of Chambolle and Pock (2011)
// with A scaled to norm 1. All channels of a voxel (real and imaginary part) share one norm.
Tensor total_variation(const LinearMap&, const Tensor& y, const TotalVariationOptions& = {});

struct WaveletOptions {
  double weight = 0.01;   // lambda, in units of |A|^2 times those of the image
  int iterations = 100;
  int levels = 4;         // at most; an axis is halved as long as its extent is even
  int axes = 2;           // as of total variation
  uint64_t seed = 1;      // of the shifts
};
// The x of least |A x - y|^2 / 2 + lambda |A|^2 |W x|_1, W being Daubechies' orthogonal wavelets of four taps, wrapped around, by FISTA
// (Beck and Teboulle 2009). The image is shifted at random before each W, so that no grid shows (Coifman and Donoho 1995). The magnitude of
// a complex coefficient is thresholded.
Tensor wavelet_sparse(const LinearMap&, const Tensor& y, const WaveletOptions& = {});

}  // namespace voxgrad
