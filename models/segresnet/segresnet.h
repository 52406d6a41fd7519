#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/conv.h"
#include "layers/norm.h"
#include "models/network.h"

namespace voxgrad {

// SegResNet of Myronenko 2018 without its autoencoder, as MONAI has it: residual blocks of norm, ReLU and convolution, twice; a convolution
// of stride 2 between stages; on the way up a 1x1x1 convolution, linear interpolation, and the sum with the skip.
struct SegResNetConfig {
  int in_channels = 1, classes = 2, features = 8;  // features: channels of the first stage, doubled at each further one
  std::vector<int> blocks_down = {1, 2, 2, 4};     // per stage
  std::vector<int> blocks_up = {1, 1, 1};          // from the coarsest on
  std::string norm = "group";                      // group, instance, batch
  int groups = 8;
  bool affine = true;  // of an instance norm
  bool flat = false;   // a volume of one slice: kernels and strides are 1 along D
};
void validate(const SegResNetConfig&);
std::string to_json_text(const SegResNetConfig&);
SegResNetConfig segresnet_config_from_json(const Json&);
NetworkTraits traits_of(const SegResNetConfig&);

struct SegResBlock {
  Norm norm1;
  Conv3d conv1;
  Norm norm2;
  Conv3d conv2;
  FIELDS(norm1, conv1, norm2, conv2)
  // stats: of x for norm1, where they are known already; of_y: to be taken of what it returns.
  Tensor operator()(const Tensor& x, const Tensor& stats = {}, ConvStatistics* of_y = nullptr) const;
};

struct SegResStage {
  std::optional<Conv3d> conv;  // of stride 2 on the way down; 1x1x1 on the way up
  std::vector<SegResBlock> blocks;
  FIELDS(conv, blocks)
};

struct SegResNet {
  SegResNetConfig config;
  Conv3d stem;
  std::vector<SegResStage> down, up;
  Norm norm;
  Conv3d head;
  FIELDS(stem, down, up, norm, head)

  SegResNet(const SegResNetConfig&, Rng&);
  // The features after each stage on the way down, finest first.
  std::vector<Tensor> stages(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const;
  SlabOutputs in_slabs(const Tensor& x) const;

 private:
  ConvSource features_of(const Tensor& x) const;  // what the head reads
};

}  // namespace voxgrad
