#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/conv.h"
#include "layers/dropout.h"
#include "layers/norm.h"
#include "models/network.h"

namespace voxgrad {

// ConvNeXt (Liu et al. 2022) for volumes. Blocks of a depthwise convolution, a norm over the channels of each voxel and two layers per
// voxel with 4 times the channels between; a norm and a convolution of 2x2x2 with stride 2 between the stages.
struct ConvNeXtConfig {
  int in_channels = 1, classes = 2;
  int base_features = 40;                 // channels of the first stage, doubled at each further one
  std::vector<int> blocks = {2, 2, 6, 2};  // of the stages; {3, 3, 9, 3} with 96 features is torchvision's convnext_tiny
  int kernel = 7;                         // of the depthwise convolutions, odd
  int patch_size = 4;                     // extents and stride of the first convolution
  double drop_path = 0.1;                 // of the last block; stochastic depth (Huang et al. 2016) that rises with the blocks
  double layer_scale = 1e-6;              // that a block is multiplied by to begin with
  bool flat = false;                      // a volume of one slice: kernels and strides are 1 along D
};
void validate(const ConvNeXtConfig&);
std::string to_json_text(const ConvNeXtConfig&);
ConvNeXtConfig convnext_config_from_json(const Json&);
NetworkTraits traits_of(const ConvNeXtConfig&);
// How many numbers it trains, of a valid configuration.
double parameters_of(const ConvNeXtConfig&);
// What features() gives.
std::vector<EncoderStage> stages_of(const ConvNeXtConfig&);

struct ConvNeXtBlock {
  Conv3d depthwise;
  ChannelNorm norm;
  Linear expand, project;
  Tensor layer_scale;  // {C}
  std::optional<DropPath> drop;
  FIELDS(depthwise, norm, expand, project, layer_scale, drop)

  Tensor operator()(const Tensor& x) const;
};

struct ConvNeXtStage {
  std::optional<ChannelNorm> norm;  // with down, between the stages
  std::optional<Conv3d> down;
  std::vector<ConvNeXtBlock> blocks;
  FIELDS(norm, down, blocks)

  Tensor operator()(const Tensor& x) const;
};

struct ConvNeXt {
  ConvNeXtConfig config;
  Conv3d stem;
  ChannelNorm stem_norm;
  std::vector<ConvNeXtStage> stages;
  ChannelNorm norm;
  Linear head;
  FIELDS(stem, stem_norm, stages, norm, head)

  ConvNeXt(const ConvNeXtConfig&, Rng&);
  // The features after each stage, finest first.
  std::vector<Tensor> features(const Tensor& x) const;
  // x {N, D, H, W, in_channels}: logits {N, classes}. Voxels behind the last whole patch are not seen, as in torchvision; an axis that is
  // shorter than one gets zeros behind.
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
