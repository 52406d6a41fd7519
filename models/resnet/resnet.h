#pragma once
#include <array>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/conv.h"
#include "layers/norm.h"
#include "layers/sequential.h"
#include "models/network.h"

namespace voxgrad {

// Residual networks (He et al. 2016) for volumes. Fields have torchvision's names: conv1, bn1, layer1.0.conv1, layer1.0.downsample.0, fc.
struct ResNetConfig {
  int in_channels = 1, classes = 2;
  int depth = 18;           // 10, 18, 34: two convolutions a block; 50, 101, 152, 200: bottlenecks of three
  int base_features = 64;   // channels of the first stage, doubled at each further one; a bottleneck gives 4 times as many
  bool small_stem = false;  // 3x3x3 at full resolution, for small volumes, instead of 7x7x7 with stride 2 and max pooling
  int stem_stride = 2;      // of the 7x7x7; MONAI's networks have 1
  // The skip where extents or channels change: B, a 1x1x1 convolution and a norm; A (He et al. 2016), every second voxel, and zeros for the
  // channels that are new. MedicalNet has A for depths 18 and 34.
  std::string shortcut = "B";
  bool shortcut_bias = false;  // of that convolution, as in MONAI's networks
  bool dilated = false;        // the last two stages have dilations 2 and 4 in place of strides (MedicalNet, Chen et al. 2019)
  // Of the strides of the stem's convolution, its pooling and the stages, the first that are 1 along D: for volumes of thick slices.
  int flat_strides = 0;
  bool flat = false;           // a volume of one slice: kernels and strides are 1 along D
};
// Throws Error that names the entry which is wrong.
void validate(const ResNetConfig&);
std::string to_json_text(const ResNetConfig&);
ResNetConfig resnet_config_from_json(const Json&);
NetworkTraits traits_of(const ResNetConfig&);
// How many numbers it trains, of a valid configuration.
double parameters_of(const ResNetConfig&);
// Of the stem's convolution, its pooling and the first block of each stage.
std::array<Int3, 6> strides_of(const ResNetConfig&);
// How many of these are not 1.
int count_of_strides(const ResNetConfig&);
// What features() gives.
std::vector<EncoderStage> stages_of(const ResNetConfig&);

struct ResNetBlock {
  Conv3d conv1;
  BatchNorm bn1;
  Conv3d conv2;
  BatchNorm bn2;
  std::optional<Conv3d> conv3;  // of a bottleneck
  std::optional<BatchNorm> bn3;
  std::optional<Sequential<Conv3d, BatchNorm>> downsample;  // of the skip, where extents or channels change; with shortcut A none
  Int3 stride = {1, 1, 1};
  FIELDS(conv1, bn1, conv2, bn2, conv3, bn3, downsample)

  Tensor operator()(const Tensor& x) const;
};

struct ResNet {
  ResNetConfig config;
  Conv3d conv1;
  BatchNorm bn1;
  std::vector<ResNetBlock> layer1, layer2, layer3, layer4;
  Linear fc;
  FIELDS(conv1, bn1, layer1, layer2, layer3, layer4, fc)

  ResNet(const ResNetConfig&, Rng&);
  // x {N, D, H, W, in_channels}: the features after each stage, finest first.
  std::vector<Tensor> features(const Tensor& x) const;
  // Their last ones' mean over the volume, {N, C}.
  Tensor pooled(const Tensor& x) const;
  // Logits {N, classes} of that.
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
