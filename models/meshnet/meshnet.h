#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/blocks.h"
#include "models/network.h"

namespace voxgrad {

// MeshNet (Fedorov et al. 2017; brainchop): 3x3x3 convolutions at full resolution whose dilation rises and falls again, each with a norm
// (or none) and ReLU, then a 1x1x1 convolution. A few thousand weights see far.
struct MeshNetConfig {
  int in_channels = 1, classes = 2, features = 5;
  std::vector<int> dilations = {1, 2, 4, 8, 16, 8, 4, 2, 1};
  std::string norm = "batch";  // none, batch, instance
  bool bias = true;            // of the convolutions with a norm
  bool flat = false;           // a volume of one slice: kernels are 1 along D
};
std::string to_json_text(const MeshNetConfig&);
MeshNetConfig meshnet_config_from_json(const Json&);
NetworkTraits traits_of(const MeshNetConfig&);

struct MeshNet {
  MeshNetConfig config;
  std::vector<ConvBlock> blocks;
  Conv3d head;
  FIELDS(blocks, head)

  MeshNet(const MeshNetConfig&, Rng&);
  // x {N, D, H, W, in_channels} of any extents: logits {N, D, H, W, classes}.
  Tensor operator()(const Tensor& x) const;
  SlabOutputs in_slabs(const Tensor& x) const;
};

}  // namespace voxgrad
