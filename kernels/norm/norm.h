#pragma once
#include "core/tensor.h"

// Normalisation of x {N, .., C} over statistic axes, then an affine map per channel:
//   y = (x - mean) / sqrt(variance + eps) scale[c] + shift[c],   variance the mean of (x - mean)^2.
// scale, shift: {C} of accum_of(x.dtype), or absent (1 and 0). Statistics are f32 beside f32, bf16 and f16 (combined in f64, exact also
// where the mean is far above the deviation). Saves x and three numbers per statistic. Determined by shape alone: bitwise the same for any
// number of threads.
namespace voxgrad {

struct NormOptions {
  double eps = 1e-5;
};

// Over the voxels of each sample and channel. Ulyanov et al. 2016.
Tensor instance_norm(const Tensor& x, const Tensor& scale = {}, const Tensor& shift = {}, const NormOptions& = {});

// Over the voxels of each sample and group of C / groups neighbouring channels. Wu and He 2018.
struct GroupNormOptions {
  int groups = 8;
  double eps = 1e-5;
};
Tensor group_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const GroupNormOptions&);

// Over the channels of each voxel. Ba et al. 2016.
Tensor layer_norm(const Tensor& x, const Tensor& scale = {}, const Tensor& shift = {}, const NormOptions& = {});

// Over samples and voxels of each channel. Ioffe and Szegedy 2015. running_mean and running_variance {C} (both or neither present) are not
// differentiated. Training: the statistics of x are used, and running = (1 - momentum) running + momentum (statistic of x), with the
// unbiased variance, as PyTorch. Otherwise the running ones are used.
struct BatchNormOptions {
  double eps = 1e-5, momentum = 0.1;
  bool training = true;
};
struct RunningStatistics {
  Tensor mean, variance;
};
Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const RunningStatistics&, const BatchNormOptions& = {});
// The running statistics as a batch norm without training saves them, {3, 1, C}.
Tensor constant_statistics(const RunningStatistics&, double eps);
// The statistics of x for a batch norm in training, as it saves them, {3, 1, C}: for those who are given them (kernels/norm_act,
// kernels/conv3d_fused). Running ones are moved.
Tensor batch_statistics(const Tensor& x, const RunningStatistics&, const BatchNormOptions& = {});

}  // namespace voxgrad
