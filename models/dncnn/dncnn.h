#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/blocks.h"
#include "models/network.h"

namespace voxgrad {

// DnCNN (Zhang et al. 2017; KAIR's network_dncnn.py): a 3x3x3 convolution with ReLU, depth - 2 of them with a norm and ReLU, and a last
// one, all with bias, all at full resolution. Its output is what is added to the image (theirs is what is subtracted). 17 layers of 64
// channels have 557057 weights in slices and 1665281 in volumes.
struct DnCnnConfig {
  int in_channels = 1, classes = 1;  // classes: channels of the output
  int features = 64, depth = 17;
  std::string norm = "batch";  // none, batch, instance
  bool flat = false;           // a volume of one slice: kernels are 1 along D
};
std::string to_json_text(const DnCnnConfig&);
DnCnnConfig dncnn_config_from_json(const Json&);
NetworkTraits traits_of(const DnCnnConfig&);

struct DnCnn {
  DnCnnConfig config;
  std::vector<ConvBlock> blocks;
  Conv3d head;
  FIELDS(blocks, head)

  DnCnn(const DnCnnConfig&, Rng&);
  // x {N, D, H, W, in_channels} of any extents: {N, D, H, W, classes}.
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
