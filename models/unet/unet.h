#pragma once
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "layers/blocks.h"
#include "models/network.h"

namespace voxgrad {

// The two U-Nets of nnU-Net (Isensee et al. 2021, 2024), which adapt to anisotropic volumes by a kernel and a stride per stage and axis.
// Stage 0 is at full resolution; stage s begins with strides[s]. The decoder has one stage less: upsampling by a transposed convolution
// with kernel = stride, concatenation (upsampled, skip), convolutions.
struct UNetConfig {
  int in_channels = 1, classes = 2;   // classes: output channels, the background among them
  std::vector<int> features;          // channels per stage
  std::vector<Int3> kernels, strides; // per stage; strides[0] is {1, 1, 1} in nnU-Net
  std::vector<int> encoder_depth;     // per stage: convolutions, or residual blocks
  std::vector<int> decoder_depth;     // per decoder stage, from the coarsest on as in nnU-Net's plans: convolutions
  bool residual = false;              // ResidualEncoderUNet: a stem convolution, then residual blocks in the encoder
  bool deep_supervision = true;       // heads at every decoder stage
  NormKind norm = NormKind::instance;
  int groups = 8;                     // of the group norm
  Activation activation = {};         // leaky_relu(0.01)
  bool bias = true;                   // of all convolutions but the heads, which always have one

  // 3x3x3 kernels, stride 2 from stage 1 on, base 2^s features capped at 320. Plain: 2 convolutions per stage; residual encoder: 1, 3, 4,
  // 6, 6, .. blocks and 1 convolution per decoder stage (ResEnc L with 6 stages).
  struct Preset {
    int in_channels = 1, classes = 2, stages = 6, base_features = 32, max_features = 320;
  };
  static UNetConfig plain(const Preset&);
  static UNetConfig residual_encoder(const Preset&);

  int stages() const { return int(features.size()); }
  // Each extent of the input must be a multiple of this: the product of the strides.
  Int3 divisor() const;
  // Throws Error that names the entry which is wrong.
  void validate() const;
  // Weights of its convolutions at the least, for one that is not built yet; of a valid configuration.
  double least_weights() const;
  friend bool operator==(const UNetConfig&, const UNetConfig&) = default;
};

nlohmann::ordered_json to_json(const UNetConfig&);
// Missing keys keep their defaults, unknown ones are refused by name; the result is validated.
UNetConfig unet_config_from_json(const nlohmann::ordered_json&);

struct UNet {
  UNetConfig config;
  std::optional<ConvBlock> stem;            // of the residual encoder
  std::vector<ConvStack> encoder;           // plain
  std::vector<ResidualStack> residual_encoder;
  std::vector<ConvTranspose3d> up;          // from the coarsest on
  std::vector<ConvStack> decoder;
  std::vector<Conv3d> heads;                // 1x1x1, one per decoder stage; without deep supervision only the last, full-resolution one
  FIELDS(stem, encoder, residual_encoder, up, decoder, heads)

  UNet(const UNetConfig&, Rng&);
  // x {N, D, H, W, in_channels} -> logits {N, .., classes}, full resolution first; only that one without deep supervision and within
  // Inference.
  std::vector<Tensor> operator()(const Tensor& x) const;
  SlabOutputs in_slabs(const Tensor& x) const;

 private:
  // What the full-resolution head reads. `logits`: absent, or gets those of coarser heads, full resolution first.
  ConvSource features_of(const Tensor& x, std::vector<Tensor>* logits) const;
};

NetworkTraits traits_of(const UNetConfig&);
Network network_of(UNet);

}  // namespace voxgrad
