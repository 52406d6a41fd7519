#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/blocks.h"
#include "layers/conv.h"
#include "models/encoder/encoder.h"

namespace voxgrad {

// An encoder, a U-Net's decoder that ends at a stage, and two heads there: a heat map of centres for each class, and six numbers for the
// box of whatever has its centre there (CenterNet, Zhou et al. 2019, on a U-Net; what the numbers mean says tasks/detection/centre_head.h).
struct CentreNetConfig {
  int in_channels = 1, classes = 1;
  std::string encoder;  // JSON of the network whose encoder it is (models/encoder), without in_channels and classes, which are these
  int stage = 1;        // of the encoder, whose resolution the outputs have; 0: that of the input
  double prior = 0.1;   // probability of a centre that every place starts from
};
void validate(const CentreNetConfig&);
std::string to_json_text(const CentreNetConfig&);
CentreNetConfig centre_net_config_from_json(const Json&);
// dense, with outputs that are smaller than the input by the strides up to the stage.
NetworkTraits traits_of(const CentreNetConfig&);

struct CentreNet {
  CentreNetConfig config;
  Encoder encoder;
  std::vector<ConvTranspose3d> up;  // up and decoder: as those of UNet
  std::vector<ConvStack> decoder;
  ConvBlock heat_block, box_block;
  Conv3d heat, box;
  FIELDS(encoder, up, decoder, heat_block, box_block, heat, box)

  CentreNet(const CentreNetConfig&, Rng&);
  // x {N, D, H, W, in_channels}: logits of the heat maps {N, .., classes}, and {N, .., 6}.
  std::vector<Tensor> operator()(const Tensor& x) const;
};

}  // namespace voxgrad
