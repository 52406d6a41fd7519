#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// x is {samples, voxels, channels}; a statistic is over the voxels of a sample and the channels / groups channels of a group.
// instance: groups = channels; batch: samples = 1, groups = channels; layer: every voxel a sample, groups = 1.
// y = act(z), z = (x - mean) rstd scale + shift + skip, act(z) = z > 0 ? z : slope z.
struct NormProblem {
  int64_t samples = 1, voxels = 1, channels = 1, groups = 1;
  double eps = 1e-5, slope = 1;
  bool constant_statistics = false;  // of running statistics: they have no gradient
};

// Running statistics {channels} to be moved towards those of x; null where there are none.
struct NormRunning {
  View mean, variance;
  double momentum = 0;
};

// stats {3, samples, groups} of accum_of(x): the mean, what rounding the mean lost, 1 / sqrt(variance + eps).
void norm_statistics(Cpu, const NormProblem&, View x, View stats, const NormRunning&);
void norm_statistics(Cuda, const NormProblem&, View x, View stats, const NormRunning&);
// The same numbers from running statistics.
void norm_constant_statistics(Cpu, const NormProblem&, const NormRunning&, View stats);
void norm_constant_statistics(Cuda, const NormProblem&, const NormRunning&, View stats);

// scale, shift, skip may be null. y is assigned.
void norm_apply(Cpu, const NormProblem&, View x, View stats, View scale, View shift, View skip, View y);
void norm_apply(Cuda, const NormProblem&, View x, View stats, View scale, View shift, View skip, View y);

// coefficients {times, samples, 3, channels} of accum_of(x): per sample and channel mean, factor, offset with z = (x - mean) factor +
// offset; several times the same, so that those of a batch are there for each of its samples.
void norm_coefficients(Cpu, const NormProblem&, View stats, View scale, View shift, View coefficients, int64_t times = 1);
void norm_coefficients(Cuda, const NormProblem&, View stats, View scale, View shift, View coefficients, int64_t times = 1);

// y: the output where there was a skip, else null (z is recomputed). Gradients are assigned; null ones are not computed.
// out.x may be gy. On CUDA, but for statistics of single rows, more is added to out.x, whose memory it may have. sums {samples, channels,
// 2} of f64: of g and g xhat, g = gy act'(z), where somebody has taken them, or null.
struct NormGradients {
  View x, scale, shift, skip, more = {};
};
void norm_backward(Cpu, const NormProblem&, View x, View y, View gy, View stats, View scale, View shift, const NormGradients&);
void norm_backward(Cuda, const NormProblem&, View x, View y, View gy, View stats, View scale, View shift, const NormGradients&,
                   View sums = {});

}  // namespace voxgrad
