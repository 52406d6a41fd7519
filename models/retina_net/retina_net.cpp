#include "models/retina_net/retina_net.h"

#include <cmath>

#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "models/keyed_config.h"

namespace voxgrad {
namespace {

constexpr int kHeadGroup = 8;  // channels of a group of the heads' norms

ConfigTable retina_net_keys(RetinaNetConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  add_encoder_part(t, c.encoder);
  t.integer("stage", c.stage, 0, 11, "");
  t.integer("levels", c.levels, 1, 12, "");
  t.integer("anchors", c.anchors, 1, 256, "");
  t.integer("width", c.width, kHeadGroup, 4096, "");
  t.integer("head_depth", c.head_depth, 0, 8, "");
  t.number("prior", c.prior, 1e-6, 0.5, "");
  return t;
}

}  // namespace

void validate(const RetinaNetConfig& c) {
  const int stages = int(encoder_stages(c.encoder).size());
  check(c.stage >= 0 && c.levels > 0 && c.stage + c.levels <= stages, "RetinaNetConfig: ", c.levels, " levels from stage ", c.stage,
        " on, the encoder has ", stages, " stages");
  check(c.width > 0 && c.width % kHeadGroup == 0, "RetinaNetConfig: width is ", c.width, ", a multiple of ", kHeadGroup, " is wanted");
  check(c.anchors > 0 && c.head_depth >= 0, "RetinaNetConfig: ", c.anchors, " anchors and heads of ", c.head_depth, " convolutions");
  check(c.prior > 0 && c.prior < 1, "RetinaNetConfig: prior is ", c.prior, ", above 0 and below 1 is wanted");
}

std::string to_json_text(const RetinaNetConfig& c) {
  RetinaNetConfig copy = c;
  return json_text_of("retina_net", retina_net_keys(copy));
}

RetinaNetConfig retina_net_config_from_json(const Json& j) {
  RetinaNetConfig c;
  set_fields(retina_net_keys(c), with_encoder_part(j), "RetinaNetConfig");
  validate(c);
  return c;
}

NetworkTraits traits_of(const RetinaNetConfig& c) {
  return {.in_channels = c.in_channels, .out_channels = c.classes, .divisor = encoder_divisor(c.encoder)};
}

RetinaNet::RetinaNet(const RetinaNetConfig& c, Rng& rng) : config(c), encoder((validate(c), c.encoder), c.in_channels, rng) {
  const std::vector<EncoderStage>& stages = encoder.stages();
  for (size_t s = size_t(c.stage); s < stages.size(); ++s)
    lateral.emplace_back(Conv3dLayer{.in = stages[s].channels, .out = c.width, .kernel = {1, 1, 1}}, rng);
  const Int3 kernel = stages[size_t(c.stage)].kernel;
  for (int l = 0; l < c.levels; ++l) merged.emplace_back(Conv3dLayer{.in = c.width, .out = c.width, .kernel = kernel}, rng);
  const BlockLayer layer{.in = c.width, .out = c.width, .kernel = kernel, .norm = NormKind::group, .groups = c.width / kHeadGroup};
  for (int i = 0; i < c.head_depth; ++i) {
    class_head.emplace_back(layer, rng);
    box_head.emplace_back(layer, rng);
  }
  class_out = Conv3d({.in = c.width, .out = c.anchors * c.classes, .kernel = kernel}, rng);
  box_out = Conv3d({.in = c.width, .out = c.anchors * 6, .kernel = kernel}, rng);
  // Outputs start near the prior and near the anchors.
  for (const Tensor& w : {class_out.weight, box_out.weight})
    for (float& v : w.mutable_data<float>()) v *= 0.1f;
  for (float& v : class_out.bias.mutable_data<float>()) v = float(std::log(c.prior / (1 - c.prior)));
}

std::vector<Tensor> RetinaNet::operator()(const Tensor& x) const {
  const std::vector<Tensor> features = encoder.features("RetinaNet", x);
  std::vector<Tensor> sums(lateral.size());
  for (size_t l = lateral.size(); l-- > 0;) {
    sums[l] = lateral[l](features[size_t(config.stage) + l]);
    if (l + 1 < lateral.size()) sums[l] = add(sums[l], interpolate3d(sums[l + 1], sums[l].shape().spatial()));
  }
  std::vector<Tensor> out;
  for (size_t l = 0; l < merged.size(); ++l) {
    ConvSource of_class = {merged[l](sums[l])}, of_box = of_class;
    for (const ConvBlock& b : class_head) of_class = b.lazily({of_class});
    for (const ConvBlock& b : box_head) of_box = b.lazily({of_box});
    out.push_back(class_out(of_class));
    out.push_back(box_out(of_box));
  }
  return out;
}

}  // namespace voxgrad
