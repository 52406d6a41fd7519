#pragma once
#include "models/unet/unet.h"

namespace voxgrad {

// What a U-Net and a classifier of its encoder have in common.

// The block of a stage: its kernel, norm and activation.
BlockLayer unet_block(const UNetConfig&, int in, size_t stage, const Int3& stride);

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
