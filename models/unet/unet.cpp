#include "models/unet/unet.h"

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "models/slab_outputs.h"
#include "models/unet/unet_encoder.h"

namespace voxgrad {

BlockLayer unet_block(const UNetConfig& c, int in, size_t stage, const Int3& stride) {
  return {.in = in,
          .out = c.features[stage],
          .kernel = c.kernels[stage],
          .stride = stride,
          .bias = c.bias,
          .norm = c.norm,
          .groups = c.groups,
          .activation = c.activation};
}

UNet::UNet(const UNetConfig& c, Rng& rng) : config(c) {
  c.validate();
  build_encoder(*this, c, rng);
  for (size_t s = c.features.size() - 1; s-- > 0;) {
    add_decoder_stage(*this, c, s, rng);
    if (c.deep_supervision || s == 0) heads.emplace_back(Conv3dLayer{.in = c.features[s], .out = c.classes, .kernel = {1, 1, 1}}, rng);
  }
}

ConvSource UNet::features_of(const Tensor& x, std::vector<Tensor>* logits) const {
  check_unet_input("UNet", x, config);
  return decoder_features(*this, encoder_features(*this, x), [&](size_t i, const Tensor& y) {
    if (logits) logits->insert(logits->begin(), heads[i](y));
  });
}

std::vector<Tensor> UNet::operator()(const Tensor& x) const {
  std::vector<Tensor> logits;
  const ConvSource z = features_of(x, config.deep_supervision && !Inference::active() ? &logits : nullptr);
  const Conv3d& head = heads.back();
  logits.insert(logits.begin(), hooked(head, conv3d_fused({z}, head.weight, head.bias, head.options)));
  return logits;
}

SlabOutputs UNet::in_slabs(const Tensor& x) const { return slabs_of(features_of(x, nullptr), heads.back()); }

Network network_of(UNet net) {
  const UNetConfig c = net.config;
  return Network(std::move(net), traits_of(c), to_json(c).dump());
}

}  // namespace voxgrad
