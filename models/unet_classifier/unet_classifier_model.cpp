#include "core/config/json_values.h"
#include "kernels/reduce/reduce.h"
#include "models/configured_model.h"
#include "models/keyed_config.h"
#include "models/unet/unet_encoder.h"
#include "models/unet/unet_plan.h"
#include "models/unet_classifier/unet_classifier.h"
#include "models/whole_patch.h"

namespace voxgrad {
namespace {

// The keys of its JSON, bound to the fields.
ConfigTable keys_of(UNetClassifierConfig& c) {
  ConfigTable t;
  t.integer("in_channels", c.in_channels, 1, 1 << 20, "");
  t.integer("classes", c.classes, 1, 1 << 20, "");
  add_unet_part(t, c.unet);
  t.number("dropout", c.dropout, 0, 0.99, "of what the linear layer reads");
  return t;
}

struct UNetClassifierOptions {
  UNetOptions unet;
  bool residual = false;
  UNetClassifierConfig net;
};

void add_keys(ConfigTable& t, UNetClassifierOptions& o) {
  add_encoder_keys(t, o.unet, o.residual);
  add_documented(t, keys_of(o.net));
}

// The stages of a U-Net for the whole case. Extents need not be multiples of the strides, as nothing is put back on the input's grid.
NetworkPlan plan_unet_classifier(const UNetClassifierOptions& o, const PlanRequest& r) {
  const Int3 patch = whole_patch(r);
  const TopologyRules rules = {.max_stages = o.unet.stages ? o.unet.stages : 6, .flat = patch.d == 1};
  check(rules.max_stages > 1, "network.stages: 1, a U-Net has two at the least");
  const PlanExtent enough = enough_for_two_stages(extent_of(patch), r.spacing, rules);
  UNetClassifierConfig c = o.net;
  c.in_channels = r.in_channels;
  c.classes = r.out_channels;
  c.unet = unet_config_of(o.unet, unet_topology(enough, r.spacing, rules), r, o.residual);
  c.unet.deep_supervision = false;
  return {to_json_text(c), patch};
}

}  // namespace

void validate(const UNetClassifierConfig& c) {
  c.unet.validate();
  check(c.dropout >= 0 && c.dropout < 1, "UNetClassifierConfig: dropout is ", c.dropout, ", 0 to below 1 is wanted");
}

std::string to_json_text(const UNetClassifierConfig& c) {
  UNetClassifierConfig copy = c;
  return json_text_of("unet_classifier", keys_of(copy));
}

UNetClassifierConfig unet_classifier_config_from_json(const Json& j) {
  UNetClassifierConfig c;
  set_fields(keys_of(c), j, "UNetClassifierConfig");
  c.unet.in_channels = c.in_channels;
  c.unet.classes = c.classes;
  validate(c);
  return c;
}

NetworkTraits traits_of(const UNetClassifierConfig& c) {
  return {.in_channels = c.in_channels, .out_channels = c.classes, .dense = false};
}

UNetClassifier::UNetClassifier(const UNetClassifierConfig& c, Rng& rng) : config(c) {
  validate(c);
  build_encoder(*this, c.unet, rng);
  if (c.dropout > 0) drop.emplace(Dropout{.p = c.dropout});
  fc = Linear({.in = c.unet.features.back(), .out = c.classes}, rng);
}

Tensor UNetClassifier::operator()(const Tensor& x) const {
  check(x && x.shape().rank == 5 && x.dim(-1) == config.in_channels, "UNetClassifier: the input is ", x,
        ", wanted is {N, D, H, W, ", config.in_channels, "}");
  const Tensor y = mean(encoder_features(*this, x).back(), {1, 2, 3});
  return fc(drop ? (*drop)(y) : y);
}

ModelEntry unet_classifier_model() {
  return {.name = "unet_classifier",
          .summary = "a U-Net's encoder for values per image; its weights are those of a U-Net by name",
          .dense = false,
          .options = [] { return Options::of<UNetClassifierOptions>(add_keys); },
          .plan = [](const Options& o, const PlanRequest& r) { return plan_unet_classifier(o.as<UNetClassifierOptions>(), r); },
          .build = built_from<UNetClassifier>(unet_classifier_config_from_json),
          .traits = traits_from(unet_classifier_config_from_json),
          .least_weights = [](const Json& j) { return least_encoder_weights(unet_classifier_config_from_json(j).unet); }};
}

}  // namespace voxgrad
