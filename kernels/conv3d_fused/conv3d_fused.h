#pragma once
#include <vector>

#include "kernels/conv3d/conv3d.h"

namespace voxgrad {

// An input of a fused convolution: x {N, D, H, W, C} or, normalised, z = act(norm(x) scale + shift), act(z) = z > 0 ? z : slope z, with
// scale and shift {C} or absent. The norm is an instance norm, with groups that group norm or, of_batch, a batch norm: in training, or by
// constant statistics. z is computed where x is read and never stored, in the forward pass and for the weight gradient.
struct ConvSource {
  Tensor x;
  bool normalised = false;
  Tensor scale = {}, shift = {};
  double slope = 1, eps = 1e-5;
  Tensor stats = {};         // of x, where they are known already (ConvStatistics, with the same eps and groups); of_batch always
  Tensor coefficients = {};  // of with_statistics()
  int groups = 0;            // of a group norm
  bool of_batch = false;     // whose statistics are batch_statistics() of x, or ConvStatistics
  bool constant = false;     // of_batch, by constant_statistics(): they have no gradient
  // Absent, or x is their concatenation along the channels: they are kept in place of x, which is made again for gradients.
  std::vector<Tensor> parts = {};
};

// What follows the sum: y = act(sum + residual), act(z) = z > 0 ? z : slope z; the residual is as y, or absent. While y is stored, so that
// neither has a pass of its own.
struct ConvTail {
  Tensor residual = {};
  double slope = 1;
  ConvStatistics* statistics = nullptr;  // to be taken of y
};

// conv3d(concat(sources along the channels), w, b, options) with one group, and its tail; neither the concatenation nor normalised inputs
// are stored.
// Saves the x, or the parts, of every source, w, three numbers per normalised channel and sample, and y where it is activated. On CUDA the
// kernels of tensor cores read so from two sources at most, the first of them of whole pieces of 16 bytes of channels (by wgmma 64, and of
// the last 16), on the CPU all but those of a dilation that does not divide the volume and, through batch norms, of up to 512 outputs of a
// channel; elsewhere it is the composition of those ops, but for the tail.
Tensor conv3d_fused(const std::vector<ConvSource>& sources, const Tensor& w, const Tensor& b = {}, const Conv3dOptions& = {},
                    const ConvTail& = {});

// The input itself, stored: x, or z.
Tensor evaluate(const ConvSource&);

// For outputs that are computed in slabs, at inference: the source with the statistics of its norm taken once, so that planes_of can cut
// it. On CUDA it is stored instead. An Error where it would have to be recorded.
ConvSource with_statistics(const ConvSource&);
// Planes [begin, end) along D of a source {1, D, H, W, C} that has its statistics.
ConvSource planes_of(const ConvSource&, int64_t begin, int64_t end);

}  // namespace voxgrad
