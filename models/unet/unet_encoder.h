#pragma once
#include "models/unet/unet.h"
#include "models/unet/unet_plan.h"

namespace voxgrad {

// What a U-Net and other networks with its encoder have in common.

// The block of a stage: its kernel, norm and activation.
BlockLayer unet_block(const UNetConfig&, int in, size_t stage, const Int3& stride);

// Keys of a configuration: those of the U-Net that decide about its encoder, and "residual".
void add_encoder_keys(ConfigTable&, UNetOptions&, bool& residual);
// The key "unet" of a network's JSON: the configuration without in_channels and classes, which are the network's own.
void add_unet_part(ConfigTable&, UNetConfig&);
// Fewer weights than any network with this encoder has.
double least_encoder_weights(const UNetConfig&);
// An Error in the name of `who` unless x is {N, D, H, W, in_channels} with extents that are multiples of the strides.
void check_unet_input(const char* who, const Tensor& x, const UNetConfig&);

// The parts of M by the names stem, encoder and residual_encoder, as UNet has them.
template <class M>
void build_encoder(M& m, const UNetConfig& c, Rng& rng) {
  if (c.residual) m.stem.emplace(unet_block(c, c.in_channels, 0, {1, 1, 1}), rng);
  for (size_t s = 0; s < c.features.size(); ++s) {
    const int in = s > 0 ? c.features[s - 1] : c.residual ? c.features[0] : c.in_channels;
    const BlockLayer layer = unet_block(c, in, s, c.strides[s]);
    if (c.residual) m.residual_encoder.emplace_back(layer, c.encoder_depth[s], rng);
    else m.encoder.emplace_back(layer, c.encoder_depth[s], rng);
  }
}

// The features after each stage, finest first.
template <class M>
std::vector<Tensor> encoder_features(const M& m, const Tensor& x) {
  std::vector<Tensor> out;
  Tensor y = m.stem ? (*m.stem)(x) : x;
  for (const ConvStack& s : m.encoder) out.push_back(y = s(y));
  for (const ResidualStack& s : m.residual_encoder) out.push_back(y = s(y));
  return out;
}

}  // namespace voxgrad
