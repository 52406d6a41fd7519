#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/conv.h"
#include "layers/norm.h"
#include "models/network.h"

namespace voxgrad {

// NAFNet, a U-shaped restorer without nonlinear activations (Chen et al. 2022, "Simple Baselines for Image Restoration"; NAFNet_arch.py),
// for slices and volumes: a 3x3x3 convolution; stages of blocks with convolutions of 2x2x2 and stride 2 between them, each of which doubles
// the channels; blocks in the middle; on the way up convolutions of 1x1x1 and a pixel shuffle, which are one transposed convolution of
// 2x2x2 without bias, the sum with the skip, and blocks; a 3x3x3 convolution. Its output is what is added to the image.
struct NafNetConfig {
  int in_channels = 1, classes = 1;  // classes: channels of the output
  int features = 16;                 // channels of the first stage
  std::vector<int> blocks_down = {2, 2, 4}, blocks_up = {2, 2, 2};  // of each stage; on the way up from the coarsest on
  int middle = 4;                                                   // blocks in the middle
  bool flat = false;  // a volume of one slice: kernels and strides are 1 along D
};
void validate(const NafNetConfig&);
std::string to_json_text(const NafNetConfig&);
NafNetConfig nafnet_config_from_json(const Json&);
NetworkTraits traits_of(const NafNetConfig&);

// With C channels: y = x + beta conv3(a(g(conv2(conv1(norm1(x)))))), out = y + gamma conv5(g(conv4(norm2(y)))): conv1 and conv4 are 1x1x1
// to 2 C, conv2 is depthwise 3x3x3, g multiplies the two halves of the channels with each other (SimpleGate), a(z) = z attention(mean of
// z over space) (simplified channel attention). beta and gamma {C} start at 0.
struct NafBlock {
  ChannelNorm norm1, norm2;
  Conv3d conv1, conv2, conv3, conv4, conv5;
  Linear attention;
  Tensor beta, gamma;
  FIELDS(norm1, conv1, conv2, attention, conv3, norm2, conv4, conv5, beta, gamma)

  Tensor operator()(const Tensor& x) const;
};

struct NafStage {
  std::vector<NafBlock> blocks;
  std::optional<Conv3d> down;         // behind the blocks
  std::optional<ConvTranspose3d> up;  // in front of them
  FIELDS(blocks, down, up)
};

struct NafNet {
  NafNetConfig config;
  Conv3d stem;
  std::vector<NafStage> down, up;
  std::vector<NafBlock> middle;
  Conv3d head;
  FIELDS(stem, down, middle, up, head)

  NafNet(const NafNetConfig&, Rng&);
  // x {N, D, H, W, in_channels}: {N, D, H, W, classes}.
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
