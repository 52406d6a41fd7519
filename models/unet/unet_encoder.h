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

// The next stage of the decoder, of the resolution of stage s, as parts up and decoder of M.
template <class M>
void add_decoder_stage(M& m, const UNetConfig& c, size_t s, Rng& rng) {
  const Int3 stride = c.strides[s + 1];
  m.up.emplace_back(
      ConvTranspose3dLayer{.in = c.features[s + 1], .out = c.features[s], .kernel = stride, .stride = stride, .bias = c.bias}, rng);
  m.decoder.emplace_back(unet_block(c, 2 * c.features[s], s, {1, 1, 1}), c.decoder_depth[c.features.size() - 2 - s], rng);
}

// What the last stage of the decoder gives, of the encoder's features, which are given up on the way; each(i, y) sees what another one, i,
// gives. M has a stage of the decoder.
template <class M, class F>
ConvSource decoder_features(const M& m, std::vector<Tensor> skips, F&& each) {
  Tensor y = std::move(skips.back());
  for (size_t i = 0;; ++i) {
    skips.pop_back();
    const ConvSource z = m.decoder.at(i).lazily({{m.up[i](y)}, {std::move(skips.back())}});
    if (i + 1 == m.decoder.size()) return z;
    y = evaluate(z);
    each(i, y);
  }
}

}  // namespace voxgrad
