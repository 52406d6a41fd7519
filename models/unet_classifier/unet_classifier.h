#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/conv.h"
#include "layers/dropout.h"
#include "models/unet/unet.h"

namespace voxgrad {

// The encoder of a U-Net, the mean of its last features over the volume, and a linear layer: values per image. The encoder's fields have
// the names of UNet's, so that weights go either way by name.
struct UNetClassifierConfig {
  int in_channels = 1, classes = 2;
  UNetConfig unet;     // without in_channels and classes, which are these; its decoder is not built
  double dropout = 0;  // of what the linear layer reads
};
void validate(const UNetClassifierConfig&);
std::string to_json_text(const UNetClassifierConfig&);
UNetClassifierConfig unet_classifier_config_from_json(const Json&);
NetworkTraits traits_of(const UNetClassifierConfig&);

struct UNetClassifier {
  UNetClassifierConfig config;
  std::optional<ConvBlock> stem;
  std::vector<ConvStack> encoder;
  std::vector<ResidualStack> residual_encoder;
  std::optional<Dropout> drop;
  Linear fc;
  FIELDS(stem, encoder, residual_encoder, drop, fc)

  UNetClassifier(const UNetClassifierConfig&, Rng&);
  // x {N, D, H, W, in_channels} of any extents: logits {N, classes}.
  Tensor operator()(const Tensor& x) const;
};

}  // namespace voxgrad
