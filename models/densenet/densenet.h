#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/conv.h"
#include "layers/dropout.h"
#include "layers/norm.h"
#include "models/network.h"

namespace voxgrad {

// Densely connected networks (Huang et al. 2017, DenseNet-BC) for volumes: in a block, each layer reads what all layers before it gave.
// Fields have torchvision's names: features.conv0, features.denseblock1.denselayer1.norm1, features.transition1.conv, classifier.
struct DenseNetConfig {
  int in_channels = 1, classes = 2;
  int depth = 121;          // 121, 161, 169, 201, 264
  int growth = 0;           // channels that a layer adds; 0: 48 for depth 161, else 32
  int base_features = 0;    // channels of the stem; 0: twice the growth
  double dropout = 0;       // of what a layer adds
  bool small_stem = false;  // 3x3x3 at full resolution, for small volumes, instead of 7x7x7 with stride 2 and max pooling
  bool flat = false;        // a volume of one slice: kernels and strides are 1 along D
};
// Throws Error that names the entry which is wrong.
void validate(const DenseNetConfig&);
std::string to_json_text(const DenseNetConfig&);
DenseNetConfig densenet_config_from_json(const Json&);
NetworkTraits traits_of(const DenseNetConfig&);
// How many numbers it trains, of a valid configuration.
double parameters_of(const DenseNetConfig&);
// What stages() gives.
std::vector<EncoderStage> stages_of(const DenseNetConfig&);

// norm, ReLU, 1x1x1 to 4 growth channels; norm, ReLU, 3x3x3 to growth channels.
struct DenseLayer {
  BatchNorm norm1;
  Conv3d conv1;
  BatchNorm norm2;
  Conv3d conv2;
  std::optional<Dropout> drop;
  FIELDS(norm1, conv1, norm2, conv2, drop)

  // Of the concatenation of the parts.
  Tensor operator()(const std::vector<Tensor>& parts) const;
};

struct DenseBlock {
  std::vector<DenseLayer> layers;  // "denselayer1" and so on

  // x, and behind its channels those of all layers. in_parts: what layers keep of their inputs is shared, which takes time.
  Tensor operator()(const Tensor& x, bool in_parts = false) const;
  void walk_fields(FieldVisitor&, const std::string& path);
};

// norm, ReLU, 1x1x1 to half of the channels, average pooling by 2; an axis of one voxel is left as it is.
struct DenseTransition {
  BatchNorm norm;
  Conv3d conv;
  bool flat = false;
  FIELDS(norm, conv)

  Tensor operator()(const Tensor& x) const;
};

struct DenseFeatures {
  Conv3d conv0;
  BatchNorm norm0;
  DenseBlock denseblock1;
  DenseTransition transition1;
  DenseBlock denseblock2;
  DenseTransition transition2;
  DenseBlock denseblock3;
  DenseTransition transition3;
  DenseBlock denseblock4;
  BatchNorm norm5;
  FIELDS(conv0, norm0, denseblock1, transition1, denseblock2, transition2, denseblock3, transition3, denseblock4, norm5)
};

struct DenseNet {
  DenseNetConfig config;
  DenseFeatures features;
  Linear classifier;
  FIELDS(features, classifier)

  DenseNet(const DenseNetConfig&, Rng&);
  // x {N, D, H, W, in_channels}: the features after each block, finest first.
  std::vector<Tensor> stages(const Tensor& x) const;
  // What is averaged over the volume for the classifier.
  Tensor last_features(const Tensor& x) const;
  // Logits {N, classes}.
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
