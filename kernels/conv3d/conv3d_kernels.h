#pragma once
#include <memory>

#include "core/device/execution.h"
#include "core/shape.h"
#include "core/view.h"
#include "kernels/norm/norm_kernels.h"

namespace voxgrad {

// One convolution x {n, in, c} -> y {n, out, k} with w {k, kernel, c / groups}. `out` is given, not derived: positions beyond x read zeros.
struct Conv3dProblem {
  int64_t n = 1, c = 1, k = 1;
  int groups = 1;
  Int3 in, out, kernel, stride, padding{0, 0, 0}, dilation;
  bool exact_f32 = false;  // on CUDA: no tf32
  bool cudnn = false;      // on CUDA: by the kernels of cuDNN
  int64_t w_channels = 0;  // of the weight in memory, where x is one part of the channels that it reads; 0: c / groups

  int64_t in_voxels() const { return n * in.d * in.h * in.w; }
  int64_t out_voxels() const { return n * out.d * out.h * out.w; }
  int64_t taps() const { return int64_t(kernel.d) * kernel.h * kernel.w; }
  int64_t weights() const { return k * taps() * (c / groups); }
};

// One of the tensors whose concatenation along the channels is convolved: x {n, in, channels} or, with coefficients {n, 3, channels} of
// accum_of(x), z = act((x - mean) factor + offset), act(z) = z > 0 ? z : slope z, which is never stored.
struct ConvPart {
  View x;
  int64_t channels = 0;
  View coefficients = {};
  double slope = 1;
  bool of_batch = false;  // of a batch norm: the coefficients of all samples are the same
};

// Statistics {3, n, groups} of y as those of a norm with groups of its k channels (kernels/norm; of an instance norm k), taken as y is
// written; null where they are not wanted. Of a batch norm {3, 1, k}, of all samples, and running ones, if any, are moved.
struct WrittenStatistics {
  View stats;
  double eps = 0;
  int64_t groups = 0;
  bool of_batch = false;
  NormRunning running = {};
};

// What a convolution makes of its sums: y = act(norm(sum + bias) + residual), norm(z) = (z - mean) factor + offset with coefficients
// {3, k} of accum_of(y), act(z) = z > 0 ? z : slope z. Without coefficients norm is nothing; bias and residual (as y) may be null. The sum
// is rounded to the type of y before norm, so that this is the composition, bit by bit.
struct ConvOutput {
  View y, bias = {}, coefficients = {}, residual = {};
  double slope = 1;
  WrittenStatistics statistics = {};  // of y, on CUDA
  bool ends() const { return coefficients || residual || slope != 1; }
};

// Sums for the backward pass of a norm (kernels/norm): {n, c, 2} in f64, per sample and channel of g and g xhat, g = gx act'(z), where the
// convolution reads z = act(norm(x)) of the part x (ConvPart), and stats {3, n, groups} are those of its norm. Taken as gx is written. Of
// a batch norm {1, c, 2} and {3, 1, c}.
struct WrittenSums {
  ConvPart part;
  View stats, sums;
  int64_t groups = 0;
};

// Whether there are kernels that take them, of x of this dtype.
bool conv3d_takes_statistics(Cuda, const Conv3dProblem&, DType x);
inline bool conv3d_takes_statistics(Cpu, const Conv3dProblem&, DType) { return false; }
bool conv3d_takes_sums(Cuda, const Conv3dProblem&, DType x);

// x, y and their gradients share a dtype T; weights, biases and their gradients are accum_t<T>. Results are assigned.
// y = conv(x, w) + b; b may be null.
void conv3d_forward(Cpu, const Conv3dProblem&, View x, View w, View b, View y);
void conv3d_forward(Cuda, const Conv3dProblem&, View x, View w, View b, View y, const WrittenStatistics& = {});
// gx = adjoint of conv in x, applied to gy, + b over the c channels; b may be null. Also the forward pass of the transposed convolution.
// + residual, as gx, or null. On CUDA it may have the memory of gx, and then there are no sums; not by cuDNN.
void conv3d_input_gradient(Cpu, const Conv3dProblem&, View gy, View w, View b, View gx, View residual = {});
void conv3d_input_gradient(Cuda, const Conv3dProblem&, View gy, View w, View b, View gx, const WrittenSums& = {},
                           View residual = {});
// The same of `count` parts, on the CPU. kept: a place for what is made of the weights alone, for the next call with these weights
// and this problem; or null.
void conv3d_forward(Cpu, const Conv3dProblem&, const ConvPart* parts, int64_t count, View w, const ConvOutput& y,
                    std::shared_ptr<void>* kept = nullptr);
// On CUDA there are kernels that read parts, of some shapes: whether they do, forward and in the gradient of weights, which is that of all
// parts at once.
bool conv3d_reads_parts(Cuda, const Conv3dProblem&, const ConvPart* parts, int64_t count);
// On the CPU all kernels do: whether normalised parts are read by the same ones.
bool conv3d_reads_normalised(Cpu, const Conv3dProblem&);
void conv3d_forward(Cuda, const Conv3dProblem&, const ConvPart* parts, int64_t count, View w, const ConvOutput& y);
void conv3d_weight_gradient(Cuda, const Conv3dProblem&, const ConvPart* parts, int64_t count, View gy, View gw);
// gw[k, t, c] = sum over samples and voxels of x gy.
void conv3d_weight_gradient(Cpu, const Conv3dProblem&, const ConvPart& x, View gy, View gw);
void conv3d_weight_gradient(Cpu, const Conv3dProblem&, View x, View gy, View gw);
void conv3d_weight_gradient(Cuda, const Conv3dProblem&, View x, View gy, View gw);
// gb[k] = sum over the rows of g {rows, channels}.
void conv3d_bias_gradient(Cpu, int64_t rows, int64_t channels, View g, View gb);
void conv3d_bias_gradient(Cuda, int64_t rows, int64_t channels, View g, View gb);

}  // namespace voxgrad
