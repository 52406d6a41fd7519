#include "models/centre_net/centre_net.h"

#include <cmath>

#include "core/config/json_values.h"
#include "models/keyed_config.h"
#include "models/unet/unet_encoder.h"

namespace voxgrad {
namespace {

// The keys of its JSON, bound to the fields.
ConfigTable centre_net_keys(CentreNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  add_encoder_part(t, c.encoder);
  t.integer("stage", c.stage, 0, 11, "");
  t.number("prior", c.prior, 1e-6, 0.5, "");
  return t;
}

}  // namespace

void validate(const CentreNetConfig& c) {
  const int stages = int(encoder_stages(c.encoder).size());
  check(c.stage >= 0 && c.stage < stages, "CentreNetConfig: stage is ", c.stage, ", the encoder has ", stages, " stages");
  check(c.prior > 0 && c.prior < 1, "CentreNetConfig: prior is ", c.prior, ", above 0 and below 1 is wanted");
}

std::string to_json_text(const CentreNetConfig& c) {
  CentreNetConfig copy = c;
  return json_text_of("centre_net", centre_net_keys(copy));
}

CentreNetConfig centre_net_config_from_json(const Json& j) {
  CentreNetConfig c;
  set_fields(centre_net_keys(c), with_encoder_part(j), "CentreNetConfig");
  validate(c);
  return c;
}

NetworkTraits traits_of(const CentreNetConfig& c) {
  return {.in_channels = c.in_channels, .out_channels = c.classes, .divisor = encoder_divisor(c.encoder)};
}

CentreNet::CentreNet(const CentreNetConfig& c, Rng& rng) : config(c), encoder((validate(c), c.encoder), c.in_channels, rng) {
  const UNetConfig u = decoder_config(c.encoder);
  for (int s = u.stages() - 2; s >= c.stage; --s) add_decoder_stage(*this, u, size_t(s), rng);
  const size_t stage = size_t(c.stage);
  const int width = u.features[stage];
  heat_block = ConvBlock(unet_block(u, width, stage, {1, 1, 1}), rng);
  box_block = ConvBlock(unet_block(u, width, stage, {1, 1, 1}), rng);
  heat = Conv3d({.in = width, .out = c.classes, .kernel = {1, 1, 1}}, rng);
  box = Conv3d({.in = width, .out = 6, .kernel = {1, 1, 1}}, rng);
  // Outputs start near the prior and near boxes of the usual size.
  for (const Tensor& w : {heat.weight, box.weight})
    for (float& v : w.mutable_data<float>()) v *= 0.1f;
  for (float& v : heat.bias.mutable_data<float>()) v = float(std::log(c.prior / (1 - c.prior)));
}

std::vector<Tensor> CentreNet::operator()(const Tensor& x) const {
  std::vector<Tensor> skips = encoder.features("CentreNet", x);
  const Tensor y = decoder.empty() ? skips.back() : evaluate(decoder_features(*this, std::move(skips), [](size_t, const Tensor&) {}));
  return {heat(heat_block.lazily({{y}})), box(box_block.lazily({{y}}))};
}

}  // namespace voxgrad
