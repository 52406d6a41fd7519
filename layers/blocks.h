#pragma once
#include <vector>

#include "layers/activation.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "layers/conv.h"
#include "layers/norm.h"

namespace voxgrad {

struct BlockLayer {
  int in = 0, out = 0;
  Int3 kernel = {3, 3, 3}, stride = {1, 1, 1}, dilation = {1, 1, 1};  // padding "same"
  bool bias = true;                                                   // of the convolutions
  NormKind norm = NormKind::instance;
  int groups = 8;  // of the group norm
  Activation activation = {};
};

// conv -> norm -> activation.
struct ConvBlock {
  Conv3d conv;
  Norm norm;
  Activation activation;
  FIELDS(conv, norm)

  ConvBlock() = default;
  ConvBlock(const BlockLayer&, Rng&);
  // skip: added before the activation.
  Tensor operator()(const Tensor& x, const Tensor& skip = {}) const;
  Tensor operator()(const ConvSource&, const Tensor& skip) const;
  // The same of the concatenation of the sources, its norm and activation left to the convolution that reads it where that is possible.
  // To be read once: what is read twice is better stored, by evaluate().
  ConvSource lazily(const std::vector<ConvSource>&) const;

 private:
  Tensor activated(const Tensor& y, const Tensor& skip, const Tensor& stats) const;
};

// Several of them: the first has the stride and changes the channels.
struct ConvStack {
  std::vector<ConvBlock> blocks;
  FIELDS(blocks)

  ConvStack() = default;
  ConvStack(const BlockLayer&, int depth, Rng&);
  Tensor operator()(const Tensor& x) const;
  ConvSource lazily(std::vector<ConvSource>) const;
};

// y = act(norm2(conv2(act(norm1(conv1(x))))) + skip(x)), skip = average pooling by the stride (windows at the end are smaller), then where
// the channels change a 1x1x1 convolution without bias and a norm: BasicBlockD of dynamic_network_architectures (ResNet-D, He et al. 2019).
// The scale of norm2 starts at 0, so that the block starts as its skip.
struct ResidualBlock {
  ConvBlock first, second;
  std::optional<ConvBlock> projection;
  Int3 stride = {1, 1, 1};
  FIELDS(first, second, projection)

  ResidualBlock() = default;
  ResidualBlock(const BlockLayer&, Rng&);
  Tensor operator()(const Tensor& x) const;
};

struct ResidualStack {
  std::vector<ResidualBlock> blocks;
  FIELDS(blocks)

  ResidualStack() = default;
  ResidualStack(const BlockLayer&, int depth, Rng&);
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
