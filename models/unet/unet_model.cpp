#include "core/config/json_values.h"
#include "models/encoder/staged_network.h"
#include "models/unet/unet_encoder.h"

namespace voxgrad {
namespace {

// A U-Net without its decoder.
struct UNetStages {
  std::optional<ConvBlock> stem;
  std::vector<ConvStack> encoder;
  std::vector<ResidualStack> residual_encoder;
  FIELDS(stem, encoder, residual_encoder)

  UNetStages(const UNetConfig& c, Rng& rng) { build_encoder(*this, c, rng); }
  std::vector<Tensor> features(const Tensor& x) const { return encoder_features(*this, x); }
};

struct UNetStagesOptions {
  UNetOptions unet = {.deep_supervision = false};
  bool residual = false;
};

UNetConfig unet_config_of_kind(const Json& j) {
  Json config = j;
  config.erase("kind");
  return unet_config_from_json(config);
}

std::vector<EncoderStage> unet_stages_of(const UNetConfig& c) {
  std::vector<EncoderStage> out;
  for (size_t s = 0; s < c.features.size(); ++s)
    out.push_back({.channels = c.features[s], .stride = c.strides[s], .kernel = c.kernels[s]});
  return joined_stages(out);
}

EncoderEntry unet_stages() {
  EncoderEntry e = encoder_of<UNetStages, UNetConfig>(
      {.options =
           [] {
             return Options::of<UNetStagesOptions>([](ConfigTable& t, UNetStagesOptions& o) { add_encoder_keys(t, o.unet, o.residual); });
           },
       .plan =
           [](const Options& o, const PlanRequest& r) {
             const auto& chosen = o.as<UNetStagesOptions>();
             return plan_unet(chosen.unet, r, chosen.residual);
           },
       .read = unet_config_of_kind,
       .stages = unet_stages_of,
       .features = &UNetStages::features,
       .drop_rest = [](UNetStages&) {},
       .least_weights = least_encoder_weights});
  e.decoder = [](const Json& j) { return to_json(unet_config_of_kind(j)).dump(); };
  return e;
}

}  // namespace

ModelEntry unet_model() {
  ModelEntry e = unet_entry("unet", "nnU-Net's plain U-Net", false);
  e.encoder = unet_stages();
  return e;
}

}  // namespace voxgrad
